"""Watch the fleet live: what it spends, calls and fails, and which alerts are open.

Figures are of the last minutes (--last), and spend is that of priced calls: calls without a price
are counted beside it, never as zero. On a laptop it asks the stack that `make run` started;
elsewhere the workspace of LOGS_WORKSPACE_ID, and the API of AGENTMETER_URL for alerts and budgets.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from functools import partial

from ops.console.command import Desk
from ops.console.moments import span
from ops.console.monitor import find_log
from ops.console.stack import declare_api, find_api
from ops.console.terminal import Terminal
from ops.console.watch import declare_watch
from ops.top.reading import Reading, Row, Slow, Snapshot

EXAMPLES = """\
  bin/ops top
  bin/ops top --last 1h --watch 30s
  bin/ops top --once --json"""
BARS = " ▁▂▃▄▅▆▇█"
BUDGET_CELLS = 20
CALL_COLUMNS = ("calls/min", "failed", "p95 s", "$/h", "unpriced")


def declare(parser: ArgumentParser) -> None:
    """Add what time the figures are of."""
    parser.add_argument(
        "--last",
        type=span,
        default=timedelta(minutes=15),
        metavar="SPAN",
        help="the time that the figures are of, as 5m, 15m (default), 1h",
    )
    parser.add_argument(
        "--workspace", metavar="ID", help="this Log Analytics workspace, not the laptop's stack"
    )
    declare_api(parser)
    declare_watch(parser, timedelta(seconds=5))
    parser.add_argument(
        "--once", dest="watch", action="store_const", const=None, help="show it once, and end"
    )
    parser.set_defaults(slow=Slow())


def run(given: Namespace, desk: Desk) -> int:
    """Show the fleet at this moment."""
    name, log = find_log(given.workspace, desk.environment)
    api = partial(find_api, given.url, given.key, desk.environment)
    snapshot = Reading(log, api, given.last, given.slow).snapshot(desk.clock.now())
    if given.json:
        desk.terminal.json(asdict(snapshot) | {"last": given.last.total_seconds()})
    else:
        _show(desk.terminal, name, snapshot)
    return 0


def _show(terminal: Terminal, name: str, seen: Snapshot) -> None:
    minutes = seen.last.total_seconds() / 60
    terminal.say(f"agentmeter  {name}  {seen.at:%F %T}Z  last {minutes:.0f} min")
    terminal.say("")
    calls, failed, p95, spent, unpriced = _figures(seen.total, minutes)
    terminal.say(
        f"spend     {_dollars(spent)} an hour   today {_dollars(seen.today_usd)}   "
        f"this month {_dollars(seen.month_usd)}{_without(seen.unpriced_month)}"
    )
    terminal.say(f"          {_spark(seen.minutes)}  a minute each")
    terminal.say(
        f"calls     {calls} a minute   {failed} failed   p95 {p95 or '-'} s{_without(unpriced)}"
    )
    _show_budgets(terminal, seen.budgets)
    _show_alerts(terminal, seen)
    _show_calls(terminal, ("provider", "model"), ("Provider", "Model"), seen.models, minutes)
    _show_calls(terminal, ("team",), ("TeamId",), seen.teams, minutes)
    for problem in seen.problems:
        terminal.say(f"\n{problem}")


def _show_budgets(terminal: Terminal, budgets: Sequence[Row]) -> None:
    for budget in budgets:
        spent, amount = budget["spent_usd"], budget["amount_usd"]
        share = (spent or 0) / amount
        filled = min(BUDGET_CELLS, round(share * BUDGET_CELLS))
        bar = "█" * filled + "░" * (BUDGET_CELLS - filled)
        terminal.say(
            f"budget    {bar} {share:4.0%}  {budget['name']}: {_dollars(spent)} of "
            f"{_dollars(amount)} a {budget['period']}{_without(budget['unpriced_calls'])}"
        )


def _show_alerts(terminal: Terminal, seen: Snapshot) -> None:
    terminal.say("")
    if seen.waiting_pages:
        terminal.say(f"{seen.waiting_pages} pages wait to be sent")
    if not seen.alerts:
        terminal.say("no alert is pending or firing" if not seen.problems else "")
        return
    rows = [
        (one["state"], one["alert"], one["severity"], _labels(one["labels"]), one["value"], since)
        for one in sorted(seen.alerts, key=lambda one: (one["state"], one["since"]))
        if (since := one["fired_at"] or one["since"])
    ]
    terminal.table(("state", "alert", "severity", "labels", "value", "since"), rows)


def _show_calls(
    terminal: Terminal,
    names: Sequence[str],
    columns: Sequence[str],
    rows: Sequence[Row],
    minutes: float,
) -> None:
    terminal.say("")
    shown = [(*(row[c] or "-" for c in columns), *_figures(row, minutes)) for row in rows]
    terminal.table((*names, *CALL_COLUMNS), shown)


def _figures(row: Row, minutes: float) -> tuple[float, str, float | None, float | None, int]:
    """Return the figures of CALL_COLUMNS; no dollars where none are known of."""
    calls, unpriced, usd = row["Calls"] or 0, row["Unpriced"] or 0, row["Usd"] or 0
    failed = f"{100 * (row['Failed'] or 0) / calls:.1f} %" if calls else "-"
    per_hour = None if unpriced and not usd else round(usd * 60 / minutes, 4)
    p95 = None if row["P95"] is None else round(row["P95"], 2)
    return round(calls / minutes, 1), failed, p95, per_hour, unpriced


def _spark(values: Sequence[float]) -> str:
    """Draw the values as bars, the highest full."""
    most = max(values, default=0) or 1
    return "".join(BARS[round(value / most * (len(BARS) - 1))] for value in values)


def _dollars(usd: float | None) -> str:
    return "an unknown sum" if usd is None else f"${usd:,.2f}"


def _without(unpriced: int) -> str:
    return f"   {unpriced:,} calls without a price" if unpriced else ""


def _labels(labels: Row) -> str:
    return ", ".join(f"{name}={value}" for name, value in labels.items())
