"""Refuses the queries that the translator would answer wrongly, or that only Azure refuses."""

import fnmatch
import re
from collections.abc import Iterator, Sequence
from typing import cast

from duckdb_kql import ir

from standin.monitor.refusal import BadQuery, semantic, unsupported
from standin.monitor.schema import FUNCTIONS, TABLES
from standin.monitor.tokens import Token, place, tokens
from standin.monitor.tree import parts, unnamed, walk

_GOOD_ESCAPES = re.compile(r"""\\[ntr\\'"]""")
_STATEMENTS = ("set", "declare", "alias", "restrict", ".")
_ELSEWHERE = ("cluster", "database")
_COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
_ARITHMETIC = (
    *("sum", "sumif", "avg", "avgif", "stdev", "variance"),
    *("percentile", "percentiles", "percentilew", "percentilesw"),
)
_COLUMNS = {name for table in TABLES.values() for name in table.names}
_LOWERED = {name.lower(): name for name in _COLUMNS}
_BAGS = ("Properties", "Measurements", "Details")


def check_text(kql: str) -> None:
    """Refuse what is visible in the text alone.

    Raises:
        BadQuery: names what is refused, where, and what to write instead.
    """
    found = list(tokens(kql))
    if not found:
        raise BadQuery("SyntaxError", "The query is empty.", 1, 1)
    for complaint, token in (*_strings(found), *_statements(found), *_names(found)):
        line, pos = place(kql, token.start)
        raise BadQuery(complaint.code, str(complaint), line, pos)


def _strings(found: Sequence[Token]) -> Iterator[tuple[BadQuery, Token]]:
    for token in found:
        if token.kind == "block":
            yield unsupported("a multi-line string literal. Write it in double quotes."), token
        if token.kind != "string" or token.text.lstrip("hH").startswith("@"):
            continue
        if "\\" in _GOOD_ESCAPES.sub("", token.text):
            yield (
                unsupported("this escape in a string. Write the character, or double the \\."),
                token,
            )


def _statements(found: Sequence[Token]) -> Iterator[tuple[BadQuery, Token]]:
    for before, token in zip((None, *found), found, strict=False):
        if (before is None or before.text == ";") and token.text in _STATEMENTS:
            yield semantic(f"A query of logs has no `{token.text}` statement."), token
        if before and before.text == "|" and token.text == "make":
            yield (
                unsupported("make-series, make-graph. Join a range with what bin() sums up."),
                token,
            )


def _names(found: Sequence[Token]) -> Iterator[tuple[BadQuery, Token]]:
    """Find names where the translator loses them: f(y = 1), (A, B) = arg_max(x, y)."""
    calls: list[bool] = []
    before = Token("sign", ";", 0)
    for token, after in zip(found, (*found[1:], before), strict=True):
        if token.text == "(":
            calls.append(before.kind == "name" and before.text.lower() != "with")
            if before.text in _ELSEWHERE:
                yield semantic(f"{before.text}() is not allowed in a query of logs."), before
        elif token.text in ("|", "print") and calls:
            calls[-1] = False  # not arguments, but a query of its own
        elif token.text == ")" and calls:
            calls.pop()
            if after.text == "=":
                yield unsupported("several names at once. Give each column its own."), token
        elif calls[-1:] == [True] and before.text in ("(", ",") and after.text == "=":
            yield unsupported("named arguments. Give them in order, without names."), token
        before = token


def check_tree(query: ir.Query) -> None:
    """Refuse what is visible in the tree alone, after repair.

    Raises:
        BadQuery: as Azure would word it where Azure refuses, too.
    """
    _check_letters(query)
    for node in walk(query):
        if isinstance(node, ir.Summarize):
            _check_summarize(node)
        elif isinstance(node, ir.BinaryOp):
            _check_comparison(node)


def _check_letters(query: ir.Query) -> None:
    """Refuse a column of ours in other letters: DuckDB takes timegenerated, Kusto does not."""
    made = {
        name for node in walk(query) if not isinstance(node, ir.ColumnRef) for name in _texts(node)
    }
    for node in walk(query):
        if not isinstance(node, ir.ColumnRef) or node.name in made | _COLUMNS:
            continue
        meant = _LOWERED.get(node.name.lower())
        if meant:
            raise semantic(
                f"Failed to resolve scalar expression named '{node.name}'. The column is '{meant}'."
            )


def _texts(node: ir.Node) -> Iterator[str]:
    """Yield every text that the node itself holds, in tuples too: new names are among them."""
    pending: list[object] = list(parts(node).values())
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, tuple):
            pending += cast("tuple[object, ...]", value)


def _check_summarize(node: ir.Summarize) -> None:
    for key in node.by:
        if _is_dynamic(key.expr):
            raise semantic(
                "Summarize group key is of a 'dynamic' type. Please use an explicit cast "
                "(for example, 'by tostring(key)') as grouping by a 'dynamic' type isn't supported."
            )
    for call in walk(node.aggregates):
        if not (isinstance(call, ir.FunctionCall) and call.name.lower() in _ARITHMETIC):
            continue
        if call.args and _is_dynamic(call.args[0]):
            raise semantic(f"{call.name}() of a dynamic value. Cast it: todouble(x)")


def _check_comparison(node: ir.BinaryOp) -> None:
    for one, other in ((node.left, node.right), (node.right, node.left)):
        if node.op in _COMPARISONS and _is_dynamic(one) and _is_number(other):
            raise semantic(
                "Cannot compare values of types dynamic and a number. Try adding explicit casts"
            )


def _is_dynamic(expr: ir.Expr) -> bool:
    return isinstance(expr, ir.PathAccess) or (
        isinstance(expr, ir.ColumnRef) and expr.name in _BAGS
    )


def _is_number(expr: ir.Expr) -> bool:
    expr = unnamed(expr)
    return isinstance(expr, ir.Literal) and expr.kind in ("int", "long", "real", "decimal")


def tables_read(query: ir.Query) -> set[str]:
    """Return the names of the tables that the query reads.

    Raises:
        BadQuery: it names a table that is not there, unless in a fuzzy union, or takes in
            a saved function by a wildcard, which Azure does not do for functions.
    """
    nodes = list(walk(query))
    bound = {name for node in nodes if isinstance(node, ir.Query) for name, _ in node.lets}
    fuzzy = any(isinstance(node, ir.Union) and node.isfuzzy for node in nodes)
    read: set[str] = set()
    for node in nodes:
        if isinstance(node, ir.TableRef):
            known = node.name in TABLES and node.database is None
            if not (known or fuzzy or node.name in bound):
                raise semantic(f"Failed to resolve table or column expression named '{node.name}'")
            read.add(node.name)
        elif isinstance(node, ir.WildcardTableRef):
            matched = fnmatch.filter(TABLES, node.pattern)
            read.update(matched)
            if not set(FUNCTIONS).isdisjoint(matched):
                raise unsupported("a wildcard that takes in a saved function. Name the tables.")
    return read & TABLES.keys()
