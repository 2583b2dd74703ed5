"""Calls the address of a dead man's switch, which raises the alarm when the calls end."""

import logging

import requests
from pydantic import SecretStr

TIMEOUT_S = (3.05, 5.0)

logger = logging.getLogger(__name__)


class Heartbeat:
    """GET of one address, such as a healthchecks.io ping; fits ports.Heartbeat."""

    def __init__(self, url: SecretStr) -> None:
        """url: "" for none. It is a secret: with it, the alarm can be kept still."""
        self._url = url

    def beat(self) -> None:
        """Call once, following no redirect; the status alone is read.

        Never raises: a watcher that is down must not stop what it watches.
        """
        if not self._url.get_secret_value():
            return
        try:
            url = self._url.get_secret_value()
            with requests.get(url, timeout=TIMEOUT_S, allow_redirects=False, stream=True) as answer:
                status = answer.status_code
        except requests.RequestException as exc:
            logger.warning("HEARTBEAT_URL did not answer (%s)", type(exc).__name__)
            return
        if not 200 <= status < 300:
            logger.warning("HEARTBEAT_URL answered %d", status)
