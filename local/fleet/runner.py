"""A simulated fleet of agents, which reports over the public API like any other."""

import logging
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import blake2b

import requests

from local.fleet.developers import sessions
from local.fleet.incidents import HISTORY, troubles
from local.fleet.llm import calls
from local.fleet.scene import Scene, look
from local.fleet.work import work
from shared.clock import Clock

SECOND = timedelta(seconds=1)
CATCH_UP = timedelta(minutes=2)
"""After a longer silence of the API the fleet leaves a gap: no one misses simulated events."""
MOST_EVENTS = 500
TIMEOUT_S = (3, 30)
log = logging.getLogger("agentmeter.fleet")


class Fleet:
    """What a fleet does, as a function of the seed and the time: the same at every run.

    started_at: where the timetable of incidents begins. incidents: False is a healthy day.
    """

    def __init__(self, seed: int, started_at: datetime, *, incidents: bool = True) -> None:
        self._seed = seed
        self._started_at = started_at
        self._incidents = incidents

    def events_between(self, start: datetime, end: datetime) -> list[dict[str, object]]:
        """Return the events with start <= time < end as the API takes them, oldest first."""
        first = start.replace(microsecond=0)
        seconds = -((first - end) // SECOND)
        events = (event for n in range(seconds) for event in self._second(first + n * SECOND))
        return [event for at, event in events if start <= at < end]

    def _second(self, begin: datetime) -> list[tuple[datetime, dict[str, object]]]:
        """Return all events of a second with their times."""
        wrong = troubles(self._started_at, begin) if self._incidents else {}
        scene = look(self._seed, begin, wrong)
        drafts = list(_drafts(scene))
        times = sorted(begin + scene.rng.randrange(1000) * SECOND / 1000 for _ in drafts)
        return [
            (at, self._event(f"{begin:%Y%m%dT%H%M%S}-{number}", at, kind, data))
            for number, (at, (kind, data)) in enumerate(zip(times, drafts, strict=True))
        ]

    def _event(
        self, place: str, at: datetime, kind: str, data: dict[str, object]
    ) -> dict[str, object]:
        """Return a CloudEvent; its id says the seed and its place in time."""
        id_ = f"{self._seed}-{place}"
        return {
            "specversion": "1.0",
            "id": id_,
            "source": f"fleet/{data.get('team_id', 'platform')}",
            "type": kind,
            "time": at.isoformat(timespec="milliseconds"),
            **_trace(id_, f"{at:%Y%m%dT%H%M}", data),
            "data": data | {"environment": "demo"},
        }


def _trace(id_: str, minute: str, data: dict[str, object]) -> dict[str, object]:
    """Return the traceparent of an event of an agent: what it does in a minute is one trace."""
    if "agent_id" not in data:
        return {}
    trace = blake2b(f"{data['agent_id']}/{minute}".encode(), digest_size=16).hexdigest()
    span = blake2b(id_.encode(), digest_size=8).hexdigest()
    return {"traceparent": f"00-{trace}-{span}-01"}


def _drafts(scene: Scene) -> Iterator[tuple[str, dict[str, object]]]:
    yield from work(scene)
    for call in calls(scene):
        yield "llm.call", call
    yield from sessions(scene)


class FleetRunner:
    """Posts what the fleet does, every other second, until stopped."""

    def __init__(
        self, app_url: str, key: str, clock: Clock, seed: int = 1, *, beat_s: float = 2.0
    ) -> None:
        """Make the fleet; nothing is posted before start().

        app_url: where the API is. key: a function key of it. beat_s: seconds between two posts.
        """
        self._url = f"{app_url}/api/events"
        self._key = key
        self._clock = clock
        self._seed = seed
        self._beat_s = beat_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fleet", daemon=True)

    def start(self) -> None:
        """Begin; the first incident begins with it."""
        self._thread.start()

    def stop(self) -> None:
        """Stop posting; returns when the last post has ended."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        """Post what happened since the last post that was taken; a repeat has the same ids."""
        posted_until = started_at = self._clock.now() - HISTORY
        fleet = Fleet(self._seed, started_at)
        with requests.Session() as session:
            session.trust_env = False
            session.headers["x-functions-key"] = self._key
            while not self._stopped.wait(self._beat_s):
                now = self._clock.now()
                events = fleet.events_between(max(posted_until, now - CATCH_UP), now)
                if self._post(session, events):
                    posted_until = now

    def _post(self, session: requests.Session, events: list[dict[str, object]]) -> bool:
        """Post the events; False when a part of them should be posted again."""
        for begin in range(0, len(events), MOST_EVENTS):
            batch = events[begin : begin + MOST_EVENTS]
            try:
                answer = session.post(self._url, json=batch, timeout=TIMEOUT_S)
            except requests.RequestException:
                return False
            if answer.status_code == 429 or answer.status_code >= 500:
                return False
            if answer.status_code != 202:
                log.warning("The API answers the fleet: %s", answer.text[:500])
        return True
