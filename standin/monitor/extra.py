"""Functions of Kusto that the translator lacks or has wrong, added to its lists."""

from duckdb_kql.translate.functions import (
    AGGREGATE_FUNCTIONS,
    SCALAR_FUNCTIONS,
    AggregateSpec,
    FunctionSpec,
)

_GIVEN = "FILTER (WHERE {0} IS NOT NULL AND {1} > 0)"

# The lowest value that, with all below it, has the share of the weight: 95 of 100 equal calls that
# came as one event are 95 values.
_WEIGHTED = f"""list_reduce(
    list_sort(list({{{{'value': {{0}}, 'upto': CAST({{1}} AS DOUBLE)}}}}) {_GIVEN}),
    lambda a, b: CASE WHEN a.upto >= sum({{1}}) {_GIVEN} * {{2}} / 100.0 THEN a
        ELSE {{{{'value': b.value, 'upto': a.upto + b.upto}}}} END).value"""


_AGGREGATES = (
    AggregateSpec("percentilew", _WEIGHTED, (3,)),
    AggregateSpec("maxif", "max({0}) FILTER (WHERE {1})", (2,)),
    AggregateSpec("minif", "min({0}) FILTER (WHERE {1})", (2,)),
)

# Base64 is of a text's UTF-8. The translator casts between text and BLOB, which reads `\x41` in the
# text as one byte and refuses every letter beyond ASCII.
_ENCODED = "to_base64(encode(CAST({0} AS VARCHAR)))"
_DECODED = "coalesce(TRY(decode(from_base64({0}))), '')"
_SCALARS = tuple(
    FunctionSpec(f"base64_{name}", "template", template, (1,))
    for template, names in {
        _ENCODED: ("encode_tostring", "encodestring"),
        _DECODED: ("decode_tostring", "decodestring"),
    }.items()
    for name in names
)


def add_functions() -> None:
    """Make the translator know them; to do it again changes nothing."""
    AGGREGATE_FUNCTIONS.update({spec.name: spec for spec in _AGGREGATES})
    SCALAR_FUNCTIONS.update({spec.name: spec for spec in _SCALARS})
