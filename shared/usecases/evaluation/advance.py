"""Takes one rule to the present: asks its queries and steps its alerts, minute by minute."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.alerting import chronicle
from shared.alerting.bounds import bounded
from shared.alerting.evidence import evidence
from shared.alerting.history import Step
from shared.alerting.reading import Failed, Reading, Stale, Unseen, read_samples
from shared.alerting.record import RuleRecord, Spoken, Transition
from shared.alerting.rule import Condition, Rule, bind
from shared.alerting.schedule import Due, due
from shared.alerting.state import outdated, step
from shared.errors import AgentmeterError
from shared.invocation import about
from shared.ports import UsageLog
from shared.usecases.evaluation.freshness import STALE, Reach, is_own, is_stale
from shared.usecases.evaluation.log_wrappers import NotYet, Question

NOT_NOW = Unseen("it is judged in the minute's own turn")
OVERTAKING = timedelta(minutes=1)
"""What windows of rules that late rows would trip stay behind the newest heartbeat that is shown:
rows overtake each other."""


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


def advance(
    log: UsageLog, rule: Rule, record: RuleRecord, now: datetime, reach: Reach, fast: Reading
) -> Advanced:
    """Take the rule through every planned time that is due.

    reach: how far the log shows rows. fast: what the tallies say now, of a rule that has a fast
    condition. A query that fails is an error of that planned time: it is in the record, and is not
    raised. One without an answer yet leaves its planned time, and those after it, to the next run.
    """
    record = as_of(rule, record, now)
    plan = planned(rule, record, now)
    advanced = Advanced(rule, record, Due(()), (), [])
    for at in plan.times:
        conditions = effective(rule, at, reach)
        readings = {
            condition.name: fast if at == plan.times[-1] else NOT_NOW for condition in conditions
        }
        try:
            with about(rule=rule.key):
                readings |= _read_all(log, rule, advanced.record, at, conditions, reach)
        except NotYet:
            break
        advanced = _stepped(advanced, at, conditions, readings)
    done = advanced.due.times
    return replace(advanced, due=Due(done, plan.skipped if done else 0))


def advance_fast(rule: Rule, record: RuleRecord, at: datetime, fast: Reading) -> Advanced:
    """Take the fast condition alone to the moment; the main condition is as it was."""
    advanced = Advanced(rule, as_of(rule, record, at), Due(()), (), [])
    readings = {
        condition.name: fast if condition.tallied else NOT_NOW for condition in rule.conditions
    }
    bound, _ = bounded(rule.conditions, advanced.record.series, readings)
    stepped = step(rule, advanced.record.series, at, bound, _spoke(rule, record))
    steps = chronicle.transitions(rule, advanced.record, stepped, readings, rule.conditions)
    looked = tuple(
        evidence(condition, at, fast) if condition.tallied else old
        for condition, old in zip(rule.conditions, record.looked, strict=False)
    )
    after = advanced.record.with_transitions(stepped.transitions)
    after = replace(after, series=stepped.series, looked=looked or record.looked)
    return replace(advanced, record=after, transitions=stepped.transitions, steps=steps)


def planned(rule: Rule, record: RuleRecord, now: datetime) -> Due:
    """Return the planned times; an own rule is about the present, not about minutes long gone."""
    plan = due(rule.every, record.last_at, now)
    return Due(plan.times[-1:]) if is_own(rule) else plan


def effective(rule: Rule, at: datetime, reach: Reach) -> tuple[Condition, ...]:
    """Return the conditions with the offsets of that time: windows end behind nothing that the log
    does not show yet, and before that as the offset says, a minute at most, for rows that overtake
    each other.
    """
    if reach.to is None or is_own(rule):
        return rule.conditions
    return tuple(
        condition
        if condition.tallied
        else replace(
            condition,
            offset=max(condition.offset, at - reach.to + min(condition.offset, OVERTAKING)),
        )
        for condition in rule.conditions
    )


def due_times(rule: Rule, record: RuleRecord, now: datetime) -> Sequence[datetime]:
    """Return the times that advance() will take the rule through."""
    return planned(rule, as_of(rule, record, now), now).times


def questions(
    log: UsageLog, rule: Rule, record: RuleRecord, now: datetime, reach: Reach
) -> Iterator[Question]:
    """Yield what advance() will ask of the log, which has answered what is_stale() asks."""
    for at in due_times(rule, record, now):
        if record.was_evaluated and not is_own(rule) and is_stale(log, at, reach):
            continue
        for condition in effective(rule, at, reach):
            if not condition.tallied:
                yield _question(condition, at)


def as_of(rule: Rule, record: RuleRecord, now: datetime) -> RuleRecord:
    """Return the record as today's rule and clock leave it.

    now: the moment, or its minute; the fast condition may have been evaluated later in that minute.
    """
    if record.is_ahead_of(now):
        record = record.not_ahead(now)
    edited = record.asks not in ("", rule.asks)
    series = outdated(record.series) if edited else record.series
    return replace(record, asks=rule.asks, series=series)


def _stepped(
    before: Advanced, at: datetime, conditions: Sequence[Condition], readings: Mapping[str, Reading]
) -> Advanced:
    """Take the rule one planned time on."""
    rule, record = before.rule, before.record
    bound, left_out = bounded(conditions, record.series.keys() | record.spoke, readings)
    main = bound["main"]
    if rule.no_data == "alert" and isinstance(main, Mapping):
        record = record.having_heard(main, at)
    stepped = step(rule, record.series, at, bound, _spoke(rule, record))
    steps = chronicle.transitions(rule, record, stepped, readings, conditions)
    old = {item.look: item for item in record.looked}
    looked = tuple(
        old[condition.name]
        if isinstance(readings[condition.name], Unseen) and condition.name in old
        else evidence(condition, at, readings[condition.name])
        for condition in conditions
    )
    record = record.with_transitions(stepped.transitions)
    record = replace(record, series=stepped.series, looked=looked, left_out=left_out)
    record = _with_answers(record, at, readings)
    return Advanced(
        rule,
        record,
        Due((*before.due.times, at)),
        (*before.transitions, *stepped.transitions),
        [*before.steps, *steps],
    )


def _spoke(rule: Rule, record: RuleRecord) -> Mapping[str, Spoken] | None:
    """Return the series whose silence is an alert, of a rule that has been heard once."""
    return record.spoke if rule.no_data == "alert" and record.spoke else None


def _read_all(
    log: UsageLog,
    rule: Rule,
    record: RuleRecord,
    at: datetime,
    conditions: Sequence[Condition],
    reach: Reach,
) -> Mapping[str, Reading]:
    """Run the queries of the conditions, unless their source is stale or shows nothing new.

    The first evaluation of a rule is believed: it has no alerts that silence could end, and in a
    new deployment nothing has arrived yet.
    """
    asking = [condition for condition in conditions if not condition.tallied]
    if record.was_evaluated and not is_own(rule) and is_stale(log, at, reach):
        return {condition.name: Stale(STALE) for condition in asking}
    seen_to = {item.look: item.end for item in record.looked if not item.error}
    return {
        condition.name: Unseen(f"the log shows rows up to {reach.to:%H:%M} alone")
        if reach.to
        and condition.name in seen_to
        and at - condition.offset <= seen_to[condition.name]
        else _read(log, condition, at)
        for condition in asking
    }


def _question(condition: Condition, at: datetime) -> Question:
    """Bind a condition's query to the window that ends `offset` before the planned time."""
    end = at - condition.offset
    start = end - condition.window
    return bind(condition.query, start, end, condition.calendar), start, end


def _read(log: UsageLog, condition: Condition, at: datetime) -> Reading:
    try:
        table = log.query(*_question(condition, at))
        return read_samples(table.columns, table.rows)
    except NotYet:
        raise
    except AgentmeterError as exc:
        return Failed(f"{condition.name}: {exc}")


def _with_answers(record: RuleRecord, at: datetime, readings: Mapping[str, Reading]) -> RuleRecord:
    """Note how the rule itself is: when it was last evaluated, and whether all went well."""
    if record.last_at is None:
        record = replace(record, first_at=at)
    why = "; ".join(item.why for item in readings.values() if isinstance(item, Failed))
    if why:
        return replace(record.failing(why, at), last_at=at)
    well = replace(record, errors=0, last_error="", failing_since=None)
    return replace(well, last_at=at, last_good_at=at)
