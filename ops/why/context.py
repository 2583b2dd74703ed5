"""Shows what surrounds an alert: values against the limit, contributors, events, changes."""

from collections.abc import Mapping
from typing import Any

from ops.console.terminal import Terminal

BAR = 30


def show_context(terminal: Terminal, answer: Mapping[str, Any]) -> None:
    """Print each part; one without an answer says why."""
    for title, name, show in (
        ("Value against its limit", "chart", _chart),
        ("Who contributes", "contributors", _contributors),
        ("Some of the events", "events", _events),
    ):
        part = answer[name]
        if part is None or (part["value"] is None and not part["error"]):
            continue
        terminal.say("")
        terminal.say(title)
        if part["error"]:
            terminal.say(f"not known: {part['error']}")
        else:
            show(terminal, part["value"])
    _stored(terminal, answer)


def _chart(terminal: Terminal, chart: Mapping[str, Any]) -> None:
    """Draw a bar for each value, those beyond the limit marked."""
    unit, limit = chart["unit"], chart["limit"]
    known = [point["value"] for point in chart["points"] if point["value"] is not None]
    most = max([limit, *known], default=0)
    terminal.say(f"fires when {chart['condition']} ({chart['look']} condition)")
    terminal.table(
        ("at", "value", ""),
        [
            (point["at"][:19], _written(point["value"], unit), _bar(point["value"], most, limit))
            for point in chart["points"]
        ],
    )


def _written(value: float | None, unit: Mapping[str, str]) -> str:
    if value is None:
        return "no value"
    return f"{unit['before']}{value:.4g} {unit['after']}".rstrip()


def _bar(value: float | None, most: float, limit: float) -> str:
    """Draw the value as a part of the largest, with the limit as a line."""
    if value is None or most <= 0:
        return ""
    drawn = "█" * round(BAR * max(value, 0) / most)
    place = min(round(BAR * max(limit, 0) / most), BAR)
    return f"{drawn[:place]:{place}}│{drawn[place:]}"


def _contributors(terminal: Terminal, found: Mapping[str, Any]) -> None:
    terminal.table(found["columns"], found["rows"])


def _events(terminal: Terminal, found: list[dict[str, Any]]) -> None:
    names = ("at", "type", "team_id", "agent_id", "model", "status", "error_type", "id")
    terminal.table(names, [[one.get(name) for name in names] for one in found])


def _stored(terminal: Terminal, answer: Mapping[str, Any]) -> None:
    """Print what changed, and the episodes before."""
    if answer["marks"]:
        terminal.say("")
        terminal.say("What was deployed or changed")
        terminal.table(("at", "what"), [(m["at"][:19], m["text"]) for m in answer["marks"]])
    if answer["before"]:
        terminal.say("")
        terminal.say("Episodes before")
        terminal.table(
            ("fired", "over", "value", "verdict"),
            [(e["fired_at"], e["ended_at"], e["value"], e["verdict"]) for e in answer["before"]],
        )
