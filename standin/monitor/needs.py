"""Which columns of its table a query needs: the fewer there are, the sooner DuckDB has a plan."""

from collections.abc import Sequence

from duckdb_kql import ir

from standin.monitor.tree import walk

_CHOOSING = (ir.Summarize, ir.Project)


def needed(query: ir.Query, sql: str, columns: Sequence[str]) -> frozenset[str] | None:
    """Return those of the columns that the query's SQL names; None where it may need them all.

    They are enough where one table is read, and all that comes of it are columns that a summarize
    or project has named.
    """
    nodes = list(walk(query))
    reads_once = sum(isinstance(node, ir.Query) for node in nodes) == 1
    has_star = any(isinstance(node, ir.Wildcard) for node in nodes)
    chooser = next((op for op in query.operators if not isinstance(op, ir.Where)), None)
    if query.lets or has_star or not reads_once or not isinstance(chooser, _CHOOSING):
        return None
    return frozenset(name for name in columns if f'"{name}"' in sql)
