"""Aggregates of Kusto that the translator lacks, added to its list."""

from duckdb_kql.translate.functions import AGGREGATE_FUNCTIONS, AggregateSpec

_GIVEN = "FILTER (WHERE {0} IS NOT NULL AND {1} > 0)"

# The lowest value that, with all below it, has the share of the weight: 95 of 100 equal calls that
# came as one event are 95 values.
_WEIGHTED = f"""list_reduce(
    list_sort(list({{{{'value': {{0}}, 'upto': CAST({{1}} AS DOUBLE)}}}}) {_GIVEN}),
    lambda a, b: CASE WHEN a.upto >= sum({{1}}) {_GIVEN} * {{2}} / 100.0 THEN a
        ELSE {{{{'value': b.value, 'upto': a.upto + b.upto}}}} END).value"""


_ADDED = (
    AggregateSpec("percentilew", _WEIGHTED, (3,)),
    AggregateSpec("maxif", "max({0}) FILTER (WHERE {1})", (2,)),
    AggregateSpec("minif", "min({0}) FILTER (WHERE {1})", (2,)),
)


def add_aggregates() -> None:
    """Make the translator know them; to do it again changes nothing."""
    AGGREGATE_FUNCTIONS.update({spec.name: spec for spec in _ADDED})
