"""Show what was spent: by team, agent, model, … over time, against the period before.

The words are those of GET /api/costs, which it asks: of the stack that `make run` started, or of
AGENTMETER_URL. With --calls it lists the calls themselves.
"""

import argparse
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any
from urllib.parse import urlencode

from ops.console.api import call, text
from ops.console.command import Desk
from ops.console.stack import declare_api, find_api
from ops.console.terminal import Terminal
from ops.console.watch import declare_watch
from shared.usecases.spending.buckets import WIDTHS
from shared.usecases.spending.calls import CALL_SORTS
from shared.usecases.spending.question import SPLIT_BY
from shared.usecases.spending.spent_query import SORTS

EXAMPLES = """\
  bin/ops costs --by team --period this_month --compare previous
  bin/ops costs --by team,model --period 7d --bucket day --timezone Europe/Berlin
  bin/ops costs --by agent --team red,blue --not-model gpt-4o-mini --sort change --top 10 \\
    --period yesterday --compare previous
  bin/ops costs --team red --period yesterday --calls
  bin/ops costs --by team --period last_month --csv > november.csv"""
BAR = 20
ASKED = ("period", "from", "to", "timezone", "bucket", "compare", "sort", "order", "top", "offset")
TOP = 25


def declare(parser: ArgumentParser) -> None:
    """Add the parameters of the API, each under its own name."""
    parser.add_argument(
        "--by", default="model", metavar="NAMES", help=f"two at most of {', '.join(SPLIT_BY)}"
    )
    parser.add_argument(
        "--period", metavar="NAME", help="today, yesterday, this_week, last_month, … or 24h, 7d, 4w"
    )
    parser.add_argument("--from", metavar="ISO", help="a time or a day; default: a day before --to")
    parser.add_argument("--to", metavar="ISO", help="a time or a day; default: now")
    parser.add_argument("--timezone", metavar="ZONE", help="where days begin; default: UTC")
    parser.add_argument("--bucket", choices=WIDTHS, help="split it over time, too")
    parser.add_argument("--compare", choices=("previous",), help="with the period before")
    sorts = tuple(dict.fromkeys((*SORTS, *CALL_SORTS)))
    parser.add_argument("--sort", choices=sorts, help="default: cost")
    parser.add_argument("--order", choices=("asc", "desc"), help="default: the largest first")
    parser.add_argument("--top", type=int, default=TOP, metavar="N", help=f"rows; default: {TOP}")
    parser.add_argument("--offset", type=int, metavar="N", help="skip so many rows")
    parser.add_argument("--calls", action="store_true", help="list the calls, the dearest first")
    parser.add_argument("--csv", action="store_true", help="answer in CSV, for spreadsheets")
    for name in SPLIT_BY:
        flag = name.replace("_", "-")
        parser.add_argument(f"--{flag}", metavar="A,B", help=f"only calls of this {flag}")
        parser.add_argument(f"--not-{flag}", metavar="A,B", help=argparse.SUPPRESS)
    declare_api(parser)
    declare_watch(parser)


def run(given: Namespace, desk: Desk) -> int:
    """Ask, and show the answer."""
    api = find_api(given.url, given.key, desk.environment)
    asked = _asked(given)
    if given.calls:
        answer = call(api, "GET", f"/api/costs/calls?{urlencode(asked)}")
        show = _show_calls
    elif given.csv:
        desk.terminal.say(text(api, f"/api/costs?{urlencode({**asked, 'format': 'csv'})}").rstrip())
        return 0
    else:
        answer = call(api, "GET", f"/api/costs?{urlencode(asked)}")
        show = _show
    if given.json:
        desk.terminal.json(answer)
    else:
        show(desk.terminal, answer)
    return 0


def _asked(given: Namespace) -> dict[str, str]:
    """Return the parameters that were typed, as the API has them."""
    names = (*ASKED, *chain.from_iterable((name, f"not_{name}") for name in SPLIT_BY))
    typed = {name: getattr(given, name) for name in names}
    by = {} if given.calls else {"by": given.by}
    return by | {name: str(value) for name, value in typed.items() if value is not None}


def _show(terminal: Terminal, answer: Mapping[str, Any]) -> None:
    by = answer["by"].split(",")
    terminal.say(_sentence(answer))
    terminal.say("")
    rows = [([row[name] or "(none)" for name in by], row) for row in answer["rows"]]
    if rest := answer["rest"]:
        rows.append(([f"(the other {rest['groups']:,})", *[""] * (len(by) - 1)], rest))
    dearest = max((row["cost_usd"] or 0 for _, row in rows), default=0)
    changes = ("before", "change", "%", "") if "previous" in answer else ()
    terminal.table(
        (*by, "cost", "", "share", *changes, "calls", "unpriced", "per call", "per 1k tokens"),
        [(*names, *_figures(row, dearest, bool(changes))) for names, row in rows],
    )
    if "buckets" in answer:
        terminal.say("")
        _show_buckets(terminal, answer, rows)
    for one in answer["unpriced"]:
        terminal.note(
            f"costs: {one['calls']:,} calls of {one['provider']}/{one['model']} have no price"
        )
    for one in answer.get("unread", ()):
        terminal.note(
            f"costs: {one['spans']:,} spans of {one['scope']} count tokens in words that are not "
            "known here (docs/dialects.md)"
        )


def _sentence(answer: Mapping[str, Any]) -> str:
    """Say the total, how it changed, and where it goes."""
    said = f"{usd(answer['total_usd'])} from {answer['from'][:16]} to {answer['to'][:16]} UTC"
    if "previous" in answer:
        change = answer["change_percent"]
        said += f"; {usd(answer['previous_usd'])} in the period before"
        said += "" if change is None else f" ({change:+.1f} %)"
    if answer["forecast_usd"] is not None:
        said += f"; {usd(answer['forecast_usd'])} by its end at this pace"
    unpriced = answer["unpriced_calls"]
    return said + (f"; {unpriced:,} calls have no price." if unpriced else ".")


def _figures(row: Mapping[str, Any], dearest: float, is_compared: bool) -> tuple[object, ...]:
    """Return the cells of a row, after its names."""
    share = row["share_percent"]
    return (
        usd(row["cost_usd"]),
        bar(row["cost_usd"] or 0, dearest),
        "" if share is None else f"{share:.1f} %",
        *(_changes(row) if is_compared else ()),
        row["calls"],
        row["unpriced_calls"],
        usd(row["cost_per_call_usd"]),
        usd(row["cost_per_1k_tokens_usd"]),
    )


def _changes(row: Mapping[str, Any]) -> tuple[object, ...]:
    """Return the cells that hold a row against the period before."""
    percent, trend = row["change_percent"], row["trend"]
    return (
        usd(row["previous_usd"]),
        usd(row["change_usd"], "+"),
        "" if percent is None else f"{percent:+.1f}",
        trend if trend in ("new", "gone") else "",
    )


def _show_buckets(
    terminal: Terminal, answer: Mapping[str, Any], rows: Sequence[tuple[list[str], Any]]
) -> None:
    """Show the total of each bucket with a bar, and the first rows beside it."""
    total = answer["series"]["cost_usd"]
    dearest = max((amount or 0 for amount in total), default=0)
    shown = rows[:4]
    terminal.table(
        ("from", "cost", "", *(" / ".join(filter(None, names)) for names, _ in shown)),
        [
            (
                start[:16],
                usd(total[n]),
                bar(total[n] or 0, dearest),
                *(usd(row["series"]["cost_usd"][n]) for _, row in shown),
            )
            for n, start in enumerate(answer["buckets"])
        ],
    )


def _show_calls(terminal: Terminal, answer: Mapping[str, Any]) -> None:
    terminal.table(
        ("at", "cost", "status", "model", "team", "agent", "mission", "in", "out", "took", "id"),
        [
            (
                one["at"][:19],
                usd(one["cost_usd"]),
                one["status"],
                one["model"],
                one["team"],
                one["agent"],
                one["mission"],
                one["input_tokens"],
                one["output_tokens"],
                "" if one["duration_s"] is None else f"{one['duration_s']:.3g} s",
                one["id"],
            )
            for one in answer["calls"]
        ],
    )
    if answer["next"]:
        terminal.say(
            f"{len(answer['calls']):,} of {answer['count']:,}; --offset {answer['next']}: more"
        )


def usd(amount: float | None, sign: str = "") -> str:
    """Write dollars: cents from a dollar on, four digits below; what is unknown says so."""
    if amount is None:
        return "unknown"
    digits = 2 if abs(amount) >= 1 or not amount else 4
    text = f"{amount:{sign},.{digits}f}"
    return f"{text[0]}${text[1:]}" if text[0] in "+-" else f"${text}"


def bar(amount: float, most: float) -> str:
    """Draw the amount as a part of the largest."""
    return "█" * round(BAR * max(amount, 0) / most) if most > 0 else ""
