"""Every minute: asks what the rules ask, and decides whom to tell."""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Literal, TypeVar, cast

from shared.alerting.chronicle import decided, dropped, reason_of
from shared.alerting.compose import (
    Sender,
    in_line,
    incident_after,
    resolve,
    resolved_after,
    trigger,
)
from shared.alerting.decide import Decision, decide, is_repeated
from shared.alerting.grouping import Group, Receiver, Routes
from shared.alerting.history import STEPS_MOST, Step
from shared.alerting.muting import Quiet, Silence, alert_labels
from shared.alerting.page import Dead, Page, Severity
from shared.alerting.record import Incident, RuleRecord, Transition
from shared.alerting.rule import Rule
from shared.alerting.schedule import floor
from shared.alerting.state import drop
from shared.errors import RetryLater
from shared.ports import AlertStore, UsageLog
from shared.usecases.advance import Advanced, advance
from shared.usecases.asked_once import AskedOnce

QUERIES_AT_ONCE = 4
"""Log Analytics lets one identity run five."""
SETTLED_SEEN = 500
"""Of so many pages it is known whether they died: more than go out in a group interval."""

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
    page: Page | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class TickReport:
    """What became of a tick. at: its planned time, a whole minute."""

    at: datetime
    rules: tuple[RuleReport, ...]

    @property
    def complete(self) -> bool:
        """Tell whether every rule that was due had its answer, and it was stored."""
        return all(item.outcome in ("evaluated", "not due", "removed") for item in self.rules)


@dataclass(frozen=True, slots=True)
class _Moment:
    """What all decisions of a tick share. died: the ids of pages that nobody took."""

    at: datetime
    now: datetime
    quiet: Quiet
    died: frozenset[str]


def no_silences() -> Sequence[Silence]:
    """Silence nothing."""
    return ()


@dataclass(frozen=True)
class Evaluate:
    """Takes every rule to the present minute; its state and the page to send are one write.

    deployment, link: what pages say of where they come from; link may be "".
    """

    rules: Callable[[], Sequence[Rule]]
    log: UsageLog
    alerts: AlertStore
    routes: Routes
    deployment: str
    link: str
    silences: Callable[[], Sequence[Silence]] = no_silences

    @property
    def _sender(self) -> Sender:
        return Sender(self.deployment, self.link)

    def tick(self, now: datetime) -> TickReport:
        """Evaluate what is due at this minute, and what was missed before it.

        The failure of a rule is in the report and stops no other.
        Raises:
            Misconfigured: the rules cannot be read; no state was touched.
            RetryLater: the store does not answer.
        """
        at = floor(now, timedelta(minutes=1))
        rules = {rule.key: rule for rule in self.rules()}
        stored = {record.rule: record for record in self.alerts.load_all()}
        log = AskedOnce(self.log)
        results = _each(QUERIES_AT_ONCE, partial(self._advance, log, stored, at), rules)
        advanced = {item.rule.key: item for item in results if isinstance(item, Advanced)}
        removed = {key: stored[key] for key in stored.keys() - rules}
        gone = {key: record for key, record in removed.items() if self._owes(record, at)}
        kept = {key: record for key, record in stored.items() if key in rules}
        moment = self._moment(at, now, kept | {k: item.record for k, item in advanced.items()})
        reports = [
            *(item for item in results if isinstance(item, RuleReport)),
            *_each(1, partial(self._conclude, moment), advanced),
            *_each(1, partial(self._remove, moment), gone),
        ]
        for report in reports:
            _log(report)
        return TickReport(at, tuple(sorted(reports, key=lambda report: report.rule)))

    def _advance(
        self, log: UsageLog, stored: Mapping[str, RuleRecord], at: datetime, rule: Rule
    ) -> Advanced:
        """Take a rule to the present from where it was left."""
        return advance(log, rule, stored.get(rule.key) or RuleRecord(rule.key), at)

    def _moment(self, at: datetime, now: datetime, records: Mapping[str, RuleRecord]) -> _Moment:
        """Gather what mutes and what died, after all rules have moved and before any is told."""
        firing = [
            alert_labels(record.rule, alert)
            for record in records.values()
            for alert in record.firing.values()
        ]
        is_open = any(record.incident for record in records.values())
        settled = self.alerts.history(SETTLED_SEEN) if is_open else ()
        died = frozenset(page.id for page, outcome, _ in settled if isinstance(outcome, Dead))
        return _Moment(at, now, Quiet(at, self.routes.inhibitions, self.silences(), firing), died)

    def _conclude(self, moment: _Moment, item: Advanced) -> RuleReport:
        """Decide whether a person is told of the rule, and store that with its state."""
        group = _group(item, moment)
        own = self.routes.receiver_for(item.rule.route, item.rule.severity)
        route, receiver = self._receiver(own, group.incident)
        if item.rule.repeat_interval:
            receiver = receiver.reminding_every(item.rule.repeat_interval)
        decision = decide(group, receiver, moment.at)
        page = self._page(item.rule, group, route, decision, moment.now)
        page = page and in_line(page, item.record.paged)
        report = _report(item, decision, page)
        if report.outcome == "not due" and group.muted_by == item.record.muted_by:
            return report
        incident = incident_after(group, page, moment.at) if page else group.incident
        after = replace(
            item.record,
            incident=incident,
            resolved=resolved_after(group, page, moment.at),
            paged=page.id if page else item.record.paged,
            muted_by=group.muted_by,
            decided=reason_of(decision, group.muted_by),
        )
        if after.muted_by != item.record.muted_by:
            logger.info("%s is muted by: %s", item.rule.key, after.muted_by or "nothing any more")
        steps = item.steps + decided(item.record, decision, group.muted_by, page, moment.at)
        return self._store(after, report, steps)

    def _page(
        self, rule: Rule, group: Group, route: str, decision: Decision, now: datetime
    ) -> Page | None:
        """Return the page that the decision asks for."""
        if decision.action == "trigger":
            return trigger(self._sender, rule, group, route, decision, now)
        if decision.action == "resolve":
            return self._resolve(rule.key, group, decision, now)
        return None

    def _resolve(self, rule: str, group: Group, decision: Decision, now: datetime) -> Page | None:
        """Return the page that ends the open incident, or ends the one before once more."""
        incident = group.incident or (group.resolved and group.resolved.incident)
        return incident and resolve(self._sender, rule, incident, decision, now)

    def _receiver(self, own: str, incident: Incident | None) -> tuple[str, Receiver]:
        """Return who is told, by name: who was told of the open incident, if there is one."""
        route = incident.route if incident else own
        return route, self.routes.receivers.get(route) or self.routes.receivers[own]

    def _remove(self, moment: _Moment, record: RuleRecord) -> RuleReport:
        """End the alerts of a rule that is no more; its open incident is resolved."""
        lives = record.incident or record.series
        decision = Decision("rule removed" if lives else "resolved again", "resolve")
        group = Group({}, record.incident, resolved=record.resolved)
        made = drop(record.series, moment.at, decision.reason)
        page = None
        if record.incident or not record.series:
            page = self._resolve(record.rule, group, decision, moment.now)
            page = page and in_line(page, record.paged)
        after = replace(
            record.with_transitions(made),
            series={},
            incident=None,
            resolved=resolved_after(group, page, moment.at),
            paged=page.id if page else record.paged,
        )
        report = RuleReport(
            record.rule, "removed", transitions=made, reason=decision.reason, page=page
        )
        steps = dropped(record, made) + decided(record, decision, "", page, moment.at)
        return self._store(after, report, steps)

    def _owes(self, record: RuleRecord, at: datetime) -> bool:
        """Tell whether something of a rule that is no more is yet to be ended."""
        severity = cast("Severity", record.rule.rpartition("/")[2])
        receiver = self.routes.receivers[self.routes.receiver_of(severity)]
        return bool(record.series or record.incident) or is_repeated(record.resolved, receiver, at)

    def _store(self, record: RuleRecord, report: RuleReport, steps: Sequence[Step]) -> RuleReport:
        """Write the state, its page and its history in one; whoever was faster has told already."""
        try:
            self.alerts.save(record, [report.page] if report.page else [], steps[-STEPS_MOST:])
        except RetryLater as exc:
            return RuleReport(record.rule, "not stored", error=str(exc))
        return report


def _each(
    workers: int, work: Callable[[Item], Result], items: Mapping[str, Item]
) -> list[Result | RuleReport]:
    """Do the work for every rule, whatever becomes of the others."""
    with ThreadPoolExecutor(workers) as pool:
        futures = {key: pool.submit(work, item) for key, item in items.items()}
    return [
        _failed(key, exc) if (exc := future.exception()) else future.result()
        for key, future in futures.items()
    ]


def _failed(rule: str, exc: BaseException) -> RuleReport:
    """Report a fault of ours in one rule's tick; its state is as before."""
    logger.error("rule %s failed", rule, exc_info=exc)
    return RuleReport(rule, "failed", error=f"{type(exc).__name__}: {exc}")


def _group(item: Advanced, moment: _Moment) -> Group:
    """Gather what there is to decide about a rule's alerts."""
    record = item.record
    muted = {
        key: why
        for key, alert in record.firing.items()
        if (why := moment.quiet.mutes(alert_labels(record.rule, alert)))
    }
    return Group(
        firing=record.firing,
        incident=record.incident,
        muted=muted,
        ended=any(change.state == "resolved" for change in item.transitions),
        page_died=record.incident is not None and record.incident.page in moment.died,
        resolved=record.resolved,
    )


def _report(item: Advanced, decision: Decision, page: Page | None) -> RuleReport:
    """Report a rule that was evaluated, or had nothing to do."""
    failing = "query failed" if item.record.errors else "evaluated"
    return RuleReport(
        item.record.rule,
        failing if item.due.times or page else "not due",
        item.due.times,
        item.due.skipped,
        item.transitions,
        f"{decision.reason} {decision.detail}".strip(),
        page,
        item.record.last_error,
    )


def _log(report: RuleReport) -> None:
    """Say what changed, what was sent and what failed."""
    for change in report.transitions:
        logger.info(
            "%s %s is %s: %s", report.rule, dict(change.series), change.state, change.reason
        )
    if report.page:
        logger.info("%s: %s (%s)", report.rule, report.page.action, report.reason)
    if report.error:
        logger.warning("%s: %s: %s", report.rule, report.outcome, report.error)
