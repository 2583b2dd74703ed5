"""What became of the rules in a run of the timer, for logs and watchers."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from shared.alerting.page import Page
from shared.alerting.record import RuleRecord, Transition
from shared.errors import AgentmeterError
from shared.invocation import failed
from shared.store_ports import AlertStore
from shared.usecases.evaluation.advance import Advanced
from shared.usecases.evaluation.conclude import Conclusion

ERROR_KEPT = 500

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RuleReport:
    """What became of one rule in a tick.

    waiting: the log has not answered yet, and the next run goes on. not stored: another evaluator
    was faster and its result stands, or the store did not answer.
    planned: the planned times that the rule was taken through; skipped: those given up as too old.
    reason: why a page was sent, or was not.
    """

    rule: str
    outcome: Literal[
        "evaluated", "not due", "waiting", "query failed", "not stored", "failed", "removed"
    ]
    planned: tuple[datetime, ...] = ()
    skipped: int = 0
    transitions: tuple[Transition, ...] = ()
    reason: str = ""
    pages: tuple[Page, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class TickReport:
    """What became of a run. at: its planned time.

    problem: why the rules could not be read; "" where they were. lag: how late the log shows rows,
    at least; None where that is not known.
    """

    at: datetime
    rules: tuple[RuleReport, ...]
    problem: str = ""
    lag: timedelta | None = None

    @property
    def complete(self) -> bool:
        """Return whether rules were due, every one of them had its answer, and it was stored.

        A run in which none was due is no sign that all goes well.
        """
        outcomes = {item.outcome for item in self.rules}
        good = outcomes <= {"evaluated", "not due", "removed"}
        return not self.problem and good and "evaluated" in outcomes

    @property
    def pages(self) -> bool:
        """Return whether a page came of it."""
        return any(item.pages for item in self.rules)

    def after(self, earlier: "TickReport") -> "TickReport":
        """Return it with what an earlier part of the run did."""
        return replace(self, rules=(*earlier.rules, *self.rules))


def report_of(item: Advanced, conclusion: Conclusion) -> RuleReport:
    """Report a rule that was evaluated, or had nothing to do."""
    failing = "query failed" if item.record.errors else "evaluated"
    return RuleReport(
        item.record.rule,
        failing if item.due.times or conclusion.pages else "not due",
        item.due.times,
        item.due.skipped,
        item.transitions,
        conclusion.reason,
        conclusion.pages,
        item.record.last_error,
    )


def log_wrong_clock(records: Iterable[RuleRecord], now: datetime) -> None:
    """Say once a run which rules were last evaluated by a clock that was ahead."""
    ahead = sorted(record.rule for record in records if record.is_ahead_of(now))
    if ahead:
        rules = ", ".join(ahead)
        logger.error("A clock was ahead of %s when these rules were evaluated: %s", now, rules)


def log_report(report: RuleReport) -> None:
    """Say what changed, what was sent and what failed."""
    for change in report.transitions:
        logger.info(
            "%s %s is %s: %s", report.rule, dict(change.series), change.state, change.reason
        )
    for page in report.pages:
        logger.info("%s: %s (%s)", page.dedup_key, page.action, page.reason)
    if report.error:
        logger.warning("%s: %s: %s", report.rule, report.outcome, report.error)


def failure(rule: str, exc: BaseException) -> RuleReport:
    """Report a fault of ours in one rule; its state is as before."""
    logger.error("rule %s failed", rule, exc_info=exc)
    failed(exc, rule=rule)
    return RuleReport(rule, "failed", error=f"{type(exc).__name__}: {exc}")


def note_failures(
    alerts: AlertStore, reports: Sequence[RuleReport], at: datetime
) -> Mapping[str, RuleRecord]:
    """Note with each rule's stored state that it failed, its alerts left as they are.

    So a state that cannot be stored, or a fault of ours, counts as no answer does. Returns what is
    stored now, by rule.
    """
    noted: dict[str, RuleRecord] = {}
    for report in reports:
        if report.outcome != "failed":
            continue
        try:
            failing = alerts.load(report.rule).failing(report.error[:ERROR_KEPT], at)
            noted[report.rule] = alerts.save(failing, ())
        except AgentmeterError as exc:
            logger.warning("The failure of %s was not stored: %s", report.rule, exc)
    return noted
