"""How much memory a stack has taken, event after event, with no restart."""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import requests

from tests.journeys.process import Machine
from tests.trust.load import key, pair

CALLS = 250
"""In a request, with as many tasks."""
MOST_WAITING = 40
LIMIT_S = 120
TRIES = 60
"""The queue may be slower than a request waits for it; agents send again."""


@dataclass(frozen=True, slots=True)
class Sample:
    """After so many events: megabytes of the process, and seconds since the first."""

    events: int
    mb: float
    after_s: float


def grow(machine: Machine, events: int, samples: int) -> Iterator[Sample]:
    """Send so many events as fast as they are processed; yield so many samples on the way."""
    machine.start()
    began_s, each = time.monotonic(), events // samples
    with requests.Session() as session:
        session.headers["x-functions-key"] = key(machine.home)
        sent = 0
        for request in count():
            if sent >= events:
                return
            _post(session, machine, request)
            sent += 2 * CALLS
            if sent % each < 2 * CALLS:
                _drained(machine, 0)
                assert machine.process
                mb = resident_mb(machine.process.pid)
                yield Sample(sent, mb, round(time.monotonic() - began_s, 1))
            elif request % 20 == 0:
                _drained(machine, MOST_WAITING)


def flat(samples: Sequence[Sample]) -> float:
    """Return how many times the memory of the first quarter's end the last quarter's most is."""
    quarter = len(samples) // 4
    first = samples[quarter].mb
    return max(sample.mb for sample in samples[-quarter:]) / first


def resident_mb(pid: int) -> float:
    """Return what the process holds in memory."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    (kb,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
    return round(int(kb) / 1024, 1)


def _post(session: requests.Session, machine: Machine, request: int) -> None:
    batch = [each for n in range(CALLS) for each in pair(f"{request}-{n}", "memory", n + 1)]
    url = f"http://127.0.0.1:{machine.first_port + 1}/api/events"
    answer = session.post(url, json=batch, timeout=LIMIT_S)
    for _ in range(TRIES):
        if answer.status_code != 503:
            break
        threading.Event().wait(1)
        answer = session.post(url, json=batch, timeout=LIMIT_S)
    assert answer.status_code == 202, answer.text


def _drained(machine: Machine, most: int) -> None:
    """Wait until no more messages than that wait."""
    while machine.waiting() > most:
        threading.Event().wait(0.2)
