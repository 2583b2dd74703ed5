"""A stack under load that meets one fault after another, and what became of everything."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import requests

from tests.journeys.laptop import small_config
from tests.journeys.process import Machine
from tests.trust.faults import FAULTS
from tests.trust.ledger import CALLS, Figures, Ledger
from tests.trust.load import Load

SHARE = 0.6
"""Of the time from one fault to the next: how long each lasts."""
TROUBLE_S = 45
"""How long each trouble makes errors; its rule pages after some 30 s."""
SETTLED_S = 1200
EVERY_S = 2.0
"""Between two requests of a sender."""
RULE = """
name = "Trouble"
group = "trust"
severity = "critical"
window = "PT5M"
hold = "PT0S"
condition = "> 0"
per_series = true
no_data = "ok"
summary = "Trouble is {Component}"
description = "{value:.0f} errors."
runbook = "docs/runbooks/HighErrorRate.md"
query = '''
UsageEvents
| where TimeGenerated >= {start} and TimeGenerated < {end} and Name == "error"
| summarize value = todouble(sum(Count)) by Component
'''

[fast]
event = "error"
by = ["component"]
rate = "> 1 / min"
lasting = "PT15S"
keep_firing = "PT5M"
"""
Say = Callable[[str], None]


def machine_of(folder: Path) -> Machine:
    """Return a stack with one rule, which pages each trouble by itself."""
    config = Path(small_config(folder / "config", ""))
    (config / "rules" / "HighErrorRate.toml").unlink()
    (config / "rules" / "Trouble.toml").write_text(RULE, encoding="utf-8")
    machine = Machine(folder / "home", "tests.trust.shifted", AGENTMETER_CONFIG=str(config))
    machine.start_limit_s = 600  # the machine may have other work, too
    return machine


def run(machine: Machine, for_s: float, fault_each_s: float, say: Say) -> Sequence[Figures]:
    """Let faults come in turn for so long; return the figures once all has settled."""
    ledger = Ledger()
    load = Load(machine, ledger, every_s=EVERY_S)
    machine.start()
    load.start()
    began_s = time.monotonic()
    try:
        for number in count():
            fault = list(FAULTS)[number % len(FAULTS)]
            if time.monotonic() - began_s + fault_each_s > for_s:
                break
            _suffer(load, number, fault, fault_each_s)
            say(f"{number + 1:4} {fault}: {dict(sorted(load.answers.items()))}")
    finally:
        load.fault = "none"
        load.stop()
    _wait_until(lambda: not machine.waiting() and _all_resolved(machine, ledger))
    calls = machine.ask("query", CALLS, "--last", "7d")
    return list(ledger.figures(calls, _metrics(machine), _incidents(machine)))


def _suffer(load: Load, number: int, fault: str, for_s: float) -> None:
    """Let the fault happen, among errors that want a page; return when its turn is over."""
    began_s = time.monotonic()
    trouble = f"trouble-{number}"
    load.fault = fault
    load.ledger.runs[fault] += 1
    load.ledger.troubles[trouble] = fault
    load.troubles = (*load.troubles, trouble)
    threading.Timer(TROUBLE_S, lambda: _end(load, trouble)).start()
    FAULTS[fault](load.machine, for_s * SHARE)
    threading.Event().wait(max(0.0, for_s - (time.monotonic() - began_s)))


def _end(load: Load, trouble: str) -> None:
    load.troubles = tuple(one for one in load.troubles if one != trouble)


def _wait_until(is_so: Callable[[], bool]) -> None:
    """Wait for it, as long as may be; what is not so then is in the figures."""
    until_s = time.monotonic() + SETTLED_S
    while not is_so() and time.monotonic() < until_s:
        threading.Event().wait(2)


def _incidents(machine: Machine) -> Sequence[Mapping[str, Any]]:
    url = f"http://127.0.0.1:{machine.first_port + 3}/incidents"
    return requests.get(url, timeout=120).json()


def _all_resolved(machine: Machine, ledger: Ledger) -> bool:
    found = _incidents(machine)
    return len(found) >= len(ledger.troubles) and all(one["resolved_at"] for one in found)


def _metrics(machine: Machine) -> str:
    return requests.get(f"http://127.0.0.1:{machine.first_port + 1}/metrics", timeout=120).text
