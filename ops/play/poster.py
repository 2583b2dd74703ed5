"""Posts events to the API until it has them, however often it must be asked."""

import gzip
import json
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from queue import Empty, LifoQueue
from typing import cast
from urllib.parse import urlsplit

import requests

from ops.console.stack import Api
from shared.clock import Clock
from shared.errors import GiveUp, Misconfigured, RetryLater

TIMEOUT_S = (5, 60)
FIRST_WAIT_S, LONGEST_WAIT_S = 0.25, 10.0
LOG_EVERY = timedelta(seconds=10)
BUSY = frozenset({408, 429, 500, 502, 503, 504})
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

Event = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that the API will not take."""

    id: str
    error: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a batch."""

    accepted: int
    refused: tuple[Refused, ...] = ()


@dataclass(frozen=True, slots=True)
class _NotNow:
    """The API has not taken the batch, or we do not know whether; the same may be sent again."""

    why: str
    retry_after_s: float = 0.0


class Poster:
    """Posts batches, from several threads at once if need be.

    A batch that the API did not take is sent again, the same events, for `patience_s`. An API that
    never answered at all is not waited for.
    """

    def __init__(
        self, api: Api, clock: Clock, patience_s: float, say: Callable[[str], None]
    ) -> None:
        self._api = api
        self._clock = clock
        self._patience = timedelta(seconds=patience_s)
        self._say = say
        self._sessions = LifoQueue[requests.Session]()
        self._stopped = threading.Event()
        self._reached = False
        self._logged_at: datetime | None = None

    def wait(self, seconds: float) -> None:
        """Wait, but no longer than until stop()."""
        self._stopped.wait(max(0.0, seconds))

    def stop(self) -> None:
        """End all waiting; batches that were not taken yet end with RetryLater."""
        self._stopped.set()

    def close(self) -> None:
        """Close the connections; no thread may be posting."""
        while not self._sessions.empty():
            self._sessions.get_nowait().close()

    def post(self, events: Sequence[Event]) -> Answer:
        """Post the events and return what became of them.

        Raises:
            RetryLater: the API took none of them within the patience.
            GiveUp: it will never take this request.
            Misconfigured: it refuses the key.
        """
        body = gzip.compress(json.dumps(events, separators=(",", ":")).encode(), compresslevel=6)
        give_up_at = self._clock.now() + self._patience
        wait_s = FIRST_WAIT_S
        while isinstance(answer := self._attempt(body, events), _NotNow):
            left_s = (give_up_at - self._clock.now()).total_seconds()
            if not self._reached:
                raise RetryLater(
                    f"Nothing answers at {self._api.url} ({answer.why}). Start it with `make run`, "
                    "or name another with --url."
                )
            if left_s <= 0 or self._stopped.is_set():
                raise RetryLater(
                    f"{self._api.url} does not take events any more ({answer.why}). When it does, "
                    "repeat the command: what it took is known again, and counted once."
                )
            if wait_s > FIRST_WAIT_S:
                self._log_progress(
                    f"{self._api.url} takes no events ({answer.why}). Trying {left_s:.0f} s more."
                )
            self.wait(min(max(wait_s, answer.retry_after_s), left_s))
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)
        return answer

    def _log_progress(self, text: str) -> None:
        """Say it, unless one of the threads has just said the like."""
        now = self._clock.now()
        if self._logged_at is None or now - self._logged_at >= LOG_EVERY:
            self._logged_at = now
            self._say(text)

    def _attempt(self, body: bytes, events: Sequence[Event]) -> Answer | _NotNow:
        """Post once."""
        headers = {
            "Content-Type": "application/cloudevents-batch+json",
            "Content-Encoding": "gzip",
            "x-functions-key": self._api.key.get_secret_value(),
        }
        url = f"{self._api.url}/api/events"
        try:
            with self._session() as session:
                response = session.post(url, data=body, headers=headers, timeout=TIMEOUT_S)
        except requests.RequestException as exc:
            return _NotNow(f"no answer ({type(exc).__name__})")
        self._reached = True
        return _read(response, events)

    @contextmanager
    def _session(self) -> Generator[requests.Session]:
        """Lend a connection that no other thread uses meanwhile."""
        try:
            session = self._sessions.get_nowait()
        except Empty:
            session = _connection(self._api.url)
        try:
            yield session
        finally:
            self._sessions.put(session)


def _connection(url: str) -> requests.Session:
    """Return a new connection; a proxy is for the world outside, not for this machine."""
    session = requests.Session()
    session.trust_env = urlsplit(url).hostname not in LOOPBACK
    return session


def _read(response: requests.Response, events: Sequence[Event]) -> Answer | _NotNow:
    """Put the API's answer in our words."""
    said = _body(response)
    refused = _refused(said, events)
    if response.status_code in (202, 207) or (response.status_code == 400 and refused):
        return Answer(len(events) - len(refused), refused)
    text = str(said.get("error") or response.reason)
    if response.status_code in BUSY:
        return _NotNow(f"{response.status_code}, {text.rstrip('.')}", _retry_after_s(response))
    if response.status_code in (401, 403):
        raise Misconfigured(
            f"{response.url} refuses the key ({response.status_code}). Give a function key with "
            "--key or AGENTMETER_KEY; on a laptop, start `make run` again."
        )
    raise GiveUp(f"{response.url} answers {response.status_code}: {text}")


def _body(response: requests.Response) -> Mapping[str, object]:
    """Return the JSON object of the answer; whatever stands between may answer otherwise."""
    try:
        said = response.json()
    except requests.JSONDecodeError:
        return {}
    return cast("dict[str, object]", said) if isinstance(said, dict) else {}


def _refused(said: Mapping[str, object], events: Sequence[Event]) -> tuple[Refused, ...]:
    """Return the events that the answer names."""
    named = cast("list[dict[str, object]]", said.get("rejected") or [])
    return tuple(
        Refused(str(events[cast("int", one["index"])]["id"]), str(one["error"])) for one in named
    )


def _retry_after_s(response: requests.Response) -> float:
    """Return what the API asks us to wait, 0 where it says nothing that we can read."""
    asked = response.headers.get("Retry-After", "")
    return float(asked) if asked.isdecimal() else 0.0
