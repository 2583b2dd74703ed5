"""Explain an alert: why it fires or is silent, what was found, and who was notified.

ALERT is the id that GET /api/alerts lists, or the name of a rule: of its alerts the worst is
shown. It asks the stack that `make run` started, or the API of AGENTMETER_URL.
"""

from argparse import ArgumentParser, Namespace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from ops.console.api import call
from ops.console.command import Desk
from ops.console.stack import declare_api, find_api
from ops.console.terminal import Terminal
from ops.console.watch import declare_watch
from ops.why.context import show_context

EXAMPLES = """\
  bin/ops why HighErrorRate
  bin/ops why HighErrorRate.critical.4f53cda18c2b --last 50
  bin/ops why HighErrorRate --json"""
ALERT_HELP = "its id, or the name of its rule"
NAME_WIDTH = 10


def declare(parser: ArgumentParser) -> None:
    """Add which alert, and how much of its history."""
    parser.add_argument("alert", metavar="ALERT", help=ALERT_HELP)
    parser.add_argument(
        "--last", type=int, default=15, metavar="N", help="steps of its history; default: 15"
    )
    declare_api(parser)
    declare_watch(parser)


def run(given: Namespace, desk: Desk) -> int:
    """Print the explanation, the evidence and the history."""
    api = find_api(given.url, given.key, desk.environment)
    path = f"/api/alerts/{quote(given.alert, safe='')}"
    why = call(api, "GET", f"{path}/why")
    context = call(api, "GET", f"{path}/context")
    if given.json:
        desk.terminal.json({**why, "context": context})
    else:
        _show(desk.terminal, why, given.last)
        show_context(desk.terminal, context)
    return 0


def _show(terminal: Terminal, why: dict[str, Any], last: int) -> None:
    terminal.say(why["sentence"])
    terminal.say("")
    for name, text in _facts(why):
        terminal.say(f"{name:{NAME_WIDTH}}{text}")
    terminal.say("")
    terminal.say("What the last evaluation found")
    terminal.table(
        ("look", "from", "to", "value", "wrong", "samples", "rows", "error"),
        [_evidence(item) for item in why["evidence"]],
    )
    terminal.say("")
    terminal.say("What happened, newest first")
    terminal.table(
        ("at", "what", "state", "reason", "value", "threshold", "note"),
        [_step(step) for step in why["history"][:last]],
    )


def _facts(why: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what is known, each with its name; what there is not is left out."""
    incident, verdict = why["incident"], why["verdict"]
    labels = " ".join(f"{name}={value}" for name, value in why["labels"].items())
    muted = [why["muted_by"]] if why["muted_by"] else []
    muted += [f"{one['kind']} {one['id']} until {one['ends_at']}" for one in why["silences"]]
    facts = {
        "id": why["id"],
        "state": why["state"],
        "since": why["since"],
        "labels": labels,
        "incident": incident and _incident(incident),
        "pages": incident and _pages(incident["pages"]),
        "muted": "; ".join(dict.fromkeys(muted)),
        "verdict": verdict and " ".join(filter(None, (verdict["verdict"], verdict["note"]))),
        "runbook": why["rule"] and why["rule"]["runbook"],
    }
    return [(name, text) for name, text in facts.items() if text]


def _incident(incident: dict[str, Any]) -> str:
    return f"{incident['dedup_key']}, {'open' if incident['open'] else 'over'}"


def _pages(pages: list[dict[str, Any]]) -> str:
    """Say what became of the latest pages."""
    return ", ".join(f"{one['action']} {one['delivery']} {one['status']}" for one in pages[:3])


def _evidence(item: dict[str, Any]) -> tuple[object, ...]:
    """Return the row of a condition."""
    times = (_at(item["start"]), _at(item["end"]))
    found = (item["value"], item["condition"], item["samples"], item["row_count"], item["error"])
    return (item["look"], *times, *found)


def _step(step: dict[str, Any]) -> tuple[object, ...]:
    """Return the row of a step."""
    measures, details = step["measures"], step["details"]
    note = details.get("status") or details.get("note") or details.get("look") or ""
    values = (measures.get("value"), measures.get("threshold"))
    return (_at(step["at"]), step["kind"], step["state"], step["reason"], *values, note)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
