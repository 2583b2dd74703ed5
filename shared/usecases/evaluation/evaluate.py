"""Each run: judges fast conditions, asks what is due of KQL, and decides about pages."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, partial
from typing import TypeVar

from shared.alerting.about import Links, no_links
from shared.alerting.compose import Sender
from shared.alerting.failing import is_fresh
from shared.alerting.grouping import Routes
from shared.alerting.history import STEPS_MOST
from shared.alerting.judge_fast import by_condition, judge, left_out, reach_of
from shared.alerting.muting import Quiet, Silence, alert_labels
from shared.alerting.reading import Failed, Reading
from shared.alerting.record import RuleRecord
from shared.alerting.rule import Rule
from shared.alerting.schedule import floor
from shared.alerting.succession import is_succeeded
from shared.alerting.tallies import KEPT, Tallies
from shared.errors import AgentmeterError, Misconfigured, RetryLater
from shared.invocation import about, carried
from shared.ports import Owners, UsageLog
from shared.store_ports import AlertStore
from shared.usecases.evaluation.advance import (
    NOT_NOW,
    Advanced,
    advance,
    advance_fast,
    questions,
)
from shared.usecases.evaluation.conclude import Conclude, Conclusion, Moment
from shared.usecases.evaluation.defaults import UNOWNED, no_rules, no_silences, no_tallies
from shared.usecases.evaluation.freshness import PROBE, Reach, probes, reach, reach_question
from shared.usecases.evaluation.log_wrappers import AskedOnce, Asking, InTime, NotYet, Question
from shared.usecases.evaluation.page_context import decided_here, traced, with_facts
from shared.usecases.evaluation.run import FAST_EVERY, Run
from shared.usecases.evaluation.run_report import (
    RuleReport,
    TickReport,
    failure,
    log_report,
    log_wrong_clock,
    note_failures,
    report_of,
)

KQL_S = 10.0
"""What a run waits for KQL; what has no answer by then is taken by the next run."""
QUERIES_AT_ONCE = 4
"""Log Analytics lets one identity run five."""

logger = logging.getLogger(__name__)
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Evaluate:
    """Takes every rule to the present; its state and the page to send are one write.

    deployment, link: what pages say of where they come from; link may be "". links: makes those of
    a page to its runbook, its query and so on. own: rules that are always there. tallies: returns
    those since a moment. kql_s: how long a run waits for KQL; None for as long as it takes. owners:
    what holds incidents.
    """

    rules: Callable[[], Sequence[Rule]]
    log: UsageLog
    alerts: AlertStore
    routes: Callable[[], Routes]
    deployment: str
    link: str
    silences: Callable[[], Sequence[Silence]] = no_silences
    links: Links = no_links
    own: Callable[[], Sequence[Rule]] = no_rules
    tallies: Callable[[datetime], Tallies] = no_tallies
    kql_s: float | None = KQL_S
    owners: Owners = UNOWNED

    @property
    def _conclude(self) -> Conclude:
        return Conclude(self.routes(), Sender(self.deployment, self.link), self.owners)

    @cached_property
    def _asking(self) -> Asking:
        wait_s = None if self.kql_s is None else self.kql_s / 2
        return Asking(self.log, QUERIES_AT_ONCE, wait_s)

    def tick(self, now: datetime) -> TickReport:
        """Evaluate what is due; as begin(), fast() and main()."""
        run = self.begin(now)
        fast = self.fast(run)
        return self.main(run).after(fast)

    def begin(self, now: datetime) -> Run:
        """Read the rules and their state.

        Where the rules cannot be read, the own ones alone are evaluated, and the state of all
        others stays as it is. Soon after a deployment nothing becomes stale.
        Raises:
            RetryLater: the store does not answer.
        """
        operators, problem = self._operators()
        stored = {record.rule: record for record in self.alerts.load_all()}
        log_wrong_clock(stored.values(), now)
        own = [
            rule
            for rule in self.own()
            if rule.query != PROBE
            or not is_fresh(stored.values(), now)
            or (rule.key in stored and stored[rule.key].series)
        ]
        rules = {rule.key: rule for rule in (*operators, *own)}
        return Run(floor(now, FAST_EVERY), now, rules, problem, stored)

    def fast(self, run: Run) -> TickReport:
        """Judge the fast conditions by their tallies, without a query, and store what changed."""
        tallied = {key: rule for key, rule in run.rules.items() if rule.tallied}
        if not tallied:
            return TickReport(run.at, ())
        run.fast = self._judged(tallied, run)
        results = _each(1, partial(self._advance_fast, run), tallied)
        changed = [item for item in results if isinstance(item, Advanced) and run.is_new(item)]
        failures = [item for item in results if isinstance(item, RuleReport)]
        return self._finished(run, changed, failures)

    def main(self, run: Run) -> TickReport:
        """Evaluate the rules that are due, and what was missed before, as far as the log answers.

        The failure of a rule is in the report and stops no other. Once a minute it is also decided
        about the rules that are not due.
        """
        due = {key: rule for key, rule in run.rules.items() if run.due_times(rule)}
        if not due and run.at != run.minute:
            return TickReport(run.at, (), run.problem)
        try:
            reached = self._asked(run, due.values())
        except NotYet:
            waiting = tuple(RuleReport(key, "waiting") for key in due)
            return TickReport(run.at, waiting, run.problem)
        advancing = partial(self._advance, run, reached)
        results = _each(QUERIES_AT_ONCE, advancing, run.rules)
        advanced = [item for item in results if isinstance(item, Advanced)]
        waiting = [RuleReport(a.rule.key, "waiting") for a in advanced if run.waits(a)]
        failures = [item for item in results if isinstance(item, RuleReport)]
        report = self._finished(run, advanced, [*failures, *self._gone(run)])
        every, lag = (*report.rules, *waiting), reached.lag(run.minute)
        return replace(report, rules=every, problem=run.problem, lag=lag)

    def _judged(self, rules: Mapping[str, Rule], run: Run) -> dict[str, Reading]:
        """Return what the tallies say of each rule; where they cannot be read, that."""
        try:
            tallies = self.tallies(run.now - KEPT)
        except AgentmeterError as exc:
            return dict.fromkeys(rules, Failed(f"fast: {exc}"))
        reach, known = reach_of(tallies, run.now), by_condition(tallies)
        readings: dict[str, Reading] = {}
        for key, rule in rules.items():
            if rule.tallied:
                series = known.get(rule.tallied.digest, {})
                readings[key] = judge(rule.tallied, series, reach, run.now)
                run.left_out[key] = left_out(series)
        return readings

    def _advance_fast(self, run: Run, rule: Rule) -> Advanced:
        return advance_fast(rule, run.record(rule), run.at, run.fast[rule.key])

    def _advance(self, run: Run, reached: Reach, rule: Rule) -> Advanced:
        """Take a rule to the present from where it was left."""
        fast, more = run.fast.get(rule.key, NOT_NOW), run.left_out.get(rule.key, 0)
        advanced = advance(self._asking, rule, run.record(rule), run.minute, reached, fast)
        if not more or not advanced.due.times:
            return advanced
        record = replace(advanced.record, left_out=advanced.record.left_out + more)
        return replace(advanced, record=record)

    def _asked(self, run: Run, due: Collection[Rule]) -> Reach:
        """Ask all that the rules need, and wait for the answers; return how far the log reaches.

        Raises:
            NotYet: the log does not even say that.
        """
        times = {at for rule in due for at in run.due_times(rule)}
        first = [reach_question(run.minute), *(one for at in times for one in probes(at, Reach()))]
        self._asking.expect(first if due else ())
        reached = reach(self._asking, run.minute) if due else Reach()
        asked: list[Question] = []
        for rule in due:
            with about(rule=rule.key):
                of_rule = questions(self._asking, rule, run.record(rule), run.minute, reached)
                asked += self._asking.ask(of_rule)
        self._asking.forget_others([*first, *asked])
        self._asking.expect(asked)
        return reached

    def _finished(
        self, run: Run, advanced: Sequence[Advanced], others: Sequence[RuleReport]
    ) -> TickReport:
        """Decide about the rules that have moved, and report it with the others."""
        reports = [*others, *self._decided(run, advanced)]
        run.stored |= note_failures(self.alerts, reports, run.at)
        for report in reports:
            log_report(report)
        return TickReport(run.at, tuple(sorted(reports, key=lambda report: report.rule)))

    def _decided(self, run: Run, advanced: Sequence[Advanced]) -> Sequence[RuleReport]:
        """Decide about the rules that have moved, and store that."""
        if not advanced:
            return ()
        news = {item.rule.key: item for item in advanced}
        kept = {key: record for key, record in run.stored.items() if key in run.rules}
        moment = self._moment(run, kept | {key: item.record for key, item in news.items()})
        with InTime(self.log) as soon:
            return _each(1, partial(self._concluded, run, moment, AskedOnce(soon)), news)

    def _gone(self, run: Run) -> Sequence[RuleReport]:
        """End the alerts of rules that are no more."""
        removed = {} if run.problem else {k: run.stored[k] for k in run.stored.keys() - run.rules}
        owing = {
            key: record
            for key, record in removed.items()
            if self._conclude.owes(record, run.at)
            and not is_succeeded(record, run.stored, run.rules.keys())
        }
        return _each(1, partial(self._removed, run, self._moment(run, {})), owing) if owing else ()

    def _operators(self) -> tuple[Sequence[Rule], str]:
        """Return the operator's rules, or why they cannot be read."""
        try:
            return self.rules(), ""
        except Misconfigured as exc:
            logger.error("%s", exc)  # noqa: TRY400 - the message says where, and the remedy
            return (), str(exc)

    def _moment(self, run: Run, records: Mapping[str, RuleRecord]) -> Moment:
        """Gather what mutes, after all rules have moved and before any page is decided."""
        at = run.at
        firing = [
            alert_labels(record.rule, alert)
            for record in records.values()
            for alert in record.firing.values()
        ]
        return Moment(at, run.now, Quiet(at, self.routes().inhibitions, self.silences(), firing))

    def _concluded(self, run: Run, moment: Moment, aside: UsageLog, item: Advanced) -> RuleReport:
        """Decide about the rule's pages, and store them with its state.

        aside: asked for what makes a page more useful.
        """
        conclusion = self._conclude.rule(item, moment)
        with about(rule=item.rule.key):
            pages = traced(conclusion.pages, item.rule, aside, moment.at)
            pages = with_facts(pages, item.rule, item.record, aside, self.links)
            conclusion = conclusion.with_pages(pages)
        report = report_of(item, conclusion)
        before, after = item.record.muted_by, conclusion.record.muted_by
        if report.outcome == "not due" and before == after and not run.is_new(item):
            return report
        if before != after:
            logger.info("%s is muted by: %s", item.rule.key, after or "nothing any more")
        return self._store(run, conclusion, report)

    def _removed(self, run: Run, moment: Moment, record: RuleRecord) -> RuleReport:
        """End the alerts of a rule that is no more."""
        conclusion = self._conclude.removed(record, moment)
        conclusion = conclusion.with_pages(map(decided_here, conclusion.pages))
        report = RuleReport(
            *(record.rule, "removed"),
            transitions=conclusion.transitions,
            reason=conclusion.reason,
            pages=conclusion.pages,
        )
        return self._store(run, conclusion, report)

    def _store(self, run: Run, conclusion: Conclusion, report: RuleReport) -> RuleReport:
        """Write state, pages and history in one; a faster process has sent them already."""
        steps = conclusion.steps[-STEPS_MOST:]
        try:
            run.stored[report.rule] = self.alerts.save(conclusion.record, conclusion.pages, steps)
        except RetryLater as exc:
            return RuleReport(report.rule, "not stored", error=str(exc))
        except AgentmeterError as exc:
            return RuleReport(report.rule, "failed", error=str(exc))
        return report


def _each(
    workers: int, work: Callable[[Item], Result], items: Mapping[str, Item]
) -> list[Result | RuleReport]:
    """Do the work for every rule, whatever becomes of the others."""
    with ThreadPoolExecutor(workers) as pool:
        futures = {key: pool.submit(carried(work), item) for key, item in items.items()}
    return [
        failure(key, exc) if (exc := future.exception()) else future.result()
        for key, future in futures.items()
    ]
