"""Show what agents did in a trace: each step with its cost, time and errors, and the whole.

With --mission or --conversation, ID is one of these; without ID, the dearest are listed. It asks
the stack that `make run` started, or the API of AGENTMETER_URL.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from ops.console.api import call
from ops.console.command import Desk
from ops.console.stack import declare_api, find_api
from ops.console.terminal import Terminal
from ops.costs import usd
from shared.usecases.explaining.dearest import WORK_SORTS

EXAMPLES = """\
  bin/ops trace 4bf92f3577b34da6a3ce929d0e0e4736
  bin/ops trace --mission m-1842
  bin/ops trace --mission --period 7d --top 10
  bin/ops trace --conversation c-7 --json"""


def declare(parser: ArgumentParser) -> None:
    """Add which work."""
    parser.add_argument("id", nargs="?", metavar="ID", help="the trace id; none: the dearest")
    kinds = parser.add_mutually_exclusive_group()
    for kind in ("mission", "conversation"):
        kinds.add_argument(
            f"--{kind}", dest="kind", action="store_const", const=kind, help=f"ID is a {kind}'s"
        )
    parser.add_argument(
        "--period",
        default="24h",
        metavar="NAME",
        help="of the list: 24h (default), 7d, yesterday …",
    )
    parser.add_argument("--sort", choices=WORK_SORTS, default="cost", help="of the list")
    parser.add_argument("--top", type=int, default=20, metavar="N", help="of the list; default: 20")
    declare_api(parser)


def run(given: Namespace, desk: Desk) -> int:
    """Print the tree and the totals, or the list."""
    api = find_api(given.url, given.key, desk.environment)
    kind = given.kind or "trace"
    listed = {"period": given.period, "sort": given.sort, "top": given.top}
    asked = f"?{urlencode(listed)}" if given.id is None else f"/{quote(given.id, safe='')}"
    answer = call(api, "GET", f"/api/{kind}s{asked}")
    if given.json:
        desk.terminal.json(answer)
    elif given.id is None:
        _list(desk.terminal, answer)
    else:
        _show(desk.terminal, answer)
    return 0


def _list(terminal: Terminal, answer: Mapping[str, Any]) -> None:
    """Print the dearest ones."""
    rows = [
        (
            row["id"],
            row["team"] or "",
            usd(row["cost_usd"]),
            *(row[name] for name in ("calls", "unpriced_calls", "errors")),
            *(row[name] or 0 for name in ("input_tokens", "output_tokens")),
            f"{row['duration_s']:.3g} s",
        )
        for row in answer["rows"]
    ]
    head = (answer["kind"], "team", "cost", "calls", "unpriced", "errors", "in", "out", "took")
    terminal.table(head, rows)
    if answer["next"]:
        terminal.note(f"trace: the first {len(rows):,} of {answer['count']:,}; see more with --top")


def _show(terminal: Terminal, answer: Mapping[str, Any]) -> None:
    unpriced = answer["unpriced_calls"]
    terminal.say(
        f"{usd(answer['cost_usd'])} for {answer['calls']:,} model calls"
        f"{f' ({unpriced:,} unpriced)' if unpriced else ''}, {answer['input_tokens']:,} tokens in, "
        f"{answer['output_tokens']:,} out, {answer['errors']:,} errors, "
        f"{answer['duration_s']:.1f} s"
    )
    terminal.say("")
    terminal.table(
        ("at", "step", "who", "status", "took", "in", "out", "cost"),
        list(_rows(answer["steps"], 0)),
    )
    for step in _corrected(answer["steps"]):
        was = f", was {usd(float(step['old_cost_usd']))}" if "old_cost_usd" in step else ""
        terminal.say(
            f"corrected{was}: {step['corrected']} ({step['corrected_by']}), {_name(step)} at "
            f"{step['at'][11:23]}"
        )
    if answer["listed"] < answer["events"]:
        terminal.note(f"trace: the first {answer['listed']:,} of {answer['events']:,} events")


def _rows(steps: list[dict[str, Any]], depth: int) -> Iterator[tuple[object, ...]]:
    """Yield a row for each step, those below it indented."""
    for step in steps:
        yield (
            step["at"][11:23],
            f"{'  ' * depth}{_name(step)}",
            step.get("agent") or step.get("agent_type") or step.get("team") or "",
            step.get("error_type") or step.get("status") or "",
            f"{step['duration_s']:.3g} s" if "duration_s" in step else "",
            step.get("input_tokens", ""),
            step.get("output_tokens", ""),
            usd(step["cost_usd"]) if "cost_usd" in step else "",
        )
        yield from _rows(step["steps"], depth + 1)


def _corrected(steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the calls that a later report corrected."""
    for step in steps:
        if "corrections" in step:
            yield step
        yield from _corrected(step["steps"])


def _name(step: Mapping[str, Any]) -> str:
    parts = (step.get("name"), step["type"], step.get("model"), step.get("operation"))
    return " ".join(dict.fromkeys(str(part) for part in parts if part and part != "span"))
