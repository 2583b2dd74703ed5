"""Starts everything on this machine, and says what happens."""

import json
import logging
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import azure.functions as func

from local import lock
from local.fleet.runner import FleetRunner
from local.ports import refuse_taken
from local.stack import APP_FOLDER, KEEP_DAYS, KEEP_MB, Places, Stack
from local.stopping import Step, Stopping
from shared.clock import SystemClock
from shared.errors import AgentmeterError, Misconfigured
from standin.functions_host.index import load
from standin.pager.sink import Incident

FIRST_PORT = 7070
STATE = (
    "function.key",
    "master.key",
    "keys.*",
    "local.json",
    "lock",
    "host.db*",
    "pager.db*",
    "state.db*",
    "monitor.duckdb*",
)
"""Names of what the stack keeps in its folder."""


def main(environment: Mapping[str, str], wait: Callable[[], None]) -> int:
    """Run until `wait` returns; return the exit code."""
    clock = SystemClock()
    _warn_on_the_terminal()
    try:
        places = _places(environment)
        held = lock.take(places.home / "lock")
        refuse_taken(places.ports)
        stack = Stack(places, clock, _load)
    except (AgentmeterError, OSError) as exc:
        _say(str(exc))
        return 1
    stack.sink.on_change = _log_incident
    stack.host.queues.end_leases()
    stack.keeping.start()
    stack.host.start()
    described = _describe(stack)
    fleet = FleetRunner(stack.app_url, places.key(), clock)
    with_fleet = environment.get("DEMO", "1") != "0"
    if with_fleet:
        fleet.start()
    _say(_welcome(stack, with_fleet))
    wait()
    Stopping(_say).take([*([Step("the fleet", fleet.stop)] if with_fleet else []), *stack.steps()])
    described.unlink(missing_ok=True)
    held.close()
    return 0


def _warn_on_the_terminal() -> None:
    """Show what went wrong; every line is in AppTraces."""
    terminal = logging.StreamHandler()
    terminal.setLevel(logging.WARNING)
    logging.getLogger().addHandler(terminal)


def _places(environment: Mapping[str, str]) -> Places:
    """Read where to live, and make the folder."""
    home = Path(environment.get("AGENTMETER_HOME") or ".agentmeter").resolve()
    port = _number(environment, "AGENTMETER_PORT", FIRST_PORT, 65_529)
    days = _number(environment, "KEEP_DAYS", KEEP_DAYS, 3650)
    megabytes = _number(environment, "KEEP_MB", KEEP_MB, 1_000_000)
    keep_private(home)
    return Places(home, port, days, megabytes)


def _number(environment: Mapping[str, str], name: str, default: int, most: int) -> int:
    """Read a number from 1 to the most."""
    text = environment.get(name) or str(default)
    if not text.isdecimal() or not 0 < int(text) <= most:
        raise Misconfigured(f"{name} is {text!r}. Give a number from 1 to {most}.")
    return int(text)


def keep_private(home: Path) -> None:
    """Make the folder, and let only this user read what of ours is in it or will be.

    AGENTMETER_HOME may be a folder with other things in it: these stay as they are, as does it.
    """
    os.umask(0o077)
    home.mkdir(parents=True, exist_ok=True)
    ours = [path for name in STATE for path in home.glob(name)]
    for path in (*ours, *(inner for each in ours for inner in each.rglob("*"))):
        if not path.is_symlink():
            path.chmod(0o700 if path.is_dir() else 0o600)
    if set(home.iterdir()) <= set(ours):
        home.chmod(0o700)


def _load(settings: Mapping[str, str]) -> func.FunctionApp:
    """Import the real function_app.py with its settings in the environment, as Azure does."""
    direct = ",".join(filter(None, [os.environ.get("NO_PROXY", ""), "127.0.0.1", "localhost"]))
    os.environ.update(settings, NO_PROXY=direct, no_proxy=direct)
    return load(APP_FOLDER)


def _describe(stack: Stack) -> Path:
    """Write where everything is, for `bin/ops`; readable to this user alone."""
    path = stack.places.home / "local.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(stack.describe(), indent=2) + "\n", encoding="utf-8")
    return path


def _welcome(stack: Stack, with_fleet: bool) -> str:
    """Say where everything is and what to type next."""
    fleet = "a simulated fleet is at work; an incident opens and closes in the first three minutes"
    return (
        f"agentmeter runs; {fleet if with_fleet else 'no simulated fleet (DEMO=0)'}\n"
        f"  page       {stack.page_url}/\n"
        f"  API        {stack.app_url}/api/events   (key in {stack.places.home}/local.json)\n"
        f"  metrics    {stack.app_url}/metrics\n"
        f"  query      bin/ops query 'UsageEvents | take 5'\n"
        f"  stop       Ctrl-C"
    )


def _log_incident(effect: str, incident: Incident) -> None:
    """Say what the pager would."""
    if effect in ("opened", "resolved"):
        at = incident.resolved_at if effect == "resolved" else incident.opened_at
        _say(f"{at:%H:%M:%S} incident {effect}: {incident.summary}")


def _say(text: str) -> None:
    """Write to the terminal at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
