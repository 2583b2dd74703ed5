"""Pages through PagerDuty's Events API v2: one attempt a call, the outbox does the rest."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, cast

import requests
from pydantic import AfterValidator, BaseModel, Field, SecretStr, ValidationError

from shared.alerting.page import Accepted, Action, Dead, Delivery, Later, Page, Severity
from shared.notify.call import Reply, call

BODY_MAX_BYTES = 512_000
SUMMARY_MAX = 1024
DEDUP_KEY_MAX = 255
REFUSED = (400, 413)
DETAILS = ("source", "component", "group", "class", "custom_details")
REFUSED_WORD = "Refused by PagerDuty"
"""What the status of a page that was refused once begins with: it is sent again, plain."""


def _cut(text: str) -> str:
    """Cut a summary to what PagerDuty takes, and say so."""
    if len(text) <= SUMMARY_MAX:
        return text
    mark = " … (cut)"
    return text[: SUMMARY_MAX - len(mark)] + mark


def _short_key(key: str) -> str:
    """Return a key that PagerDuty takes: a long one becomes its own digest, still its own."""
    if len(key) <= DEDUP_KEY_MAX and key.isascii():
        return key
    return f"agentmeter/{hashlib.sha256(key.encode()).hexdigest()}"


class Link(BaseModel, frozen=True):
    """A link below an incident."""

    href: str = Field(pattern=r"^https?://")
    text: str


class Payload(BaseModel, frozen=True):
    """What is wrong."""

    summary: Annotated[str, AfterValidator(_cut)]
    source: str
    severity: Severity
    timestamp: str
    component: str | None = None
    group: str | None = None
    class_: str | None = Field(None, alias="class")
    custom_details: Mapping[str, object] | None = None


class Event(BaseModel, frozen=True):
    """A call of the API but for its routing key, which is put in at the last moment."""

    event_action: Action
    dedup_key: Annotated[str, AfterValidator(_short_key)]
    payload: Payload | None = None
    client: str | None = None
    client_url: str | None = None
    links: tuple[Link, ...] | None = None


Post = Callable[[str, bytes], Reply]
"""Sends JSON to a URL, once. It raises requests.RequestException where nobody answers."""


def post(url: str, body: bytes) -> Reply:
    """Make the call over HTTP; a Post."""
    return call(url, body, {}, told=url)


class PagerDuty:
    """One integration of a PagerDuty service; fits ports.Notifier. Safe to share by threads."""

    def __init__(self, url: str, key: SecretStr, key_setting: str, post: Post = post) -> None:
        """url: the API's base. key_setting: what to set where the key is empty."""
        self._base = url
        self._url = f"{url}/v2/enqueue"
        self._key = key
        self._key_setting = key_setting
        self._post = post

    def send(self, page: Page) -> Delivery:
        """Make one attempt.

        A trigger that is refused goes out once more without its details, and is dead if that
        is refused too. A resolve is a debt and never dead, and what an operator can mend (a key,
        an address) waits for it.
        """
        if not self._key.get_secret_value():
            return Later(f"There is no routing key. Set {self._key_setting}.")
        if page.action == "change":
            return self._tell(page)
        try:
            body = encode(page, plain=page.last_status.startswith(REFUSED_WORD))
        except ValidationError as exc:
            return Dead(f"The page is no event of PagerDuty's: {exc.error_count()} faults.")
        try:
            reply = self._post(self._url, self._with_key(body))
        except requests.RequestException as exc:
            return Later(f"PagerDuty did not answer ({type(exc).__name__}).")
        return self._read(page, reply)

    def _tell(self, page: Page) -> Delivery:
        """Tell of a change; one that is refused is not told."""
        try:
            reply = self._post(
                f"{self._base}/v2/change/enqueue", self._with_key(encode_change(page))
            )
        except requests.RequestException as exc:
            return Later(f"PagerDuty did not answer ({type(exc).__name__}).")
        said = reply.said(self._key)
        if reply.status in REFUSED:
            return Dead(f"{said} A change event wants the key of a service, not of a ruleset.")
        return Accepted(202) if reply.status == 202 else Later(said, reply.retry_after_s)

    def _with_key(self, body: str) -> bytes:
        """Put the routing key into the event's JSON object."""
        key = json.dumps(self._key.get_secret_value())
        return f'{{"routing_key":{key},{body[1:]}'.encode()

    def _read(self, page: Page, reply: Reply) -> Delivery:
        """Tell from the answer whether PagerDuty has the page, will take it later, or never."""
        if reply.status == 202:
            return Accepted(202)
        said = reply.said(self._key)
        if reply.status not in REFUSED:
            return Later(said, reply.retry_after_s)
        if page.action == "resolve":
            return Later(f"{REFUSED_WORD}: {said}")
        if page.last_status.startswith(REFUSED_WORD):
            return Dead(f"{REFUSED_WORD}, even without details: {said}")
        return Later(f"{REFUSED_WORD}: {said}", retry_after_s=0)


def encode(page: Page, *, plain: bool = False) -> str:
    """Return the event as JSON but for the routing key, within PagerDuty's limits.

    plain: leave out all that PagerDuty can do without. Of details that are too long, the longest
    are left out, which the event says.
    Raises:
        ValidationError: a link or source that PagerDuty would refuse.
    """
    body: Mapping[str, object] = {} if plain else page.body
    details = dict(cast("Mapping[str, object]", body.get("custom_details") or {}))
    left_out: list[str] = []
    while True:
        said = {"left_out": f"{', '.join(left_out)}: PagerDuty takes 512 KB"} if left_out else {}
        text = _event(page, {**body, "custom_details": {**details, **said}})
        if len(text.encode()) <= BODY_MAX_BYTES:
            return text
        if not details:
            return _event(page, {})
        longest = max(details, key=lambda name: len(str(details[name])))
        left_out.append(longest)
        del details[longest]


def encode_change(page: Page) -> str:
    """Return a change event as JSON but for the routing key."""
    link = str(page.body.get("link") or "")
    payload = {
        "summary": _cut(page.summary),
        "source": page.body.get("source"),
        "timestamp": page.created_at.isoformat(),
        "custom_details": {"reason": page.reason},
    }
    links = [{"href": link, "text": "agentmeter"}] if link.startswith("http") else []
    return json.dumps({"payload": payload, "links": links})


def _event(page: Page, body: Mapping[str, object]) -> str:
    """Write the event that a page's body says."""
    link = body.get("link") or None
    payload = {
        "source": "agentmeter",
        **{name: body[name] for name in DETAILS if body.get(name)},
        "summary": page.summary,
        "severity": page.severity,
        "timestamp": page.created_at.isoformat(),
    }
    event = {
        "event_action": page.action,
        "dedup_key": page.dedup_key,
        "payload": payload,
        "client": "agentmeter",
        "client_url": link,
        "links": _links(link, body),
    }
    return Event.model_validate(event).model_dump_json(by_alias=True, exclude_none=True)


def _links(page: object, body: Mapping[str, object]) -> list[Mapping[str, object]]:
    """Return the links that have an address; a runbook in the repository has none."""
    made = cast("Sequence[Mapping[str, object]]", body.get("links") or ())
    runbook = {"text": "Runbook", "href": body.get("runbook")}
    wanted = [{"text": "agentmeter", "href": page}, *(made or [runbook])]
    return [dict(link) for link in wanted if str(link["href"]).startswith("http")]
