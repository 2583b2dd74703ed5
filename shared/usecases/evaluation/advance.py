"""Takes one rule to the present: asks its queries and steps its alerts, minute by minute."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from shared.alerting import chronicle
from shared.alerting.evidence import evidence
from shared.alerting.history import Step
from shared.alerting.reading import Failed, Reading, Stale, read_samples
from shared.alerting.record import RuleRecord, Transition
from shared.alerting.rule import Look, Rule, bind
from shared.alerting.schedule import Due, due
from shared.alerting.state import outdated, step
from shared.errors import AgentmeterError
from shared.invocation import about
from shared.ports import UsageLog
from shared.usecases.evaluation.freshness import STALE, is_own, is_stale


@dataclass(frozen=True, slots=True)
class Advanced:
    """A rule whose state is at the present and not yet stored. transitions: the new ones.

    steps: the same, with their evidence.
    """

    rule: Rule
    record: RuleRecord
    due: Due
    transitions: tuple[Transition, ...]
    steps: list[Step]


def advance(log: UsageLog, rule: Rule, record: RuleRecord, now: datetime) -> Advanced:
    """Take the rule through every planned time that is due.

    A query that fails is an error of that planned time: it is in the record, and is not raised.
    """
    plan = _plan(rule, record, now)
    record = _as_edited(rule, record) if plan.times else record
    made: list[Transition] = []
    steps: list[Step] = []
    for at in plan.times:
        with about(rule=rule.key):
            readings = _readings(log, rule, record, at)
        stepped = step(rule, record.series, at, readings)
        steps += chronicle.transitions(rule, record, stepped.series, stepped.transitions, readings)
        record = record.with_transitions(stepped.transitions)
        looked = tuple(evidence(look, at, readings[look.name]) for look in rule.looks)
        record = replace(record, series=stepped.series, looked=looked)
        record = _with_answers(record, at, readings)
        made += stepped.transitions
    return Advanced(rule, record, plan, tuple(made), steps)


def _as_edited(rule: Rule, record: RuleRecord) -> RuleRecord:
    """Note what the rule asks now, and of which alerts that says nothing yet."""
    edited = record.asks not in ("", rule.asks)
    return replace(
        record, asks=rule.asks, series=outdated(record.series) if edited else record.series
    )


def _plan(rule: Rule, record: RuleRecord, now: datetime) -> Due:
    """Return the planned times; an own rule is about the present, not about minutes long gone."""
    plan = due(rule.every, record.last_at, now)
    return Due(plan.times[-1:]) if is_own(rule) else plan


def _readings(log: UsageLog, rule: Rule, record: RuleRecord, at: datetime) -> Mapping[str, Reading]:
    """Ask what the looks ask, unless what they ask of is stale.

    The first look of a rule is believed: it has no alerts that silence could end, and in a new
    deployment nothing has arrived yet.
    """
    if record.last_at and not is_own(rule) and is_stale(log, at):
        return {look.name: Stale(STALE) for look in rule.looks}
    return {look.name: _read(log, look, at) for look in rule.looks}


def _read(log: UsageLog, look: Look, at: datetime) -> Reading:
    """Ask what a look asks of the window that ends `offset` before the planned time."""
    end = at - look.offset
    start = end - look.window
    try:
        table = log.query(bind(look.query, start, end, look.calendar), start, end)
        return read_samples(table.columns, table.rows)
    except AgentmeterError as exc:
        return Failed(f"{look.name}: {exc}")


def _with_answers(record: RuleRecord, at: datetime, readings: Mapping[str, Reading]) -> RuleRecord:
    """Note how the rule itself is: when it was last evaluated, and whether all went well."""
    why = "; ".join(item.why for item in readings.values() if isinstance(item, Failed))
    if why:
        return replace(record, last_at=at, errors=record.errors + 1, last_error=why)
    return replace(record, last_at=at, last_good_at=at, errors=0, last_error="")
