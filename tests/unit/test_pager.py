"""The PagerDuty sink over real HTTP: its rules, incidents, limits, faults and memory."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
from starlette.types import Receive, Scope, Send

from local.server import serve
from standin.pager.sink import Effect, Incident, PagerSink, create_app
from tests.fakes import FakeClock

KEY = "0123456789abcdef0123456789abWXYZ"
OTHER_KEY = "f" * 32
PAYLOAD: Mapping[str, object] = {"summary": "It burns", "source": "here", "severity": "critical"}


class Pager:
    """A served sink, and what its hook was told."""

    url: str

    def begin(self, sink: PagerSink, clock: FakeClock) -> None:
        """Serve another sink from now on."""
        self.sink = sink
        self.clock = clock
        self.changes: list[tuple[Effect, str]] = []
        sink.on_change = self._hear
        self._app = create_app(sink)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    def _hear(self, effect: Effect, incident: Incident) -> None:
        self.changes.append((effect, incident.dedup_key))

    def post(self, path: str = "/v2/enqueue", /, **fields: object) -> requests.Response:
        body = {"routing_key": KEY, "event_action": "trigger", "payload": PAYLOAD} | fields
        body = {name: value for name, value in body.items() if value is not None}
        return requests.post(self.url + path, json=body, timeout=5)

    def get(self, path: str) -> Any:
        return requests.get(self.url + path, timeout=5).json()


@pytest.fixture(scope="module")
def served() -> Iterator[Pager]:
    pager = Pager()
    server = serve(pager)
    pager.url = server.url
    yield pager
    server.stop()


@pytest.fixture
def pager(served: Pager) -> Iterator[Pager]:
    clock = FakeClock()
    sink = PagerSink(None, clock)
    served.begin(sink, clock)
    yield served
    sink.close()


def test_a_trigger_is_accepted_in_pagerdutys_words(pager: Pager) -> None:
    answer = pager.post(dedup_key="db")
    assert answer.status_code == 202
    assert answer.json() == {
        "status": "success",
        "message": "Event processed",
        "dedup_key": "db",
    }


def test_a_trigger_without_a_dedup_key_gets_one(pager: Pager) -> None:
    first, second = (pager.post().json()["dedup_key"] for _ in range(2))
    assert first != second
    assert len(pager.get("/incidents")) == 2


def payload(**changes: object) -> dict[str, object]:
    return {"payload": {**PAYLOAD, **changes}}


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"routing_key": None}, "'routing_key' is missing or blank"),
        (
            {"routing_key": "short"},
            "Length of 'routing_key' is incorrect (should be 32 characters)",
        ),
        (
            {"routing_key": "-" * 32},
            "'routing_key' cannot contain non-alphanumeric characters.",
        ),
        (
            {"event_action": "Trigger"},
            "'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' "
            "or 'resolve')",
        ),
        (
            {"dedup_key": "x" * 256},
            "Length of 'dedup_key' is incorrect (should be at most 255 characters)",
        ),
        ({"dedup_key": 5}, "'dedup_key' is not a string"),
        ({"event_action": "resolve"}, "'dedup_key' is missing or blank"),
        ({"event_action": "acknowledge"}, "'dedup_key' is missing or blank"),
        ({"payload": None}, "'payload' is missing or blank"),
        (payload(summary=" "), "'payload.summary' is missing or blank"),
        (
            payload(summary="x" * 1025),
            "Length of 'payload.summary' is incorrect (should be at most 1024 characters)",
        ),
        (payload(source=None), "'payload.source' is missing or blank"),
        (
            payload(severity="Critical"),
            "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', "
            "'error' or 'info')",
        ),
        (payload(custom_details=["x"]), "'payload.custom_details' is not an object"),
    ],
)
def test_an_event_against_the_rules_is_refused_with_the_rule(
    pager: Pager, fields: dict[str, object], error: str
) -> None:
    answer = pager.post(**fields)
    assert answer.status_code == 400
    assert answer.json() == {
        "status": "invalid event",
        "message": "Event object is invalid",
        "errors": [error],
    }
    assert pager.get("/incidents") == []
    assert [event["status"] for event in pager.get("/events")] == [400]


def test_an_event_over_512_kb_is_refused(pager: Pager) -> None:
    answer = pager.post(**payload(custom_details={"x": "y" * 512_000}))
    assert answer.status_code == 400
    assert "the limit is 512 KB" in answer.json()["errors"][0]


def test_the_longest_summary_and_dedup_key_are_accepted(pager: Pager) -> None:
    assert pager.post(dedup_key="x" * 255, **payload(summary="ü" * 1024)).status_code == 202


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"a": "\\ud800"}', b"\xff"])
def test_what_is_no_json_object_is_refused(pager: Pager, body: bytes) -> None:
    answer = requests.post(pager.url + "/v2/enqueue", data=body, timeout=5)
    assert (answer.status_code, answer.json()["status"]) == (400, "invalid event")


def test_an_incident_opens_once_resolves_once_and_a_later_trigger_is_a_new_one(
    pager: Pager,
) -> None:
    opened_at = pager.clock.now()
    for _ in range(2):
        pager.post(dedup_key="db")
    pager.post(dedup_key="db", event_action="acknowledge", payload=None)
    resolved_at = pager.clock.advance(minutes=5)
    for _ in range(2):
        pager.post(dedup_key="db", event_action="resolve", payload=None)
    pager.post(dedup_key="db", **payload(severity="info"))
    first, second = pager.get("/incidents")
    assert first == {
        "dedup_key": "db",
        "routing_key": "****WXYZ",
        "severity": "critical",
        "summary": "It burns",
        "opened_at": opened_at.isoformat(),
        "acknowledged_at": opened_at.isoformat(),
        "resolved_at": resolved_at.isoformat(),
        "triggers": 2,
    }
    assert (second["severity"], second["resolved_at"], second["triggers"]) == ("info", None, 1)
    assert pager.changes == [
        ("opened", "db"),
        ("acknowledged", "db"),
        ("resolved", "db"),
        ("opened", "db"),
    ]
    effects = [event["effect"] for event in pager.get("/events")]
    assert effects == ["opened", "repeated", "acknowledged", "resolved", "dropped", "opened"]


def test_a_resolve_of_an_unknown_key_is_accepted_and_dropped(pager: Pager) -> None:
    assert pager.post(dedup_key="none", event_action="resolve", payload=None).status_code == 202
    assert pager.get("/incidents") == []


def test_a_resolve_through_another_routing_key_is_dropped(pager: Pager) -> None:
    pager.post(dedup_key="db")
    answer = pager.post(dedup_key="db", event_action="resolve", payload=None, routing_key=OTHER_KEY)
    assert answer.status_code == 202
    assert [incident["resolved_at"] for incident in pager.get("/incidents")] == [None]


def test_a_routing_key_has_120_calls_a_minute(pager: Pager) -> None:
    answers = [pager.sink.receive("event", raw_trigger(KEY)).status for _ in range(121)]
    assert answers == [202] * 120 + [429]
    refused = pager.post(dedup_key="db")
    assert (refused.status_code, refused.json()["status"]) == (429, "throttle exceeded")
    assert pager.post(routing_key=OTHER_KEY).status_code == 202
    pager.clock.advance(minutes=1)
    assert pager.post(dedup_key="db").status_code == 202


def raw_trigger(key: str) -> bytes:
    return (
        b'{"routing_key": "%s", "event_action": "trigger", "dedup_key": "db", "payload": '
        b'{"summary": "s", "source": "s", "severity": "info"}}' % key.encode()
    )


def test_a_change_event_is_kept_and_pages_no_one(pager: Pager) -> None:
    change = {"event_action": None, "payload": {"summary": "Prices of May"}}
    answer = pager.post("/v2/change/enqueue", **change)
    assert answer.status_code == 202
    assert answer.json() == {"status": "success", "message": "Change event processed"}
    assert pager.get("/incidents") == []
    (event,) = pager.get("/events")
    assert (event["kind"], event["payload"]["payload"]["summary"]) == ("change", "Prices of May")
    assert pager.post("/v2/change/enqueue", payload={}).status_code == 400
    ruleset = pager.post("/v2/change/enqueue", **change, routing_key="R" + "0" * 31)
    assert ruleset.status_code == 400


def test_a_fault_fails_so_many_calls_and_says_when_to_come_again(pager: Pager) -> None:
    fault = {"status": 503, "times": 2, "retry_after": 2}
    assert requests.post(pager.url + "/faults", json=fault, timeout=5).status_code == 204
    answers = [pager.post(dedup_key="db") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 202]
    assert [answer.headers.get("retry-after") for answer in answers] == ["2", "2", None]
    assert [event["status"] for event in pager.get("/events")] == [503, 503, 202]
    assert [incident["triggers"] for incident in pager.get("/incidents")] == [1]
    wrong = requests.post(pager.url + "/faults", json={"status": 200}, timeout=5)
    assert wrong.status_code == 400


def test_a_routing_key_is_nowhere_in_what_is_shown_or_stored(tmp_path: Path, pager: Pager) -> None:
    file = tmp_path / "pager.db"
    sink = PagerSink(file, pager.clock)
    details = {"custom_details": {"oops": f"key={KEY}"}}
    body = raw_trigger(KEY).replace(b'"severity"', b'"custom_details": {"%s": 1}, "severity"')
    assert sink.receive("event", body % KEY.encode()).status == 202
    wrong = body.replace(b"trigger", b"tigger") % KEY.encode()
    assert sink.receive("event", wrong).status == 400
    sink.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"****WXYZ" in stored
    assert KEY.encode() not in stored
    assert pager.post(dedup_key="db", **payload(**details)).status_code == 202
    shown = requests.get(pager.url + "/events", timeout=5).text
    assert "****WXYZ" in shown
    assert KEY not in shown


def test_incidents_and_events_survive_a_restart(tmp_path: Path) -> None:
    clock = FakeClock()
    before = PagerSink(tmp_path / "pager.db", clock)
    before.receive("event", raw_trigger(KEY))
    before.close()
    after = PagerSink(tmp_path / "pager.db", clock)
    after.receive("event", raw_trigger(KEY))
    assert [incident.triggers for incident in after.incidents()] == [2]
    assert len(after.events()) == 2
    after.close()
