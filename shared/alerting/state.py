"""The alert of a series from one planned time to the next: pending, firing, resolved."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.alerting.reading import Reading, fingerprint
from shared.alerting.record import ConditionState, SeriesAlert, Spoken, Transition
from shared.alerting.rule import Condition, Rule
from shared.alerting.seen import Labels, Seen, Verdict, see

RECENT_KEPT = 10
GONE_AFTER = 2
"""Answers in which others are present, and a series is not: then it has ended."""
FORGOTTEN = "the series has not spoken for a day"
EDITED = "the rule was edited, and asks of it no more"
SILENT: frozenset[Verdict] = frozenset({"no_data", "gone", "stale"})
UNSAID: frozenset[Verdict] = frozenset({"unseen", "error"})


@dataclass(frozen=True, slots=True)
class Stepped:
    """The alerts after a step, by fingerprint, and what changed."""

    series: Mapping[str, SeriesAlert]
    transitions: tuple[Transition, ...]


def step(
    rule: Rule,
    before: Mapping[str, SeriesAlert],
    at: datetime,
    readings: Mapping[str, Reading],
    spoke: Mapping[str, Spoken] | None = None,
) -> Stepped:
    """Take the alerts of a rule to the planned time `at`.

    readings: what each of rule.conditions read, by its name. spoke: the series whose silence is an
    alert; None for no bound on that.
    An alert fires when a condition has been true for its own hold, and resolves when all
    are false. An error never resolves, never advances and never resets. A known series of which
    a condition says nothing is without data: rule.no_data decides. A stale source is no data
    either, but never all is well: where rule.no_data is "ok", it is waited out.
    """
    series: dict[str, SeriesAlert] = {}
    transitions: list[Transition] = []
    for key, labels in _to_judge(before, readings, spoke or {}).items():
        seen = {
            condition.name: see(condition, readings[condition.name], key, labels)
            for condition in rule.conditions
        }
        if labels and spoke is not None and key not in spoke:
            seen = {name: _forgotten(item) for name, item in seen.items()}
        old = _renewed(before.get(key) or _inactive(labels, at), readings.values(), key)
        if _is_gone(rule, old, readings.values()):
            transitions += drop({key: old}, at, EDITED)
            continue
        new = _advance(rule, old, at, seen)
        if new is not None:
            new = series[key] = _remembering(old, new, at, seen)
        if change := _transition(before.get(key), new, at, seen):
            transitions.append(change)
    return Stepped(series, tuple(transitions))


def outdated(series: Mapping[str, SeriesAlert]) -> Mapping[str, SeriesAlert]:
    """Return the alerts of a rule whose queries have been edited since."""
    return {key: replace(alert, outdated=True) for key, alert in series.items()}


def drop(series: Mapping[str, SeriesAlert], at: datetime, reason: str) -> tuple[Transition, ...]:
    """Return the steps that end all these alerts, whatever their values."""
    return tuple(
        Transition(
            at,
            alert.labels,
            "resolved" if alert.phase == "firing" else "cancelled",
            alert.value,
            reason,
        )
        for alert in series.values()
    )


def _to_judge(
    before: Mapping[str, SeriesAlert],
    readings: Mapping[str, Reading],
    spoke: Mapping[str, Spoken],
) -> Mapping[str, Labels]:
    """Return the labels of every series known or read, by fingerprint.

    Where there is none at all, the rule as a whole stands for them, in case silence is an alert.
    """
    answers = [reading for reading in readings.values() if isinstance(reading, Mapping)]
    read = {key: sample.labels for answer in answers for key, sample in answer.items()}
    known = {key: item.labels for key, item in (*spoke.items(), *before.items())}
    return read | known or {fingerprint({}): {}}


def _forgotten(seen: Seen) -> Seen:
    """Bound the alert that a series does not speak."""
    return Seen("false", FORGOTTEN) if seen.verdict in SILENT else seen


def _renewed(old: SeriesAlert, readings: Iterable[Reading], key: str) -> SeriesAlert:
    """Note that the queries of today speak of the alert's series, too."""
    spoken = any(isinstance(reading, Mapping) and key in reading for reading in readings)
    return replace(old, outdated=False) if old.outdated and spoken else old


def _remembering(
    old: SeriesAlert, new: SeriesAlert, at: datetime, seen: Mapping[str, Seen]
) -> SeriesAlert:
    """Add what was read now to the last values, which are all of one condition."""
    before = old.recent if old.by == new.by else ()
    value = seen[new.by].value if new.by in seen else None
    now = () if value is None else ((at, value),)
    return replace(new, recent=(*before, *now)[-RECENT_KEPT:])


def _is_gone(rule: Rule, old: SeriesAlert, readings: Iterable[Reading]) -> bool:
    """Return whether the rule was edited, and its queries have answered without a word of the
    alert.

    By `no_data` it might fire for ever: what a query never returns, it never says to be well.
    """
    of_silence = not old.labels and rule.no_data == "alert"
    answered = all(isinstance(reading, Mapping) for reading in readings)
    return old.outdated and answered and not of_silence


def _inactive(labels: Labels, at: datetime) -> SeriesAlert:
    """Return where every alert starts: pending with nothing that is true, which is dropped."""
    return SeriesAlert(labels, "pending", at, None)


def _advance(
    rule: Rule, old: SeriesAlert, at: datetime, seen: Mapping[str, Seen]
) -> SeriesAlert | None:
    """Return the alert at this time, or None where it is inactive."""
    heard = _listen(old, at, seen)
    states = {
        condition.name: state
        for condition in rule.conditions
        if (state := _condition_state(rule, heard, condition, at, seen[condition.name].verdict))
    }
    alert = _spoken(replace(heard, looks=states), at, seen)
    if old.phase == "firing":
        return _keep_firing(rule, alert, at, seen)
    if held := [condition.name for condition in rule.conditions if _held(condition, states, at)]:
        by = held[0]
        was_fast = "fast" in states
        value = seen[by].value
        return replace(alert, phase="firing", fired_at=at, by=by, value=value, was_fast=was_fast)
    return alert if states else None


def _listen(old: SeriesAlert, at: datetime, seen: Mapping[str, Seen]) -> SeriesAlert:
    """Note for how long nothing was said of the series; an error says neither."""
    verdicts = {item.verdict for item in seen.values()}
    main = seen["main"].verdict
    if main not in UNSAID:
        old = replace(old, missing=old.missing + 1 if main == "gone" else 0)
    if verdicts <= SILENT:
        return replace(old, silent_since=old.silent_since or at)
    if verdicts <= SILENT | UNSAID:
        return old
    return replace(old, silent_since=None)


def _condition_state(
    rule: Rule, alert: SeriesAlert, condition: Condition, at: datetime, verdict: Verdict
) -> ConditionState | None:
    """Return since when the condition is true, or None where it is not."""
    before = alert.looks.get(condition.name)
    if verdict in SILENT and rule.no_data == "alert":
        verdict = "true"
    if verdict in ("no_data", "gone") and rule.no_data == "ok":
        verdict = "false"
    if verdict == "gone" and _has_ended(rule, alert):
        verdict = "false"
    if verdict == "true":
        return ConditionState(_since(rule, before, at), at)
    dropped = verdict == "false" or (verdict == "between" and alert.phase == "pending")
    return None if dropped or _silent_too_long(rule, alert, at) else before


def _has_ended(rule: Rule, alert: SeriesAlert) -> bool:
    """Return whether the series of a rule that does not keep it has been missed often enough."""
    return alert.missing >= GONE_AFTER and not rule.keeps_the_missing


def _since(rule: Rule, before: ConditionState | None, at: datetime) -> datetime:
    """Return when the condition became true; a gap between two evaluations does not count."""
    if before is None:
        return at
    gap = at - before.seen
    return before.since if gap <= 2 * rule.every else before.since + gap - rule.every


def _silent_too_long(rule: Rule, alert: SeriesAlert, at: datetime) -> bool:
    """Return whether a rule that bears silence has borne it long enough."""
    return (
        rule.no_data_max is not None
        and alert.silent_since is not None
        and at - alert.silent_since >= rule.no_data_max
    )


def _held(condition: Condition, states: Mapping[str, ConditionState], at: datetime) -> bool:
    """Return whether the condition is true now and has been for its hold."""
    state = states.get(condition.name)
    return state is not None and state.seen == at and at - state.since >= condition.hold


def _spoken(alert: SeriesAlert, at: datetime, seen: Mapping[str, Seen]) -> SeriesAlert:
    """Take over the value of a condition that is true now, the same as before if possible."""
    true = [name for name, state in alert.looks.items() if state.seen == at]
    if not true:
        return alert if alert.by in seen else replace(alert, by="main")
    by = alert.by if alert.by in true else true[0]
    since = min(state.since for state in alert.looks.values())
    return replace(
        alert,
        by=by,
        value=seen[by].value,
        since=since if alert.phase == "pending" else alert.since,
    )


def _keep_firing(
    rule: Rule, alert: SeriesAlert, at: datetime, seen: Mapping[str, Seen]
) -> SeriesAlert | None:
    """Return a firing alert, or None once it has been calm for `keep_firing`, and surely so."""
    if alert.looks:
        was_fast = alert.was_fast or "fast" in alert.looks
        return replace(alert, calm_since=None, was_fast=was_fast)
    calm_since = alert.calm_since or at
    if _is_unsure(rule, alert, at, seen) or at - calm_since < _calm(rule, alert):
        return replace(alert, calm_since=calm_since)
    return None


def _calm(rule: Rule, alert: SeriesAlert) -> timedelta:
    """Return how long a firing alert must be calm: a saw-tooth is one incident."""
    if rule.tallied and alert.was_fast:
        return max(rule.keep_firing, rule.tallied.keep_firing)
    return rule.keep_firing


def _is_unsure(rule: Rule, alert: SeriesAlert, at: datetime, seen: Mapping[str, Seen]) -> bool:
    """Return whether it is not known that all is well: of an error, or of silence that is kept."""
    verdicts = {item.verdict for item in seen.values()}
    if "error" in verdicts or seen["main"].verdict == "unseen":
        return True
    return (
        verdicts <= SILENT | UNSAID
        and (rule.no_data == "keep" or "stale" in verdicts)
        and not _silent_too_long(rule, alert, at)
        and not _has_ended(rule, alert)
    )


def _transition(
    old: SeriesAlert | None, new: SeriesAlert | None, at: datetime, seen: Mapping[str, Seen]
) -> Transition | None:
    """Return what changed for people, if anything did."""
    if new and (old is None or old.phase != new.phase):
        return Transition(at, new.labels, new.phase, new.value, seen[new.by].why)
    if old and new is None:
        state = "resolved" if old.phase == "firing" else "cancelled"
        values = (item.value for item in seen.values() if item.value is not None)
        reasons = dict.fromkeys(item.why for item in seen.values())
        return Transition(at, old.labels, state, next(values, None), "; ".join(reasons))
    return None
