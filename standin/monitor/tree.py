"""Walks and rewrites the translator's tree of a query, whatever its nodes are."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, cast

from duckdb_kql import ir


def walk(part: object) -> Iterator[ir.Node]:
    """Yield every node at and under a node, or in a list or tuple of them."""
    if isinstance(part, (list, tuple)):
        for item in cast("list[object]", part):
            yield from walk(item)
    elif isinstance(part, ir.Node):
        yield part
        for value in parts(part).values():
            yield from walk(value)


def rewrite(part: Any, change: Callable[[ir.Node], ir.Node]) -> Any:
    """Return a copy in which each node, the innermost first, is what `change` makes of it.

    Untyped, as the fields of nodes differ; what goes in as a query comes out as one.
    """
    if isinstance(part, list):
        return [rewrite(item, change) for item in cast("list[object]", part)]
    if isinstance(part, tuple):
        return tuple(rewrite(item, change) for item in cast("tuple[object, ...]", part))
    if not isinstance(part, ir.Node):
        return part
    fresh = {name: rewrite(value, change) for name, value in parts(part).items()}
    return change(dataclasses.replace(cast("Any", part), **fresh))


def unnamed(expr: ir.Expr) -> ir.Expr:
    """Return what a name of a scalar `let` stands for; any other expression as it is."""
    return unnamed(expr.value) if isinstance(expr, ir.LetRef) else expr


def parts(node: ir.Node) -> dict[str, object]:
    """Return the fields of the node, by name."""
    fields = dataclasses.fields(cast("Any", node)) if dataclasses.is_dataclass(node) else ()
    return {f.name: getattr(node, f.name) for f in fields}
