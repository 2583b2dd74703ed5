"""Rewrites what the translator answers wrongly, or not at all, into what it answers rightly."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import cast

from duckdb_kql import ir
from duckdb_kql.timespans import TICKS_PER_DAY, ticks

from standin.monitor.kinds import Kind, kind_of, kinds_of
from standin.monitor.refusal import unsupported
from standin.monitor.tree import rewrite, unnamed

_DAYS_TO_1970 = 719_162
_TICKS_PER_SECOND = TICKS_PER_DAY // 86_400
_LISTS = {"make_list": "list", "make_set": "set"}
_SINGLE = {"percentiles": ("percentile", 1), "percentilesw": ("percentilew", 2)}
"""Of many percentiles at once: the one, and how many arguments come before the shares."""


def mend(query: ir.Query, moments: Mapping[str, ir.Parameter]) -> ir.Query:
    """Return the query, put right.

    moments: text of datetime literals that become parameters.
    Raises:
        BadQuery: a construct that cannot be put right either.
    """
    kinds = kinds_of(query)

    def name(node: ir.Node) -> ir.Node:
        if isinstance(node, ir.Summarize):
            node = replace(node, aggregates=tuple(_each_percentile(node.aggregates)))
        return _named(node) if isinstance(node, ir.NamedExpr) else node

    def change(node: ir.Node) -> ir.Node:
        if isinstance(node, ir.Literal) and node.kind == "datetime":
            return moments.get(str(node.value), node)
        return _call(node, kinds) if isinstance(node, ir.FunctionCall) else node

    return cast("ir.Query", rewrite(rewrite(query, name), change))


def _call(node: ir.FunctionCall, kinds: Mapping[str, Kind]) -> ir.Expr:
    name = node.name.lower()
    if name == "ingestion_time":
        return ir.ColumnRef("_TimeReceived")
    if name in ("bin", "floor") and len(node.args) == 2:
        return _bin(node, kinds)
    return _list(node, kinds) if name in _LISTS else node


def _bin(node: ir.FunctionCall, kinds: Mapping[str, Kind]) -> ir.Expr:
    """Count bins of time from 0001-01-01, as Kusto does; the translator counts from 1970."""
    value, size = node.args
    shift_s = _shift_s(size)
    if shift_s is None:
        return node
    if kind_of(value, kinds) == "timespan":
        raise unsupported("bin() of a timespan. Divide first: bin(x / 1s, 60).")
    if not shift_s:
        return node
    shift = ir.Literal(f"{shift_s}s", "timespan")
    moved = replace(node, args=(ir.BinaryOp("+", value, shift), size))
    return ir.BinaryOp("-", moved, shift)


def _shift_s(size: ir.Expr) -> int | None:
    """Return how far bins of this size from 1970 are off; None unless it is a timespan."""
    size = unnamed(size)
    if not (isinstance(size, ir.Literal) and size.kind == "timespan"):
        return None
    try:
        width = ticks(str(size.value))
    except ValueError:
        width = 0
    if width <= 0 or width % _TICKS_PER_SECOND:
        raise unsupported("bins that are not whole seconds.")
    return _DAYS_TO_1970 * TICKS_PER_DAY % width // _TICKS_PER_SECOND


def _list(node: ir.FunctionCall, kinds: Mapping[str, Kind]) -> ir.Expr:
    """Cut a list after the most that it may hold, which the translator overlooks."""
    bare = node.name.lower() == "make_list" and len(node.args) == 1
    if node.args and not bare and kind_of(node.args[0], kinds):
        raise unsupported(f"{node.name}() of times. Make text of them: tostring(x).")
    if len(node.args) < 2:
        return node
    most = unnamed(node.args[1])
    if not (isinstance(most, ir.Literal) and isinstance(most.value, int) and most.value > 0):
        raise unsupported(f"{node.name}() with a size that is no number. Write the number.")
    whole = replace(node, args=node.args[:1])
    ends = (ir.Literal(0, "long"), ir.Literal(most.value - 1, "long"))
    return ir.FunctionCall("array_slice", (whole, *ends))


def _named(node: ir.NamedExpr) -> ir.NamedExpr:
    """Give a column the name that it would lose by being put right."""
    call = node.expr
    if node.name or not isinstance(call, ir.FunctionCall) or len(call.args) < 2:
        return node
    kind, argument = call.name.lower(), call.args[0]
    column = argument.name if isinstance(argument, ir.ColumnRef) else ""
    if kind in ("percentile", "percentilew"):
        return replace(node, name=_percentile_name(column, call.args[-1]))
    if len(call.args) != 2:
        return node
    if kind in _LISTS:
        return replace(node, name=f"{_LISTS[kind]}_{column}")
    if kind in ("bin", "floor") and column and _shift_s(call.args[1]):
        return replace(node, name=column)
    return node


def _percentile_name(column: str, share: ir.Expr) -> str:
    share = unnamed(share)
    if not (isinstance(share, ir.Literal) and isinstance(share.value, int | float)):
        raise unsupported("a percentile that is no number. Write the number.")
    return f"percentile_{column}_{str(share.value).replace('.', '_')}"


def _each_percentile(aggregates: tuple[ir.NamedExpr, ...]) -> Iterator[ir.NamedExpr]:
    """Write percentiles(x, a, b) as percentile(x, a), percentile(x, b); percentilesw() likewise."""
    for one in aggregates:
        call = one.expr
        single = _SINGLE.get(call.name.lower()) if isinstance(call, ir.FunctionCall) else None
        if not isinstance(call, ir.FunctionCall) or single is None:
            yield one
            continue
        name, fixed = single
        if one.name or len(call.args) <= fixed:
            raise unsupported(f"a name for {call.name}(). Write {name}() for each.")
        for share in call.args[fixed:]:
            yield _named(ir.NamedExpr(ir.FunctionCall(name, (*call.args[:fixed], share))))
