"""Removes rows for good: those that a purge request names, and those that are too old."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

import duckdb
from pydantic import BaseModel, Field, field_validator

from standin.monitor.owners import disown, of_property
from standin.monitor.schema import OWNED, STORED, USAGE

Condition = tuple[str, list[object]]


class Filter(BaseModel, frozen=True, extra="forbid"):
    """Which rows: those whose column is so; with a key, whose custom dimension of that name is."""

    column: Annotated[str, Field(pattern=r"^\w+$")]
    operator: Literal["==", "=~", "in"]
    value: str | Annotated[list[str], Field(min_length=1)]
    key: Annotated[str, Field(pattern=r'^[^"\\]*$')] = ""

    def condition(self) -> Condition:
        """Return it as SQL and its values."""
        name = f'"{self.column}"'
        found = f"json_extract_string({name}, ?)" if self.key else name
        path: list[object] = [f'$."{self.key}"'] if self.key else []
        wanted = self.value if isinstance(self.value, list) else [self.value]
        if self.operator == "=~":
            found, wanted = f"lower({found})", [text.lower() for text in wanted]
        return f"{found} IN (SELECT unnest(?))", [*path, wanted]


class Purge(BaseModel, frozen=True, extra="forbid"):
    """The body of a purge request: a table, and what all of its rows that go have in common."""

    table: str
    filters: Annotated[tuple[Filter, ...], Field(min_length=1)]

    @field_validator("table")
    @classmethod
    def is_a_table(cls, name: str) -> str:
        """Refuse what has no rows of its own, as saved functions have none."""
        if name not in STORED or name == USAGE.name:
            raise ValueError(f"{name} is no table of this workspace")
        return name

    def condition(self) -> Condition:
        """Return all filters as SQL and their values."""
        parts = [one.condition() for one in self.filters]
        return " AND ".join(sql for sql, _ in parts), [v for _, values in parts for v in values]


def purge(con: duckdb.DuckDBPyConnection, asked: Purge) -> int:
    """Remove the rows in the open transaction, and what follows from them; return how many."""
    where, values = asked.condition()
    if asked.table == "AppEvents":
        disown(con, where, values)
        con.execute(
            f"""DELETE FROM raw."{USAGE.name}" WHERE ("Source", "EventId") IN (
                SELECT {of_property("source")}, {of_property("id")}
                FROM raw."AppEvents" WHERE {where})""",  # noqa: S608 - names are checked
            values,
        )
    return _deleted(con, f'DELETE FROM raw."{asked.table}" WHERE {where}', values)  # noqa: S608


def purge_before(con: duckdb.DuckDBPyConnection, moment: datetime) -> int:
    """Remove what is older from every table, in the open transaction; return how many rows."""
    return sum(
        _deleted(con, f'DELETE FROM raw."{name}" WHERE "TimeGenerated" < ?', [moment])  # noqa: S608
        for name in (*STORED, OWNED.name)
    )


def _deleted(con: duckdb.DuckDBPyConnection, sql: str, values: Sequence[object]) -> int:
    (count,) = con.execute(sql, list(values)).fetchall()[0]
    return count
