"""Compares AppMetrics with GET /metrics: every counter arrives there, and none twice."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ops.console.command import Desk
from ops.doctor.app import App, get
from ops.doctor.finding import Finding, ok, skipped, wrong
from shared.metrics.catalogue import METRICS

CHECK = "metrics"
KEPT = timedelta(days=30)
"""How far back AppMetrics is added up: as long as a workspace keeps it by default."""
EVERY_S = 20
ROUNDING = 1e-6
_SAMPLE = re.compile(r"^([a-z0-9_]+)(?:\{.*\})? (\S+)$", re.MULTILINE)
_COUNTERS = frozenset(name for name, metric in METRICS.items() if metric.kind == "counter")
_NAMES = ", ".join(f'"{name}"' for name in sorted(_COUNTERS))
_QUERY = (
    f"AppMetrics | where Name in ({_NAMES}) "
    "| summarize Total = sum(Sum), First = min(TimeGenerated) by Name"
)
Totals = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _Written:
    """What AppMetrics has of each counter. first: when its oldest row is of."""

    totals: Totals
    first: datetime


def compared(app: App, desk: Desk, patience: timedelta) -> Iterator[Finding]:
    """Wait until AppMetrics has what /metrics has now; yield where it has less, or more."""
    before = _scraped(app)
    if not before:
        yield skipped(CHECK, "GET /metrics returned no counters.", "export METRICS_TOKEN=…")
        return
    until = desk.clock.now() + patience
    written = _written(app, desk.clock.now())
    while (late := _more(before, written.totals)) and desk.clock.now() < until:
        desk.pause(EVERY_S)
        written = _written(app, desk.clock.now())
    if twice := _more(written.totals, _scraped(app)):
        yield wrong(
            CHECK,
            f"AppMetrics has more than GET /metrics of {twice}: totals began anew, minutes were "
            "written twice, or another deployment writes into this workspace.",
            "read docs/lost-state.md",
        )
    elif not late:
        yield ok(CHECK, f"AppMetrics has all that GET /metrics had: {len(before)} counters.")
    elif written.first < desk.clock.now() - KEPT + timedelta(days=1):
        yield skipped(CHECK, "The totals are older than what the log keeps.")
    else:
        yield wrong(
            CHECK,
            f"AppMetrics lacks a part of {late} after {patience}.",
            "read the log of evaluate_alerts: it says why metrics wait",
        )


def _more(these: Totals, than: Totals) -> str:
    """Name the counters of which these have more than those."""
    return ", ".join(
        name
        for name, total in sorted(these.items())
        if total - than.get(name, 0.0) > ROUNDING * max(1.0, total)
    )


def _scraped(app: App) -> Totals:
    """Return the sum of each counter's series; nothing where the scrape is refused."""
    answer = get(f"{app.api.url}/metrics", app.token)
    sums: dict[str, float] = {}
    for name, value in _SAMPLE.findall(answer.text if answer.ok else ""):
        if name in _COUNTERS:
            sums[name] = sums.get(name, 0.0) + float(value)
    return sums


def _written(app: App, now: datetime) -> _Written:
    rows = app.log.query(_QUERY, now - KEPT, now + timedelta(hours=1)).rows
    totals = {str(name): float(str(total)) for name, total, _ in rows}
    moments = [first for *_, first in rows if isinstance(first, datetime)]
    return _Written(totals, min(moments, default=now))
