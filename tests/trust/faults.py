"""Faults that a stack meets, each for a while."""

import resource
import signal
import sqlite3
import threading
from collections.abc import Callable, Mapping
from contextlib import closing

import requests

from tests.journeys.process import Machine
from tests.trust.shifted import SHIFT

Fault = Callable[[Machine, float], None]
MANY = 1_000_000
"""Requests that fail: as many as come."""
TIMEOUT_S = 120
NO_LIMIT = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
FEW_BYTES = 4096


def wait(for_s: float) -> None:
    """Let the time pass."""
    threading.Event().wait(for_s)


def nothing(machine: Machine, for_s: float) -> None:
    """Let it run."""
    wait(for_s)


def killed(machine: Machine, for_s: float, how: signal.Signals = signal.SIGKILL) -> None:
    """End the process and start it, twice."""
    for _ in range(2):
        machine.end(how)
        machine.start()
        wait(for_s / 2)


def locked(machine: Machine, for_s: float, name: str) -> None:
    """Hold a database's lock, as a process that hangs would; nothing can be written to it."""
    with closing(
        sqlite3.connect(machine.home / name, isolation_level=None, timeout=TIMEOUT_S)
    ) as held:
        held.execute("BEGIN IMMEDIATE")
        wait(for_s)
        held.execute("ROLLBACK")


def refused(machine: Machine, for_s: float, way: str, *statuses: int) -> None:
    """Let ingestion (track) or queries fail with each of the statuses for its part of the time."""
    url = f"http://127.0.0.1:{machine.first_port + 2}/faults"
    for status in statuses:
        fault = {way: {"status": status, "retry_after": 1, "times": 10_000}}
        requests.post(url, json=fault, timeout=TIMEOUT_S).raise_for_status()
        wait(for_s / len(statuses))
    requests.post(url, json={}, timeout=TIMEOUT_S).raise_for_status()


def unpaged(machine: Machine, for_s: float) -> None:
    """Let the pager refuse what it is sent."""
    url = f"http://127.0.0.1:{machine.first_port + 3}/faults"
    for status, times in ((500, MANY), (429, MANY), (503, MANY), (500, 0)):
        fault = {"status": status, "times": times}
        requests.post(url, json=fault, timeout=TIMEOUT_S).raise_for_status()
        wait(for_s / 3 if times else 0)


def shifted(machine: Machine, for_s: float) -> None:
    """Set the app's clock back three minutes, then ahead, then right."""
    file = machine.home / SHIFT
    for seconds in (-180, 180):
        file.write_text(str(seconds), encoding="ascii")
        wait(for_s / 2)
    file.unlink()


def full(machine: Machine, for_s: float) -> None:
    """Let no file of the stack grow, as on a full disk; then it is started again with room."""
    assert machine.process
    pid = machine.process.pid
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (FEW_BYTES, resource.RLIM_INFINITY))
    wait(for_s)
    if machine.process.poll() is None:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, NO_LIMIT)
        machine.end(signal.SIGKILL)
    machine.start()


FAULTS: Mapping[str, Fault] = {
    "none": nothing,
    "kill -9, twice": killed,
    "queue locked": lambda machine, for_s: locked(machine, for_s, "host.db"),
    "ingestion down": lambda machine, for_s: refused(machine, for_s, "track", 503, 429, 500),
    "pager down": unpaged,
    "state locked": lambda machine, for_s: locked(machine, for_s, "state.db"),
    "clock wrong": shifted,
    "disk full": full,
    "query down": lambda machine, for_s: refused(machine, for_s, "query", 500, 429, 403),
    "stop, twice": lambda machine, for_s: killed(machine, for_s, signal.SIGTERM),
    "ingestion forbidden": lambda machine, for_s: refused(machine, for_s, "track", 401, 403, 404),
}
