"""Sends pages to a URL of your own, signed, so that the receiver can verify the sender."""

import hashlib
import hmac
from collections.abc import Mapping

import requests
from pydantic import SecretStr

from shared.alerting.page import Answer, Later, Page
from shared.notify.call import call, judge, origin
from shared.notify.wire import as_json

SIGNATURE = "X-Agentmeter-Signature"


class Webhook:
    """A URL that takes every page as JSON; fits ladder.Receiving. Safe to share by threads."""

    def __init__(
        self, url: SecretStr, url_setting: str, secret: SecretStr, secret_setting: str
    ) -> None:
        """url_setting, secret_setting: what to set where they are empty.

        secret_setting: "" signs nothing.
        """
        self._url = url
        self._url_setting = url_setting
        self._secret = secret
        self._secret_setting = secret_setting

    def send(self, page: Page) -> Answer:
        """Make one attempt: any 2xx takes the page; 400, 413 and 422 refuse this form of it."""
        if not self._url.get_secret_value():
            return Later(f"There is no address. Set {self._url_setting}.", cause="repair")
        if self._secret_setting and not self._secret.get_secret_value():
            why = f"There is no secret to sign with. Set {self._secret_setting}."
            return Later(why, cause="repair")
        body = _body(page)
        headers = {"Idempotency-Key": page.id}
        if self._secret_setting:
            headers[SIGNATURE] = sign(body, self._secret, page)
        return deliver(self._url, body, headers, self._secret)


def deliver(url: SecretStr, body: bytes, headers: Mapping[str, str], *secrets: SecretStr) -> Answer:
    """Call the URL once and return the outcome, without the secrets."""
    try:
        address = url.get_secret_value()
        reply = call(address, body, headers, shown_url=origin(address))
    except requests.RequestException as exc:
        return Later(f"The webhook did not answer ({type(exc).__name__}).")
    return judge(reply, reply.said(url, *secrets))


def sign(body: bytes, secret: SecretStr, page: Page) -> str:
    """Return the header `t=<seconds>,v1=<hex>`: HMAC-SHA256 over `<seconds>.<body>`.

    The seconds, since 1970, are those of the attempt, so that a listener can refuse old ones.
    """
    seconds = int((page.tried_at or page.created_at).timestamp())
    signed = f"{seconds}.".encode() + body
    digest = hmac.new(secret.get_secret_value().encode(), signed, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


def _body(page: Page) -> bytes:
    """Return the JSON that the listener gets."""
    said = {
        "id": page.id,
        "action": page.action,
        "rule": page.rule,
        "severity": page.severity,
        "summary": page.summary,
        "dedup_key": page.dedup_key,
        "receiver": page.route,
        "reason": page.reason,
        "decided_at": page.created_at.isoformat(),
        **page.body,
    }
    return as_json(said)
