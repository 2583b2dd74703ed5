"""Distinguishes datetimes and timespans, as far as the text of a query shows it."""

from collections.abc import Mapping
from typing import Literal

from duckdb_kql import ir

from standin.monitor.schema import TABLES
from standin.monitor.tree import walk

Kind = Literal["datetime", "timespan"]

_DATETIMES = ("now", "ago", "todatetime", "make_datetime", "datetime_add")
_DATETIME_STARTS = ("startof", "endof")
_TIMESPANS = ("totimespan", "make_timespan", "dayofweek")
_LIKE_AN_ARGUMENT = (
    *("bin", "floor", "max", "min", "maxif", "minif", "any", "take_any", "abs"),
    *("percentile", "percentilew", "min_of", "max_of"),
)
_LIKE_A_BRANCH = ("iff", "iif", "case", "coalesce")


def kinds_of(query: ir.Query) -> Mapping[str, Kind]:
    """Return the kind of each column that is certainly a datetime or a timespan."""
    kinds: dict[str, Kind] = {
        name: "datetime"
        for table in TABLES.values()
        for name, kql_type in table.columns
        if kql_type == "datetime"
    }
    for node in walk(query):
        if isinstance(node, ir.NamedExpr) and node.name:
            kind = kind_of(node.expr, kinds)
            if kind:
                kinds[node.name] = kind
    return kinds


def kind_of(expr: ir.Expr, kinds: Mapping[str, Kind]) -> Kind | None:
    """Return the kind of the expression, or None where it is another or not known."""
    if isinstance(expr, (ir.Literal, ir.Parameter)):
        return _named(expr.kind)
    if isinstance(expr, ir.ColumnRef):
        return kinds.get(expr.name)
    if isinstance(expr, ir.LetRef):
        return kind_of(expr.value, kinds)
    if isinstance(expr, ir.UnaryOp):
        return kind_of(expr.operand, kinds)
    if isinstance(expr, ir.FunctionCall):
        return _kind_of_call(expr, kinds)
    if isinstance(expr, ir.BinaryOp):
        return _kind_of_operation(expr.op, kind_of(expr.left, kinds), kind_of(expr.right, kinds))
    return None


def _named(kind: str) -> Kind | None:
    return kind if kind == "datetime" or kind == "timespan" else None


def _kind_of_call(call: ir.FunctionCall, kinds: Mapping[str, Kind]) -> Kind | None:
    name = call.name.lower()
    if name in _DATETIMES or name.startswith(_DATETIME_STARTS):
        return "datetime"
    if name in _TIMESPANS:
        return "timespan"
    if name in _LIKE_AN_ARGUMENT and call.args:
        return kind_of(call.args[0], kinds)
    if name in _LIKE_A_BRANCH and call.args:
        return kind_of(call.args[-1], kinds)
    return None


def _kind_of_operation(op: str, left: Kind | None, right: Kind | None) -> Kind | None:
    if op == "-" and left == right == "datetime":
        return "timespan"
    if op in ("+", "-") and "datetime" in (left, right):
        return "datetime"
    if op == "*" and "timespan" in (left, right):
        return "timespan"
    if op in ("+", "-") and left == right == "timespan":
        return "timespan"
    return "timespan" if op == "/" and left == "timespan" and right is None else None
