"""Tells a URL of one's own, signed, so that whoever listens there knows that it was us."""

import hashlib
import hmac
import json
from collections.abc import Mapping

import requests
from pydantic import SecretStr

from shared.alerting.page import Accepted, Dead, Delivery, Later, Page
from shared.notify.call import Reply, call, origin

SIGNATURE = "X-Agentmeter-Signature"
REFUSED = (400, 413, 422)


class Webhook:
    """A URL that takes every page as JSON; fits ports.Notifier. Safe to share by threads."""

    def __init__(self, url: SecretStr, secret: SecretStr, secret_setting: str) -> None:
        """secret_setting: what to set where the secret is empty; "": nothing is signed."""
        self._url = url
        self._secret = secret
        self._secret_setting = secret_setting

    def send(self, page: Page) -> Delivery:
        """Make one attempt: any 2xx takes the page.

        A trigger that is refused (400, 413, 422) is dead; a resolve is a debt and never is. All
        else may pass or be mended, and waits.
        """
        if not self._url.get_secret_value():
            return Later("There is no address. Set WEBHOOK_URL.")
        if self._secret_setting and not self._secret.get_secret_value():
            return Later(f"There is no secret to sign with. Set {self._secret_setting}.")
        body = _body(page)
        headers = {"Idempotency-Key": page.id}
        if self._secret_setting:
            headers[SIGNATURE] = sign(body, self._secret, page)
        return deliver(self._url, body, headers, page, self._secret)


def deliver(
    url: SecretStr, body: bytes, headers: Mapping[str, str], page: Page, *secrets: SecretStr
) -> Delivery:
    """Call the URL once and tell what became of the page, without the secrets."""
    try:
        address = url.get_secret_value()
        reply = call(address, body, headers, told=origin(address))
    except requests.RequestException as exc:
        return Later(f"The webhook did not answer ({type(exc).__name__}).")
    return _read(reply, reply.said(url, *secrets), page)


def sign(body: bytes, secret: SecretStr, page: Page) -> str:
    """Return the header `t=<seconds>,v1=<hex>`: HMAC-SHA256 over `<seconds>.<body>`.

    The seconds, since 1970, are those of the attempt, so that a listener can refuse old ones.
    """
    seconds = int((page.tried_at or page.created_at).timestamp())
    signed = f"{seconds}.".encode() + body
    digest = hmac.new(secret.get_secret_value().encode(), signed, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


def _read(reply: Reply, said: str, page: Page) -> Delivery:
    if 200 <= reply.status < 300:
        return Accepted(reply.status)
    if reply.status in REFUSED and page.action != "resolve":
        return Dead(said)
    return Later(said, reply.retry_after_s)


def _body(page: Page) -> bytes:
    """Return what the listener is told."""
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
    return json.dumps(said, default=str).encode()
