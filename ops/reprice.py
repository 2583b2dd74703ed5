"""Compute the costs of a period again after a correction of prices.

Every model call of the period is priced again by config/prices.toml and the price list, at its own
time. Where its cost in the log is another, an adjustment is written beside it: old, new, why and by
whom. Nothing is edited, and sums over both are right. A repeat changes nothing, also where the
first run was interrupted. Try --dry-run first. /metrics and AppMetrics keep what they counted.
"""

import threading
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from ops.console.command import Desk
from ops.console.moments import moment
from ops.console.monitor import find_monitor
from ops.console.prices_folder import declare_folder, find_folder
from ops.console.terminal import Terminal
from shared.adapters.config.config_folder import read_prices
from shared.errors import Misconfigured, RetryLater
from shared.pricing.entry import plain
from shared.usecases.spending.adjustment import Note, Repriced
from shared.usecases.spending.period import Period
from shared.usecases.spending.reprice import Adjust, Page, Reprice

EXAMPLES = """\
  bin/ops reprice --from 2026-11-01 --dry-run
  bin/ops reprice --from 2026-11-01 --to 2026-11-15 --reason "contract 8 was entered late\""""
MOST_CHARS = 1_024


@dataclass(slots=True)
class Sums:
    """What became of one model's calls. calls, changed, unpriced: calls, `count` included."""

    calls: int = 0
    changed: int = 0
    old_usd: Decimal = Decimal(0)
    new_usd: Decimal = Decimal(0)
    unpriced_before: int = 0
    unpriced_after: int = 0

    def add(self, one: Repriced) -> None:
        """Count one call in."""
        count, old = one.recorded.call.count, one.recorded.booked
        self.calls += count
        self.changed += count if one.differs else 0
        self.old_usd += old.usd or 0
        # Where nothing differs, the log's double stands for the exact amount.
        self.new_usd += (one.cost.usd if one.differs else old.usd) or 0
        self.unpriced_before += count if old.status == "unknown" else 0
        self.unpriced_after += count if one.cost.status == "unknown" else 0

    def texts(self) -> dict[str, object]:
        """Return the figures, amounts as exact text."""
        return {
            "calls": self.calls,
            "changed": self.changed,
            "old_usd": plain(self.old_usd),
            "new_usd": plain(self.new_usd),
            "difference_usd": plain(self.new_usd - self.old_usd),
            "unpriced_before": self.unpriced_before,
            "unpriced_after": self.unpriced_after,
        }


@dataclass(slots=True)
class Summary:
    """What a run did. adjustments: written, or to be written in a dry run; refused: why."""

    models: dict[tuple[str, str], Sums] = field(default_factory=dict[tuple[str, str], Sums])
    total: Sums = field(default_factory=Sums)
    adjustments: int = 0
    refused: list[str] = field(default_factory=list[str])
    unreadable: int = 0

    def add(self, calls: Iterable[Repriced]) -> None:
        """Count the calls in."""
        for one in calls:
            call = one.recorded.call
            self.total.add(one)
            self.models.setdefault((call.provider, call.model), Sums()).add(one)


def declare(parser: ArgumentParser) -> None:
    """Add the period, and what the audit trail says."""
    parser.add_argument(
        "--from", dest="start", type=moment, required=True, metavar="ISO", help="calls not before"
    )
    parser.add_argument("--to", dest="end", type=moment, metavar="ISO", help="before; default: now")
    parser.add_argument("--dry-run", action="store_true", help="show it all and write nothing")
    parser.add_argument("--reason", default="", metavar="TEXT", help="why, for the audit trail")
    parser.add_argument("--who", metavar="NAME", help="by whom; default: USER")
    declare_folder(parser)


def run(given: Namespace, desk: Desk) -> int:
    """Reprice the period; 1 when an adjustment was refused."""
    folder = find_folder(given, desk.environment)
    prices = read_prices(folder)
    period = _period(given, desk.clock.now())
    note = _note(given, desk)
    monitor = find_monitor(desk.environment)
    reprice = Reprice(monitor.log, prices, desk.clock)
    adjust = Adjust(monitor.exporter, desk.clock, note, threading.Event().wait)
    desk.terminal.note(f"reprice: calls of {monitor.name}, prices of {folder}")
    summary = _work(reprice, None if given.dry_run else adjust, period, desk.terminal)
    if given.json:
        desk.terminal.json(_machine(summary, period, given.dry_run))
    else:
        _print(desk.terminal, summary, given.dry_run)
    return 1 if summary.refused else 0


def _period(given: Namespace, now: datetime) -> Period:
    period = Period(given.start, given.end or now)
    if period.start >= period.end:
        raise Misconfigured(
            f"--from {period.start:%FT%TZ} is not before --to {period.end:%FT%TZ}. Swap them."
        )
    return period


def _note(given: Namespace, desk: Desk) -> Note:
    who = given.who or desk.environment.get("USER") or "unknown"
    if max(len(given.reason), len(who)) > MOST_CHARS:
        raise Misconfigured(f"--reason and --who take {MOST_CHARS:,} characters. Shorten them.")
    return Note(given.reason, who, desk.clock.now())


def _work(reprice: Reprice, adjust: Adjust | None, period: Period, terminal: Terminal) -> Summary:
    """Take page after page; what is written stays written, whatever comes after."""
    summary = Summary()
    pages: Sequence[Page] = reprice.pages(period)
    try:
        with terminal.progress("rows read", sum(page.rows for page in pages)) as advance:
            for page in pages:
                _do(reprice, adjust, page, summary)
                advance(page.rows)
    except RetryLater as exc:
        raise RetryLater(
            f"Stopped after {summary.adjustments:,} adjustments. {exc} Type the same command to go "
            "on."
        ) from exc
    return summary


def _do(reprice: Reprice, adjust: Adjust | None, page: Page, summary: Summary) -> None:
    judged = reprice.judge(page)
    differing = [one for one in judged.calls if one.differs]
    refused = adjust.write(differing) if adjust else []
    summary.add(judged.calls)
    summary.adjustments += len(differing) - len(refused)
    summary.refused += [one.why for one in refused]
    summary.unreadable += judged.unreadable


def _machine(summary: Summary, period: Period, dry_run: bool) -> dict[str, object]:
    return {
        "from": period.start,
        "to": period.end,
        "dry_run": dry_run,
        **summary.total.texts(),
        "adjustments": summary.adjustments,
        "refused": summary.refused,
        "unreadable": summary.unreadable,
        "models": [
            {"provider": provider, "model": model, **sums.texts()}
            for (provider, model), sums in sorted(summary.models.items())
        ],
    }


def _print(terminal: Terminal, summary: Summary, dry_run: bool) -> None:
    """Write the summary for a person."""
    rows = [(*names, *sums.texts().values()) for names, sums in sorted(summary.models.items())]
    rows.append(("all", "", *summary.total.texts().values()))
    terminal.table(("provider", "model", *Sums().texts()), rows)
    said = "would be written (--dry-run)" if dry_run else "written"
    terminal.say(f"{summary.adjustments:,} adjustments {said}")
    if summary.unreadable:
        terminal.say(f"{summary.unreadable:,} rows are of no call that could be read; left alone")
    for why in sorted(set(summary.refused)):
        terminal.note(f"reprice: {summary.refused.count(why):,} were refused: {why}")
