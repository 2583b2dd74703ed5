"""Write the events of a period to a file, with what each cost: Parquet, CSV or JSON lines.

An event counts at the time it happened, `EventTime`. Corrections of costs are rows of their own,
`Name` cost.adjustment, so that a sum of `CostUsd` is right. What was stopped goes on where it was
when the same command is typed again; until the file is whole, its parts are in OUT.parts/.
"""

import threading
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from ops.console.command import Desk
from ops.console.moments import moment
from ops.console.monitor import find_log
from ops.console.patient_log import PatientLog
from ops.console.terminal import Terminal
from ops.export.file import FORMATS, SCHEMA, make_file
from ops.export.parts import Parts, Wanted, open_parts
from shared.errors import Misconfigured
from shared.events.columns import ADJUSTMENT
from shared.events.types import KINDS
from shared.usecases.spending.log_slices import Paging
from shared.usecases.spending.spent_query import HAPPENED

EXAMPLES = """\
  bin/ops export --from 2026-11-01 --to 2026-12-01 --out november.parquet
  bin/ops export --from 2026-11-22 --kind llm.call --kind cost.adjustment --out calls.csv
  duckdb -c "select Model, sum(CostUsd) from 'november.parquet' group by all\""""
PAGE_ROWS = 20_000
"""Log Analytics answers with 100 MB at most; a row with every column in use has some 2 KB."""
KEPT = f"| extend EventTime = At\n| project {', '.join(SCHEMA)}\n| order by EventTime asc"
NAMES = (*KINDS, ADJUSTMENT)


def declare(parser: ArgumentParser) -> None:
    """Add the period, the kinds and the file."""
    parser.add_argument(
        "--from", dest="start", type=moment, required=True, metavar="ISO", help="not before"
    )
    parser.add_argument("--to", dest="end", type=moment, metavar="ISO", help="before; default: now")
    parser.add_argument(
        "--kind",
        dest="kinds",
        action="append",
        default=[],
        choices=NAMES,
        metavar="KIND",
        help="this type of event alone, such as llm.call; may be repeated; default: all",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the file")
    parser.add_argument(
        "--format", choices=tuple(FORMATS), help="default: what the file's name ends with"
    )
    parser.add_argument(
        "--workspace", metavar="ID", help="this Log Analytics workspace, not the laptop's stack"
    )


def run(given: Namespace, desk: Desk) -> int:
    """Read page after page, then make the file of them."""
    out, kind = given.out, _format(given)
    name, log = find_log(given.workspace, desk.environment)
    wanted = Wanted(log=name, start=given.start, end=given.end, kinds=tuple(sorted(given.kinds)))
    patient = PatientLog(log, desk.clock, threading.Event().wait, desk.terminal.note)
    paging = Paging(patient, desk.clock, rows_of(wanted.kinds), PAGE_ROWS)
    folder = out.with_name(f"{out.name}.parts")
    parts = open_parts(folder, wanted, desk.clock.now(), paging.pages)
    _read(parts, paging, desk.terminal)
    make_file(kind, parts.files, out)
    parts.remove()
    _print(desk.terminal, given, parts)
    return 0


def rows_of(kinds: Sequence[str]) -> str:
    """Return the query of the rows of these kinds; of all kinds where none is named."""
    if not kinds:
        return HAPPENED
    named = ", ".join(f'"{kind}"' for kind in kinds)
    return f"{HAPPENED}| where Name in ({named})\n"


def _format(given: Namespace) -> str:
    """Return the format that was named, or that the file's name ends with."""
    kind: str = given.format or given.out.suffix.removeprefix(".")
    if kind not in FORMATS:
        raise Misconfigured(
            f"{given.out.name} does not say which format it is to have. End it in "
            f".{', .'.join(FORMATS)}, or add --format."
        )
    return kind


def _read(parts: Parts, paging: Paging, terminal: Terminal) -> None:
    """Read what is not there yet."""
    missing, rows = parts.missing(), parts.rows
    if not rows:
        return
    with terminal.progress("events", rows) as advance:
        advance(rows - sum(page.rows for page in missing))
        for page in missing:
            parts.write(page, paging.ask(KEPT, page.period))
            advance(page.rows)


def _print(terminal: Terminal, given: Namespace, parts: Parts) -> None:
    period, size = parts.plan.period, given.out.stat().st_size
    if given.json:
        terminal.json(
            {
                "file": str(given.out),
                "bytes": size,
                "events": parts.rows,
                "from": period.start,
                "to": period.end,
            }
        )
        return
    terminal.say(
        f"{given.out}: {parts.rows:,} events from {period.start:%FT%TZ} up to {period.end:%FT%TZ}, "
        f"{size:,} bytes"
    )
