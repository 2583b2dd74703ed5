"""Stands in for PagerDuty: takes Events API v2, opens and resolves incidents, shows them all."""

import hashlib
import json
import threading
import uuid
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared.clock import Clock
from standin.functions_host.database import Database
from standin.pager.rules import Kind, problems

PER_MINUTE = 120
SHORTEST_KEY = 16
SCHEMA = """
CREATE TABLE IF NOT EXISTS received (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, received_at TEXT NOT NULL, kind TEXT NOT NULL,
    status INTEGER NOT NULL, effect TEXT NOT NULL, routing_key TEXT NOT NULL, payload TEXT);
CREATE TABLE IF NOT EXISTS incidents (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, service TEXT NOT NULL, dedup_key TEXT NOT NULL,
    routing_key TEXT NOT NULL, severity TEXT NOT NULL, summary TEXT NOT NULL,
    opened_at TEXT NOT NULL, acknowledged_at TEXT, resolved_at TEXT, triggers INTEGER NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS incidents_open
    ON incidents (service, dedup_key) WHERE resolved_at IS NULL;
"""

Effect = Literal["opened", "repeated", "acknowledged", "resolved", "dropped", "change", "refused"]


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident. routing_key: its last four characters. triggers: how many it got."""

    dedup_key: str
    routing_key: str
    severity: str
    summary: str
    opened_at: datetime
    acknowledged_at: datetime | None
    resolved_at: datetime | None
    triggers: int


OnChange = Callable[[Effect, Incident], None]


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to the sender."""

    status: int
    body: Mapping[str, object]
    retry_after_s: int | None = None


class Fault(BaseModel, frozen=True, extra="forbid"):
    """Answer the next `times` calls with that status instead of taking them."""

    status: int = Field(ge=400, le=599)
    times: int = Field(1, ge=0)
    retry_after: Annotated[int, Field(ge=0)] | None = None


class PagerSink:
    """All that was received, and the incidents that came of it, kept over restarts.

    on_change: called with "opened", "acknowledged" or "resolved" and the incident.
    A routing key is never kept: only its last four characters and a fingerprint.
    """

    def __init__(self, path: Path | None, clock: Clock, on_change: OnChange | None = None) -> None:
        """Keep everything in that file; None: in memory."""
        self._db = Database(path, SCHEMA)
        self._clock = clock
        self.on_change = on_change
        self._fault = Fault(status=500, times=0)
        self._calls: defaultdict[str, deque[datetime]] = defaultdict(deque)
        self._lock = threading.Lock()

    def receive(self, kind: Kind, raw: bytes) -> Answer:
        """Take the body of a call to /v2/enqueue (event) or /v2/change/enqueue (change)."""
        body, wrong = problems(kind, raw)
        with self._lock, self._db.transaction():
            answer, effect, change = self._take(kind, body, wrong)
            self._note(kind, body, answer.status, effect)
        if change and self.on_change:
            self.on_change(effect, change)
        return answer

    def fail(self, fault: Fault) -> None:
        """Let the next calls fail; times=0 ends that."""
        self._fault = fault

    def events(self) -> list[dict[str, object]]:
        """Return every call received, oldest first, as JSON values."""
        names = ("received_at", "kind", "status", "effect", "routing_key")
        rows = self._db.run(
            "SELECT received_at, kind, status, effect, routing_key, payload "
            "FROM received ORDER BY seq"
        )
        return [
            dict(zip(names, row, strict=False)) | {"payload": json.loads(row[5])} for row in rows
        ]

    def incidents(self) -> list[Incident]:
        """Return every incident, oldest first."""
        return [_incident(row) for row in self._db.run("SELECT * FROM incidents ORDER BY seq")]

    def purge_before(self, moment: datetime) -> int:
        """Remove calls and resolved incidents that are older; return how many."""
        at = moment.isoformat()
        with self._db.transaction():
            calls = self._db.run("DELETE FROM received WHERE received_at < ? RETURNING seq", at)
            over = "DELETE FROM incidents WHERE resolved_at < ? RETURNING seq"
            return len(calls) + len(self._db.run(over, at))

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _take(
        self, kind: Kind, body: Mapping[str, Any], wrong: list[str]
    ) -> tuple[Answer, Effect, Incident | None]:
        if self._fault.times:
            return self._failing(), "refused", None
        if wrong:
            refusal = {"message": "Event object is invalid", "errors": wrong}
            return Answer(400, {"status": "invalid event", **refusal}), "refused", None
        if self._too_fast(body["routing_key"]):
            message = "Requests for this service are arriving too quickly. Please retry later."
            return _throttled(message), "refused", None
        if kind == "change":
            accepted = {"status": "success", "message": "Change event processed"}
            return Answer(202, accepted), "change", None
        dedup_key = body.get("dedup_key") or uuid.uuid4().hex
        effect, incident = self._apply(body, dedup_key)
        accepted = {"status": "success", "message": "Event processed", "dedup_key": dedup_key}
        return Answer(202, accepted), effect, incident

    def _failing(self) -> Answer:
        fault = self._fault
        self._fault = fault.model_copy(update={"times": fault.times - 1})
        body = {"status": "error", "message": "A fault that was asked for"}
        return Answer(fault.status, body, fault.retry_after)

    def _too_fast(self, routing_key: str) -> bool:
        """Return whether the key had its 120 calls of the last minute; if not, count this one."""
        now, calls = self._clock.now(), self._calls[_service(routing_key)]
        while calls and now - calls[0] >= timedelta(minutes=1):
            calls.popleft()
        if len(calls) >= PER_MINUTE:
            return True
        calls.append(now)
        return False

    def _apply(self, body: Mapping[str, Any], dedup_key: str) -> tuple[Effect, Incident | None]:
        """Do what the event says to the open incident of that service and key, if there is one."""
        now = self._clock.now().isoformat()
        where = (_service(body["routing_key"]), dedup_key)
        open_ones = "WHERE service = ? AND dedup_key = ? AND resolved_at IS NULL RETURNING *"
        match body["event_action"]:
            case "trigger":
                return self._trigger(body, where, now)
            case "acknowledge":
                sql, effect = "UPDATE incidents SET acknowledged_at = ? ", "acknowledged"
            case _:
                sql, effect = "UPDATE incidents SET resolved_at = ? ", "resolved"
        rows = self._db.run(sql + open_ones, now, *where)
        return (effect, _incident(rows[0])) if rows else ("dropped", None)

    def _trigger(
        self, body: Mapping[str, Any], where: tuple[str, str], now: str
    ) -> tuple[Effect, Incident | None]:
        payload = body["payload"]
        rows = self._db.run(
            "INSERT INTO incidents VALUES (NULL, ?, ?, ?, ?, ?, ?, NULL, NULL, 1) "
            "ON CONFLICT (service, dedup_key) WHERE resolved_at IS NULL "
            "DO UPDATE SET triggers = triggers + 1 RETURNING *",
            *(*where, masked(body["routing_key"]), payload["severity"], payload["summary"], now),
        )
        incident = _incident(rows[0])
        return ("opened", incident) if incident.triggers == 1 else ("repeated", None)

    def _note(self, kind: Kind, body: Mapping[str, Any], status: int, effect: Effect) -> None:
        """Write down the call, with the routing key cut to its end wherever it stands."""
        key = str(body.get("routing_key") or "")
        text = json.dumps(dict(body) | {"routing_key": masked(key)}) if body else "null"
        if len(key) >= SHORTEST_KEY:
            text = text.replace(json.dumps(key)[1:-1], masked(key))
        self._db.run(
            "INSERT INTO received VALUES (NULL, ?, ?, ?, ?, ?, ?)",
            *(self._clock.now().isoformat(), kind, status, effect, masked(key), text),
        )


def create_app(sink: PagerSink) -> Starlette:
    """Return the HTTP side: the API, GET /events, GET /changes, GET /incidents, POST /faults."""

    async def enqueue(request: Request) -> Response:
        kind: Kind = "change" if "change" in request.url.path else "event"
        answer = await run_in_threadpool(sink.receive, kind, await request.body())
        wait = answer.retry_after_s
        headers = {} if wait is None else {"retry-after": str(wait)}
        return JSONResponse(answer.body, answer.status, headers)

    async def faults(request: Request) -> Response:
        try:
            sink.fail(Fault.model_validate_json(await request.body()))
        except ValidationError as exc:
            return JSONResponse({"error": exc.errors(include_url=False)}, 400)
        return Response(status_code=204)

    def events(_: Request) -> Response:
        return JSONResponse(sink.events())

    def changes(_: Request) -> Response:
        return JSONResponse([one for one in sink.events() if one["effect"] == "change"])

    def incidents(_: Request) -> Response:
        return JSONResponse([_shown(incident) for incident in sink.incidents()])

    return Starlette(
        routes=[
            Route("/v2/enqueue", enqueue, methods=["POST"]),
            Route("/v2/change/enqueue", enqueue, methods=["POST"]),
            Route("/events", events, methods=["GET"]),
            Route("/changes", changes, methods=["GET"]),
            Route("/incidents", incidents, methods=["GET"]),
            Route("/faults", faults, methods=["POST"]),
        ]
    )


def masked(routing_key: str) -> str:
    """Return the key's last four characters behind stars; of a short one, stars alone."""
    return "****" + (routing_key[-4:] if len(routing_key) >= SHORTEST_KEY else "")


def _service(routing_key: str) -> str:
    """Return what distinguishes services without being their key."""
    return hashlib.sha256(routing_key.encode()).hexdigest()[:16]


def _throttled(message: str) -> Answer:
    return Answer(429, {"status": "throttle exceeded", "message": message})


def _incident(row: tuple[Any, ...]) -> Incident:
    _, _, dedup_key, routing_key, severity, summary, opened, *later, triggers = row
    acknowledged_at, resolved_at = (datetime.fromisoformat(at) if at else None for at in later)
    return Incident(
        *(dedup_key, routing_key, severity, summary, datetime.fromisoformat(opened)),
        acknowledged_at=acknowledged_at,
        resolved_at=resolved_at,
        triggers=triggers,
    )


def _shown(incident: Incident) -> dict[str, object]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in asdict(incident).items()
    }
