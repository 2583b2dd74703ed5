"""Writes the KQL that shows the events of a fast condition: by 15 s, or by who makes up most."""

from collections.abc import Iterator, Mapping, Sequence
from json import dumps

from shared.alerting.event_fields import column_of
from shared.alerting.fast import FastCondition


def kql_of(condition: FastCondition) -> str:
    """Return the query: what the condition counts, in slices of 15 s of {start} to {end}."""
    per = condition.rate.per_event if condition.rate else ""
    kinds = ", ".join(dumps(kind) for kind in dict.fromkeys((condition.event, per)) if kind)
    filters = " and ".join((f"Name in ({kinds})", *_among(condition.where)))
    by = ", ".join((*condition.columns, "At = bin(TimeGenerated, 15s)"))
    return "\n".join(
        (
            "UsageEvents",
            "| where TimeGenerated >= {start} and TimeGenerated < {end}",
            f"| where {filters}",
            f"| summarize {', '.join(_amounts(condition, per))} by {by}",
        )
    )


def kql_of_top(condition: FastCondition, fields: Sequence[str]) -> str:
    """Return the query: which values of these fields have most of what is bad."""
    filters = (f"Name == {dumps(condition.event)}", *_among(condition.where), *_bad(condition))
    column, amount, order = _most(condition)
    return "\n".join(
        (
            "UsageEvents",
            "| where TimeGenerated >= {start} and TimeGenerated < {end}",
            f"| where {' and '.join(filters)}",
            f"| summarize {column} = {amount} by {', '.join(map(column_of, fields))}",
            f"| top 10 by {column} {order}",
        )
    )


def _most(condition: FastCondition) -> tuple[str, str, str]:
    """Return the column, what is in it, and which end of it is worst."""
    if condition.measured == "value":
        is_low = condition.comparison.direction == "below"
        return ("Value", "min(Value)", "asc") if is_low else ("Value", "max(Value)", "desc")
    if condition.sum:
        column = column_of(condition.sum)
        return column, f"sum({column})", "desc"
    return "Events", "sum(Count)", "desc"


def _bad(condition: FastCondition) -> Iterator[str]:
    """Yield what an event must meet to be bad; nothing where all are."""
    yield from _among(condition.bad)
    yield from (f"not({one})" for one in _among(condition.good))
    for field, limit in condition.over.items():
        yield f"{column_of(field)} > {limit:g}"


def _amounts(condition: FastCondition, per: str) -> Iterator[str]:
    if condition.measured == "value":
        yield "Value = max(Value)"
        return
    bad = list(_bad(condition))
    amount = column_of(condition.sum) if condition.sum else "Count"
    yield f"Bad = sumif({amount}, {' and '.join(bad)})" if bad else f"Bad = sum({amount})"
    yield f"All = sumif(Count, Name == {dumps(per)})" if per else "All = sum(Count)"


def _among(texts: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    for field, values in texts.items():
        yield f"{column_of(field)} in ({', '.join(map(dumps, values))})"
