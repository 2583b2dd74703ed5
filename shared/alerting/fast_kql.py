"""Writes the KQL that shows the events of a fast condition, for links and for who looks further."""

from collections.abc import Iterator, Mapping
from json import dumps

from shared.alerting.event_fields import column_of
from shared.alerting.fast import FastCondition


def kql_of(condition: FastCondition) -> str:
    """Return the query: what the condition counts, in slices of 15 s of {start} to {end}."""
    per = condition.rate.per_event if condition.rate else ""
    kinds = ", ".join(dumps(kind) for kind in dict.fromkeys((condition.event, per)) if kind)
    told = " and ".join((f"Name in ({kinds})", *_among(condition.where)))
    by = ", ".join((*condition.columns, "At = bin(TimeGenerated, 15s)"))
    return "\n".join(
        (
            "UsageEvents",
            "| where TimeGenerated >= {start} and TimeGenerated < {end}",
            f"| where {told}",
            f"| summarize {', '.join(_amounts(condition, per))} by {by}",
        )
    )


def _amounts(condition: FastCondition, per: str) -> Iterator[str]:
    if condition.measured == "value":
        yield "Value = max(Value)"
        return
    bad = [
        *_among(condition.bad),
        *(f"not({one})" for one in _among(condition.good)),
        *(f"{column_of(field)} > {limit:g}" for field, limit in condition.over.items()),
    ]
    amount = column_of(condition.sum) if condition.sum else "Count"
    yield f"Bad = sumif({amount}, {' and '.join(bad)})" if bad else f"Bad = sum({amount})"
    yield f"All = sumif(Count, Name == {dumps(per)})" if per else "All = sum(Count)"


def _among(texts: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    for field, values in texts.items():
        yield f"{column_of(field)} in ({', '.join(map(dumps, values))})"
