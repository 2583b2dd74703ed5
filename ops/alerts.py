"""Report how good each alert rule is: how soon it pages, how often, and how often rightly.

The figures are of AlertHistory, which outlives the store: on a laptop of the stack that `make run`
started, elsewhere of the workspace of LOGS_WORKSPACE_ID. docs/alert-quality.md says what they mean.
"""

import math
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from ops.console.command import Desk
from ops.console.moments import moment, span
from ops.console.monitor import find_log
from ops.console.weekly import weekly, written
from shared.alerting.rule import bind
from shared.errors import Misconfigured
from shared.usecases.explaining.drill import PREFIX

EXAMPLES = """\
  bin/ops alerts report
  bin/ops alerts report --last 90d
  bin/ops alerts report --from 2026-01-01 --to 2026-02-01 --json"""
KNOWN = """AppEvents
| where TimeGenerated >= {start} and TimeGenerated < {end}
| summarize First = min(TimeGenerated)"""
"""When the log begins: each minute's heartbeat leaves a row."""
QUALITY = f"""AlertHistory
| where TimeGenerated >= {{start}} and TimeGenerated < {{end}}
| where not(Alert startswith "{PREFIX}")
| extend Verdict = Name == "alert.verdict"
| summarize fired = countif(Name == "alert.transition" and State == "firing"),
    resolved = countif(Name == "alert.transition" and State == "resolved"),
    flaps = countif(Flap > 0),
    pages = countif(Name == "alert.page" and Action == "trigger" and State == "accepted"),
    unsent = countif(Name == "alert.page" and State == "dead"),
    detection_p50_s = percentile(DetectionDelayS, 50), detection_max_s = max(DetectionDelayS),
    notify_p50_s = percentile(NotifyDelayS, 50), notify_max_s = max(NotifyDelayS),
    mttr_s = sum(TimeToResolveS) / countif(isnotnull(TimeToResolveS)),
    verdicts = countif(Verdict), noise = countif(Verdict and State == "noise")
    by alert = Alert, severity = Severity
| order by pages desc, fired desc, alert asc, severity asc
"""
FIGURES = (
    *("alert", "severity", "fired", "flaps", "pages", "pages_a_week", "unsent", "detection_p50_s"),
    *("detection_max_s", "notify_p50_s", "notify_max_s", "mttr_s", "verdicts", "noise_percent"),
)


def declare(parser: ArgumentParser) -> None:
    """Add the time that the report is about."""
    parser.add_argument("action", choices=("report",))
    parser.add_argument("--from", dest="start", type=moment, metavar="ISO", help="not before")
    parser.add_argument("--to", dest="end", type=moment, metavar="ISO", help="before; default: now")
    parser.add_argument(
        "--last",
        type=span,
        default=timedelta(days=30),
        metavar="SPAN",
        help="without --from: so long before the end, as 24h, 7d, 30d (default)",
    )
    parser.add_argument(
        "--workspace", metavar="ID", help="this Log Analytics workspace, not the laptop's stack"
    )


def run(given: Namespace, desk: Desk) -> int:
    """Print a row for each rule that fired, was paged or was judged."""
    end: datetime = given.end or desk.clock.now()
    start: datetime = given.start or end - given.last
    if start >= end:
        raise Misconfigured(f"--from {start:%FT%TZ} is not before --to {end:%FT%TZ}. Swap them.")
    _, log = find_log(given.workspace, desk.environment)
    table = log.query(bind(QUALITY, start, end), start, end)
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    ((first,),) = log.query(bind(KNOWN, start, end), start, end).rows
    known = end - cast("datetime", first or end)
    figures = [_figures(row, known) for row in rows]
    if given.json:
        known_s = known.total_seconds()
        desk.terminal.json({"from": start, "to": end, "known_s": known_s, "rules": figures})
    else:
        desk.terminal.note(f"alerts: the log of this time holds {written(known)}")
        shown = [name.replace("_", " ") for name in FIGURES]
        desk.terminal.table(shown, [[_rounded(row[name]) for name in FIGURES] for row in figures])
    return 0


def _figures(row: Mapping[str, Any], known: timedelta) -> dict[str, Any]:
    """Add what follows from the counts; None where there is too little to divide by."""
    noise = 100 * row["noise"] / row["verdicts"] if row["verdicts"] else None
    figures = {**row, "pages_a_week": weekly(row["pages"], known), "noise_percent": noise}
    return {name: _finite(figures[name]) for name in FIGURES}


def _finite(value: object) -> object:
    """Return None for a figure of which the query had nothing to compute."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _rounded(value: object) -> object:
    """Return a figure as a person reads it."""
    return round(value, 1) if isinstance(value, float) else value
