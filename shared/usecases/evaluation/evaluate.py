"""Every minute: asks what the rules ask, and decides whom to tell."""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Literal, TypeVar

from shared.alerting.about import Links, no_links
from shared.alerting.compose import Sender
from shared.alerting.grouping import Routes
from shared.alerting.history import STEPS_MOST
from shared.alerting.muting import Quiet, Silence, alert_labels
from shared.alerting.page import Page
from shared.alerting.record import RuleRecord, Transition
from shared.alerting.rule import Rule
from shared.alerting.schedule import floor
from shared.errors import Misconfigured, RetryLater
from shared.invocation import about, carried, failed
from shared.ports import AlertStore, UsageLog
from shared.usecases.evaluation.advance import Advanced, advance
from shared.usecases.evaluation.conclude import Conclude, Conclusion, Moment
from shared.usecases.evaluation.log_wrappers import AskedOnce, InTime
from shared.usecases.evaluation.page_context import decided_here, traced, with_facts

QUERIES_AT_ONCE = 4
"""Log Analytics lets one identity run five."""

logger = logging.getLogger(__name__)
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class RuleReport:
    """What became of one rule in a tick.

    not stored: another evaluator was faster and its result stands, or the store did not answer.
    planned: the planned times that the rule was taken through; skipped: those given up as too old.
    reason: why a person was told, or was not.
    """

    rule: str
    outcome: Literal["evaluated", "not due", "query failed", "not stored", "failed", "removed"]
    planned: tuple[datetime, ...] = ()
    skipped: int = 0
    transitions: tuple[Transition, ...] = ()
    reason: str = ""
    pages: tuple[Page, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class TickReport:
    """What became of a tick. at: its planned time, a whole minute.

    problem: why the rules could not be read; "" where they were.
    """

    at: datetime
    rules: tuple[RuleReport, ...]
    problem: str = ""

    @property
    def complete(self) -> bool:
        """Tell whether every rule that was due had its answer, and it was stored."""
        return not self.problem and all(
            item.outcome in ("evaluated", "not due", "removed") for item in self.rules
        )


def no_silences() -> Sequence[Silence]:
    """Silence nothing."""
    return ()


@dataclass(frozen=True)
class Evaluate:
    """Takes every rule to the present minute; its state and the page to send are one write.

    deployment, link: what pages say of where they come from; link may be "". links: makes those of
    a page to its runbook, its query and so on. own: rules that are always there.
    """

    rules: Callable[[], Sequence[Rule]]
    log: UsageLog
    alerts: AlertStore
    routes: Routes
    deployment: str
    link: str
    silences: Callable[[], Sequence[Silence]] = no_silences
    links: Links = no_links
    own: Sequence[Rule] = ()

    @property
    def _conclude(self) -> Conclude:
        return Conclude(self.routes, Sender(self.deployment, self.link))

    def tick(self, now: datetime) -> TickReport:
        """Evaluate what is due at this minute, and what was missed before it.

        The failure of a rule is in the report and stops no other. Where the rules cannot be read,
        the own ones alone are evaluated, and the state of all others stays as it is.
        Raises:
            RetryLater: the store does not answer.
        """
        at = floor(now, timedelta(minutes=1))
        operators, problem = self._operators()
        rules = {rule.key: rule for rule in (*operators, *self.own)}
        stored = {record.rule: record for record in self.alerts.load_all()}
        log = AskedOnce(self.log)
        results = _each(QUERIES_AT_ONCE, partial(self._advance, log, stored, at), rules)
        advanced = {item.rule.key: item for item in results if isinstance(item, Advanced)}
        removed = {} if problem else {key: stored[key] for key in stored.keys() - rules}
        gone = {key: record for key, record in removed.items() if self._conclude.owes(record, at)}
        kept = {key: record for key, record in stored.items() if key in rules}
        moment = self._moment(at, now, kept | {k: item.record for k, item in advanced.items()})
        with InTime(self.log) as soon:
            told = _each(1, partial(self._told, moment, AskedOnce(soon)), advanced)
        reports = [
            *(item for item in results if isinstance(item, RuleReport)),
            *told,
            *_each(1, partial(self._removed, moment), gone),
        ]
        for report in reports:
            _log(report)
        return TickReport(at, tuple(sorted(reports, key=lambda report: report.rule)), problem)

    def _operators(self) -> tuple[Sequence[Rule], str]:
        """Return the operator's rules, or why they cannot be read."""
        try:
            return self.rules(), ""
        except Misconfigured as exc:
            logger.error("%s", exc)  # noqa: TRY400 - the message says where, and the remedy
            return (), str(exc)

    def _advance(
        self, log: UsageLog, stored: Mapping[str, RuleRecord], at: datetime, rule: Rule
    ) -> Advanced:
        """Take a rule to the present from where it was left."""
        return advance(log, rule, stored.get(rule.key) or RuleRecord(rule.key), at)

    def _moment(self, at: datetime, now: datetime, records: Mapping[str, RuleRecord]) -> Moment:
        """Gather what mutes, after all rules have moved and before any page is decided."""
        firing = [
            alert_labels(record.rule, alert)
            for record in records.values()
            for alert in record.firing.values()
        ]
        return Moment(at, now, Quiet(at, self.routes.inhibitions, self.silences(), firing))

    def _told(self, moment: Moment, aside: UsageLog, item: Advanced) -> RuleReport:
        """Decide whether a person is told of the rule, and store that with its state.

        aside: asked for what makes a page more useful.
        """
        conclusion = self._conclude.rule(item, moment)
        with about(rule=item.rule.key):
            pages = traced(conclusion.pages, item.rule, aside, moment.at)
            pages = with_facts(pages, item.rule, item.record, aside, self.links)
            conclusion = conclusion.with_pages(pages)
        report = _report(item, conclusion)
        before, after = item.record.muted_by, conclusion.record.muted_by
        if report.outcome == "not due" and before == after:
            return report
        if before != after:
            logger.info("%s is muted by: %s", item.rule.key, after or "nothing any more")
        return self._store(conclusion, report)

    def _removed(self, moment: Moment, record: RuleRecord) -> RuleReport:
        """End the alerts of a rule that is no more."""
        conclusion = self._conclude.removed(record, moment)
        conclusion = conclusion.with_pages(map(decided_here, conclusion.pages))
        report = RuleReport(
            *(record.rule, "removed"),
            transitions=conclusion.transitions,
            reason=conclusion.reason,
            pages=conclusion.pages,
        )
        return self._store(conclusion, report)

    def _store(self, conclusion: Conclusion, report: RuleReport) -> RuleReport:
        """Write state, pages and history in one; whoever was faster has told already."""
        try:
            self.alerts.save(conclusion.record, conclusion.pages, conclusion.steps[-STEPS_MOST:])
        except RetryLater as exc:
            return RuleReport(report.rule, "not stored", error=str(exc))
        return report


def _each(
    workers: int, work: Callable[[Item], Result], items: Mapping[str, Item]
) -> list[Result | RuleReport]:
    """Do the work for every rule, whatever becomes of the others."""
    with ThreadPoolExecutor(workers) as pool:
        futures = {key: pool.submit(carried(work), item) for key, item in items.items()}
    return [
        _failed(key, exc) if (exc := future.exception()) else future.result()
        for key, future in futures.items()
    ]


def _failed(rule: str, exc: BaseException) -> RuleReport:
    """Report a fault of ours in one rule's tick; its state is as before."""
    logger.error("rule %s failed", rule, exc_info=exc)
    failed(exc, rule=rule)
    return RuleReport(rule, "failed", error=f"{type(exc).__name__}: {exc}")


def _report(item: Advanced, conclusion: Conclusion) -> RuleReport:
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


def _log(report: RuleReport) -> None:
    """Say what changed, what was sent and what failed."""
    for change in report.transitions:
        logger.info(
            "%s %s is %s: %s", report.rule, dict(change.series), change.state, change.reason
        )
    for page in report.pages:
        logger.info("%s: %s (%s)", page.dedup_key, page.action, page.reason)
    if report.error:
        logger.warning("%s: %s: %s", report.rule, report.outcome, report.error)
