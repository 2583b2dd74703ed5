"""A rule whose severity was edited: it takes over the alerts, and no incident ends before."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from shared.alerting.record import RuleRecord
from shared.alerting.rule import Rule


def record_of(rule: Rule, stored: Mapping[str, RuleRecord], rules: Collection[str]) -> RuleRecord:
    """Return the rule's record: where another severity of its name is no more and asked the same,
    with the alerts of that one. rules: the keys of those that are."""
    own = stored.get(rule.key) or RuleRecord(rule.key)
    asks = {condition.name: str(condition.comparison) for condition in rule.conditions}
    for before in _others(rule.key, stored):
        if before.rule not in rules and _is_behind(own, before) and _asked(before) == asks:
            return replace(
                own,
                series=before.series,
                last_at=before.last_at,
                last_good_at=before.last_good_at,
                looked=before.looked,
                asks=before.asks,
                spoke=before.spoke,
            )
    return own


def is_succeeded(
    gone: RuleRecord, stored: Mapping[str, RuleRecord], rules: Collection[str]
) -> bool:
    """Return whether another severity of the rule's name is yet to say if its trouble goes on."""
    heirs = {key for key in rules if _name(key) == _name(gone.rule)}
    if not heirs:
        return False
    known = [stored[key] for key in heirs if key in stored]
    return all(_is_behind(one, gone) for one in known) or any(
        gone.incidents and one.series and not one.incidents for one in known
    )


def _others(key: str, stored: Mapping[str, RuleRecord]) -> Iterator[RuleRecord]:
    """Yield the records of other severities of the rule's name."""
    for one in stored.values():
        if one.rule != key and _name(one.rule) == _name(key):
            yield one


def _name(key: str) -> str:
    return key.rpartition("/")[0]


def _asked(record: RuleRecord) -> Mapping[str, str]:
    """Return the comparisons of the conditions as they were last evaluated."""
    return {item.look: item.condition for item in record.looked}


def _is_behind(own: RuleRecord, other: RuleRecord) -> bool:
    """Return whether the one was last evaluated before the other."""
    return bool(other.last_at) and (own.last_at is None or own.last_at < other.last_at)
