"""Ask KQL of everything that was measured.

On a laptop it asks the stack that `make run` started; elsewhere, the Log Analytics workspace of
LOGS_WORKSPACE_ID. `UsageEvents` has an event a row, in typed columns.
"""

from argparse import ArgumentParser, Namespace
from datetime import datetime, timedelta

from ops.console.command import Desk
from ops.console.moments import moment, span
from ops.console.monitor import find_log
from ops.console.watch import declare_watch
from shared.errors import Misconfigured, RetryLater
from shared.ports import Table

EXAMPLES = """\
  bin/ops query "UsageEvents | summarize events = sum(Count) by Name"
  bin/ops query "UsageEvents | where Name == 'llm.call'
      | summarize usd = sum(CostUsd), calls = sum(Count) by Provider, Model" --last 1h
  bin/ops query "AppMetrics | take 5" --from 2026-01-31T12:00Z --json"""


def declare(parser: ArgumentParser) -> None:
    """Add the query, and the time that it is about."""
    parser.add_argument("kql", metavar="KQL", help="the query")
    parser.add_argument("--from", dest="start", type=moment, metavar="ISO", help="not before")
    parser.add_argument("--to", dest="end", type=moment, metavar="ISO", help="before; default: now")
    parser.add_argument(
        "--last",
        type=span,
        default=timedelta(hours=24),
        metavar="SPAN",
        help="without --from: so long before the end, as 90s, 15m, 24h (default), 7d",
    )
    parser.add_argument(
        "--workspace", metavar="ID", help="this Log Analytics workspace, not the laptop's stack"
    )
    declare_watch(parser)


def run(given: Namespace, desk: Desk) -> int:
    """Print the rows of the answer."""
    end: datetime = given.end or desk.clock.now()
    start: datetime = given.start or end - given.last
    if start >= end:
        raise Misconfigured(f"--from {start:%FT%TZ} is not before --to {end:%FT%TZ}. Swap them.")
    try:
        _, log = find_log(given.workspace, desk.environment)
        table = log.query(given.kql, start, end)
    except RetryLater as exc:
        raise RetryLater(f"{exc} On a laptop, see that `make run` is at work; ask again.") from exc
    if given.json:
        desk.terminal.json([dict(zip(table.columns, row, strict=True)) for row in table.rows])
    else:
        _show(table, desk)
    return 0


def _show(table: Table, desk: Desk) -> None:
    """Print a table of the columns that say something, and note how many do not."""
    said = [place for place, _ in enumerate(table.columns) if _says(table, place)]
    rows = [[row[place] for place in said] for row in table.rows]
    if not rows:
        desk.terminal.table(table.columns, rows)
        return
    desk.terminal.table([table.columns[place] for place in said], rows)
    if left_out := len(table.columns) - len(said):
        desk.terminal.note(f"Empty columns left out: {left_out}; --json has them.")


def _says(table: Table, place: int) -> bool:
    return any(row[place] not in (None, "") for row in table.rows)
