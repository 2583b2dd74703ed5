"""Pages through PagerDuty's Events API v2: one attempt a call, the outbox does the rest."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import cast

import requests
from pydantic import SecretStr

from shared.alerting.page import Answer, Later, Page, Refused
from shared.notify.call import Reply, call, judge
from shared.notify.wire import as_json, is_link, title

BODY_MAX_BYTES = 512_000
KEY_MAX_BYTES = 100
SUMMARY_MAX = 1024
DEDUP_KEY_MAX = 255
TEXTS = ("source", "component", "group", "class")

Post = Callable[[str, bytes], Reply]
"""Sends JSON to a URL, once. It raises requests.RequestException where no answer comes."""


def post(url: str, body: bytes) -> Reply:
    """Make the call over HTTP; a Post."""
    return call(url, body, {}, shown_url=url)


class PagerDuty:
    """One integration of a PagerDuty service; fits ladder.Receiving. Safe to share by threads."""

    def __init__(self, url: str, key: SecretStr, key_setting: str, post: Post = post) -> None:
        """url: the API's base. key_setting: what to set where the key is empty."""
        self._url = url
        self._key = SecretStr(key.get_secret_value().strip())
        self._key_setting = key_setting
        self._post = post

    def send(self, page: Page) -> Answer:
        """Make one attempt; 400 and 413 refuse this form of the page."""
        if not self._key.get_secret_value():
            return Later(f"There is no routing key. Set {self._key_setting}.", cause="repair")
        path = "/v2/change/enqueue" if page.action == "change" else "/v2/enqueue"
        event = encode_change(page) if page.action == "change" else encode(page)
        try:
            body = as_json({"routing_key": self._key.get_secret_value(), **event})
            reply = self._post(f"{self._url}{path}", body)
        except requests.RequestException as exc:
            return Later(f"PagerDuty did not answer ({type(exc).__name__}).")
        answer = judge(reply, reply.said(self._key), taken=lambda status: status == 202)
        if page.action == "change" and isinstance(answer, Refused):
            why = f"{answer.why} A change event wants the key of a service, not of a ruleset."
            return Refused(why)
        return answer


def encode(page: Page) -> Mapping[str, object]:
    """Return the event but for the routing key, within PagerDuty's limits.

    Of details that are too long, the longest are left out, which the event says.
    """
    details = dict(cast("Mapping[str, object]", page.body.get("custom_details") or {}))
    left_out: list[str] = []
    while True:
        said = {"left_out": f"{', '.join(left_out)}: PagerDuty takes 512 KB"} if left_out else {}
        event = _event(page, {**page.body, "custom_details": {**details, **said}})
        if len(as_json(event)) <= BODY_MAX_BYTES - KEY_MAX_BYTES:
            return event
        if not details:
            return _event(page, {})
        longest = max(details, key=lambda name: len(str(details[name])))
        left_out.append(longest)
        del details[longest]


def encode_change(page: Page) -> Mapping[str, object]:
    """Return a change event but for the routing key."""
    payload = {
        "summary": title(page, SUMMARY_MAX),
        "source": page.body.get("source"),
        "timestamp": page.created_at.isoformat(),
        "custom_details": {"reason": page.reason},
    }
    link = page.body.get("link")
    links = [{"href": link, "text": "agentmeter"}] if is_link(link) else []
    return {"payload": payload, "links": links}


def _event(page: Page, body: Mapping[str, object]) -> Mapping[str, object]:
    """Return the event that a page's body says; what PagerDuty would refuse is left out."""
    payload: dict[str, object] = {
        "source": "agentmeter",
        **{name: str(body[name]) for name in TEXTS if body.get(name)},
        "summary": title(page, SUMMARY_MAX),
        "severity": page.severity,
        "timestamp": page.created_at.isoformat(),
    }
    if body.get("custom_details"):
        payload["custom_details"] = body["custom_details"]
    link = body.get("link")
    return {
        "event_action": page.action,
        "dedup_key": _short_key(page.dedup_key),
        "payload": payload,
        "client": "agentmeter",
        **({"client_url": link} if is_link(link) else {}),
        "links": _links(link, body),
    }


def _short_key(key: str) -> str:
    """Return a key that PagerDuty takes: a long one becomes its own digest, still its own."""
    if len(key) <= DEDUP_KEY_MAX and key.isascii():
        return key
    return f"agentmeter/{hashlib.sha256(key.encode('utf-8', 'replace')).hexdigest()}"


def _links(page: object, body: Mapping[str, object]) -> list[Mapping[str, object]]:
    """Return the links that have an address; a runbook in the repository has none."""
    made = cast("Sequence[Mapping[str, object]]", body.get("links") or ())
    runbook = {"text": "Runbook", "href": body.get("runbook")}
    wanted = [{"text": "agentmeter", "href": page}, *(made or [runbook])]
    return [dict(link) for link in wanted if is_link(link["href"])]
