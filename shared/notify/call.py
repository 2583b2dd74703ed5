"""Makes one HTTP call to a receiver: a short timeout, no redirect, no retry."""

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from time import monotonic
from urllib.parse import unquote, urlsplit

import requests
from pydantic import SecretStr
from urllib3.exceptions import HTTPError

from shared.alerting.page import Accepted, Answer, Later, Refused
from shared.invocation import posting

TIMEOUT_S = (3.05, 10.0)
"""To connect, and to wait for the answer."""
ANSWER_SHOWN = 300
ANSWER_READ_BYTES = 4_096
UTF16 = (BOM_UTF16_LE, BOM_UTF16_BE)
SHORTEST_SECRET = 8
"""Shorter parts of an address stand for nothing, and in many words."""
JSON = {"Content-Type": "application/json"}
FORM_REFUSED = (400, 413, 422)
BUSY = (408, 425, 429)


@dataclass(frozen=True, slots=True)
class Reply:
    """What the other side answers. retry_after_s: None where it asks for no wait."""

    status: int
    text: str
    retry_after_s: float | None = None

    def said(self, *secrets: SecretStr) -> str:
        """Return the answer in short, without the secrets should it hold them."""
        words = " ".join(self.text.split())
        for secret in secrets:
            for form in _forms(secret.get_secret_value()):
                words = words.replace(form, "***")
        return f"HTTP {self.status}: {words[:ANSWER_SHOWN]}"


def _forms(secret: str) -> list[str]:
    """Return the secret and, of one that is an address, what a server may repeat of it."""
    parts = urlsplit(secret)
    path = [unquote(parts.path), parts.path, *parts.path.split("/"), parts.query]
    return [secret, *(part for part in path if len(part) >= SHORTEST_SECRET)] if secret else []


def origin(url: str) -> str:
    """Return the address without what may be a secret of it: user, path and query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def call(url: str, body: bytes, headers: Mapping[str, str], shown_url: str) -> Reply:
    """POST JSON once. shown_url: what may be recorded of the URL.

    Raises:
        requests.RequestException: no answer came; its text may hold the URL.
    """
    sending = {**JSON, **headers}
    with (
        posting(shown_url) as recorded,
        requests.post(
            url, data=body, headers=sending, timeout=TIMEOUT_S, allow_redirects=False, stream=True
        ) as answer,
    ):
        recorded.answered(answer.status_code)
        return Reply(answer.status_code, _beginning(answer), _retry_after_s(answer))


def _beginning(answer: requests.Response) -> str:
    """Return how the answer's text begins: it explains a status, which counts without it.

    What is packed, endless or broken costs neither memory nor more than the time of one answer.
    """
    held, end_s = b"", monotonic() + TIMEOUT_S[1]
    try:
        while len(held) < ANSWER_READ_BYTES and monotonic() < end_s:
            part = answer.raw.read1(ANSWER_READ_BYTES - len(held), decode_content=True)
            if not part:
                break
            held += part
    except (HTTPError, OSError, HTTPException):
        pass
    text = held.decode("utf-16" if held[:2] in UTF16 else "utf-8", "replace")
    return "".join(c if c.isprintable() else " " for c in text)


def _retry_after_s(answer: requests.Response) -> float | None:
    """Return the seconds that the other side asks for, given as such or as a date."""
    asked = answer.headers.get("Retry-After", "")
    try:
        if asked.isdecimal():
            return float(asked)
        until = parsedate_to_datetime(asked) - parsedate_to_datetime(answer.headers["Date"])
    except (ValueError, TypeError, KeyError, OverflowError):
        return None
    return max(0.0, until.total_seconds())


def judge(
    reply: Reply, said: str, taken: Callable[[int], bool] = lambda status: 200 <= status < 300
) -> Answer:
    """Return what an answer means for the page. said: the answer without secrets.

    taken: which statuses accept. A refused form may be taken in a barer one; all other
    refusals are of the key or the address, which an operator can repair.
    """
    if taken(reply.status):
        return Accepted(reply.status)
    if reply.status in FORM_REFUSED:
        return Refused(said)
    if reply.status in BUSY:
        return Later(said, reply.retry_after_s, "busy")
    repair = 300 <= reply.status < 500
    return Later(said, reply.retry_after_s, "repair" if repair else "unclear")
