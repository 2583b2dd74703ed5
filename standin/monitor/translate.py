"""Turns KQL into SQL of DuckDB, once for all queries that differ in their times alone."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from duckdb_kql import KqlError, KqlSyntaxError, KqlUnsupportedError, ir
from duckdb_kql.lower import lower
from duckdb_kql.translate import CLOCK_SLOT, clock
from duckdb_kql.translate import to_sql as emit

from standin.monitor.extra import add_functions
from standin.monitor.guards import check_text, check_tree, tables_read
from standin.monitor.mend import mend
from standin.monitor.needs import needed
from standin.monitor.refusal import BadQuery, semantic, unsupported
from standin.monitor.schema import TABLES
from standin.monitor.tokens import Token, tokens

_SCHEMA = {name: table.names for name, table in TABLES.items()}
# Years that no log is of stand for the times of a query while its text is translated.
_FIRST_YEAR, _MOST_MOMENTS = 9000, 1000
_STAND_IN = re.compile(r"9\d{3}-01-01[T ]00:00:00")
_ANY_MOMENT = datetime(2000, 1, 1)  # noqa: DTZ001 - DuckDB's TIMESTAMP is UTC without a zone
add_functions()
_CRASHES = (AssertionError, AttributeError, IndexError, KeyError, RecursionError, TypeError)


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL to run. values: of its parameters, by name. tables: those that it reads.

    columns: those that it needs of them; None for all.
    """

    sql: str
    values: dict[str, datetime]
    tables: frozenset[str]
    columns: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class _Template:
    sql: str
    slots: frozenset[str]
    tables: frozenset[str]
    columns: frozenset[str] | None


def translate(kql: str, now: datetime) -> Statement:
    """Return the SQL of the query; now() in it is `now`, naive and in UTC.

    Raises:
        BadQuery: it is wrong, or cannot be answered rightly here.
    """
    text, moments = _without_moments(kql)
    template = _template(text)
    if template is None:
        template, moments = _translated(kql, {}), ()
    known = {_slot(i): at for i, at in enumerate(moments)} | {CLOCK_SLOT: now}
    values = {slot: known[slot] for slot in template.slots}
    return Statement(template.sql, values, template.tables, template.columns)


def _slot(index: int) -> str:
    return f"moment{index}"


def _written(moment: Token) -> str:
    return moment.text[len("datetime(") : -1]


def _without_moments(kql: str) -> tuple[str, Sequence[datetime]]:
    """Put stand-ins of the same length in place of the query's times, and return those."""
    pieces: list[str] = []
    moments: list[datetime] = []
    end = 0
    for token in tokens(kql):
        if token.kind != "moment" or len(moments) == _MOST_MOMENTS:
            continue
        written = _written(token)
        try:
            moments.append(datetime.fromisoformat(written.removesuffix("Z")))
        except ValueError:
            continue
        year, rest = _FIRST_YEAR + len(moments) - 1, re.sub(r"\d", "0", written[19:])
        pieces += (kql[end : token.start], f"datetime({year}-01-01{written[10]}00:00:00{rest})")
        end = token.start + len(token.text)
    return "".join((*pieces, kql[end:])), moments


@lru_cache(maxsize=1024)
def _template(text: str) -> _Template | None:
    """Translate with parameters for the stand-ins; None where it must be as it was written."""
    written = (_written(token) for token in tokens(text) if token.kind == "moment")
    stand_ins = enumerate(moment for moment in written if _STAND_IN.match(moment))
    moments = {moment: ir.Parameter(_slot(i), "datetime", _slot(i)) for i, moment in stand_ins}
    try:
        template = _translated(text, moments)
    except BadQuery:
        return None
    return None if _STAND_IN.search(template.sql) else template


def _translated(text: str, moments: Mapping[str, ir.Parameter]) -> _Template:
    check_text(text)
    try:
        with clock(_ANY_MOMENT) as pinned:
            query = mend(lower(_without_hiding(text)), moments)
            check_tree(query)
            tables = frozenset(tables_read(query))
            sql = emit(query, _SCHEMA)
    except KqlError as error:
        raise _refusal(error) from None
    except _CRASHES as error:
        raise unsupported(f"the translator fails on it ({type(error).__name__}).") from None
    slots = {*sql.slots, CLOCK_SLOT} if pinned.used else sql.slots
    names = [name for table in tables for name in _SCHEMA.get(table, ())]
    once = _once(text, str(sql))
    return _Template(once, frozenset(slots), tables, needed(query, once, names))


def _once(text: str, sql: str) -> str:
    """Have DuckDB compute once what the query materializes, however often it is read."""
    words = [token.text for token in tokens(text)]
    for let, name, equals, call in zip(words, words[1:], words[2:], words[3:], strict=False):
        if (let, equals, call) == ("let", "=", "materialize"):
            sql = re.sub(rf'("_l\d+_{re.escape(name)}") AS \(', r"\1 AS MATERIALIZED (", sql)
    return sql


def _without_hiding(text: str) -> str:
    """Blank the h of h"..." strings, which hides them from a service's own logs."""
    for token in tokens(text):
        if token.kind == "string" and token.text[0] in "hH":
            text = f"{text[: token.start]} {text[token.start + 1 :]}"
    return text


def _refusal(error: KqlError) -> BadQuery:
    if isinstance(error, KqlSyntaxError):
        span = error.diagnostics[0].span
        return BadQuery("SyntaxError", str(error), span.line, span.column + 1)
    if isinstance(error, KqlUnsupportedError):
        refused = unsupported(str(error))
        if error.span:
            refused.line, refused.pos = error.span.line, error.span.column + 1
        return refused
    # Kusto distinguishes x from X, DuckDB does not; the translator's other complaints are Kusto's,
    # too.
    return (unsupported if "only in case" in str(error) else semantic)(str(error))
