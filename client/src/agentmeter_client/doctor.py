"""Says whether events arrive: sends one, and waits until agentmeter has counted it."""

from __future__ import annotations

import argparse
import re
import threading
import uuid
from collections.abc import Callable, Sequence
from gzip import compress

from agentmeter_client.answer import Later, Split
from agentmeter_client.clock import now
from agentmeter_client.event import Event, encode
from agentmeter_client.settings import LOOPBACK, Target, default_source, target
from agentmeter_client.transport import Transport

OPERATION = "client_doctor"
_COUNTED = re.compile(
    rf'^task_operations_total\{{[^}}]*operation="{OPERATION}"[^}}]*\}} ([0-9.e+]+)', re.MULTILINE
)
EVERY_S = 1.0
TIMEOUT_S = 10.0
Say = Callable[[str], object]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0: events arrive, 1: they do not, and why is said."""
    parser = argparse.ArgumentParser(prog="python -m agentmeter_client")
    commands = parser.add_subparsers(dest="command", required=True)
    doctor = commands.add_parser("doctor", help="send an event, and see that it is counted")
    doctor.add_argument("--endpoint", help="https://<app>; AGENTMETER_ENDPOINT if left out")
    doctor.add_argument("--wait", type=float, default=30.0, help="seconds to wait for it; 30")
    given = parser.parse_args(arguments)
    where = target(given.endpoint, None)
    if isinstance(where, str):
        print(f"NO   {where}.")  # noqa: T201 - it is a command's output
        return 1
    return 0 if examine(where, given.wait, print) else 1


def examine(where: Target, wait_s: float, say: Say) -> bool:
    """Return whether an event that is sent there is counted; say what was found."""
    say(f"ok   endpoint {where.host}:{where.port}, {_key(where)}")
    if not where.tls and where.host not in LOOPBACK:
        say("note the key travels in clear. Use https.")
    transport = Transport(where, TIMEOUT_S)
    try:
        before = _counted(transport)
        verdict = transport.post(compress(b"[" + encode(_event()) + b"]"))
        if isinstance(verdict, (Later, Split)):
            say(f"NO   the event was not taken: {verdict.why}. {_remedy(verdict.why)}")
            return False
        if verdict.refused:
            say(f"NO   the event was refused: {verdict.refused[0].error}")
            return False
        say("ok   the event is stored durably (202)")
        return _arrives(transport, before, wait_s, say)
    finally:
        transport.close()


def _event() -> Event:
    data = {"operation": OPERATION, "status": "success"}
    return Event(1, uuid.uuid4().hex, default_source(), "task.operation", now(), None, {}, data)


def _key(where: Target) -> str:
    return "with a key" if where.key else "without a key (AGENTMETER_KEY is not set)"


def _arrives(transport: Transport, before: float | None, wait_s: float, say: Say) -> bool:
    """Wait until the count of these events has grown."""
    if before is None:
        say("note GET /metrics is closed here, so that its counting cannot be seen.")
        return True
    started = now()
    pause = threading.Event()
    while (waited_s := now() - started) <= wait_s:
        if (_counted(transport) or 0) > before:
            say(f"ok   it was counted {waited_s:.0f} s later: events arrive")
            return True
        pause.wait(EVERY_S)
    say(
        f"NO   it was not counted within {wait_s:g} s. The queue is not worked off: see "
        "GET /api/health, and `bin/ops doctor` where agentmeter runs."
    )
    return False


def _counted(transport: Transport) -> float | None:
    """Return how many of these events are counted; None where the metrics cannot be read."""
    answer = transport.fetch("/metrics")
    if answer is None or answer[0] != 200:
        return None
    found = _COUNTED.findall(answer[1])
    return sum(map(float, found))


def _remedy(why: str) -> str:
    """Return what to do about an event that was not taken."""
    if why.startswith(("401", "403")):
        return "Set AGENTMETER_KEY to a function key of the app."
    if why.startswith("404"):
        return "Set AGENTMETER_ENDPOINT to the app's address, https://<app>.azurewebsites.net."
    if "SSL" in why or "Certificate" in why:
        return "Check the certificate, or the proxy between."
    if why.startswith("no answer"):
        return "Check the address, the port and HTTPS_PROXY; on a laptop, is `make run` running?"
    return "Try again; if it stays, ask the operator for GET /api/health."
