"""Makes one file of the parts of an export: Parquet, CSV or JSON lines."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import duckdb

from shared.events.columns import COLUMNS

TYPES = {"string": "VARCHAR", "long": "BIGINT", "real": "DOUBLE"}
SCHEMA: Mapping[str, str] = {
    "EventTime": "TIMESTAMPTZ",
    "Name": "VARCHAR",
    **{c.name: TYPES[c.type] for c in COLUMNS if c.key != "occurred_at"},
    "OperationId": "VARCHAR",
    "ParentId": "VARCHAR",
}
"""The columns of the file, and their types for DuckDB. EventTime: when it happened."""


def make_file(kind: str, parts: Sequence[Path], out: Path) -> None:
    """Write the file: whole, or not at all."""
    unfinished = out.with_name(f"{out.name}.tmp")
    FORMATS[kind](parts, unfinished)
    unfinished.replace(out)


def _jsonl(parts: Sequence[Path], out: Path) -> None:
    with out.open("wb") as whole:
        for part in parts:
            with part.open("rb") as file:
                shutil.copyfileobj(file, whole)


def _csv(parts: Sequence[Path], out: Path) -> None:
    _copy(parts, out, "FORMAT csv, HEADER, TIMESTAMPFORMAT '%Y-%m-%dT%H:%M:%S.%fZ'")


def _parquet(parts: Sequence[Path], out: Path) -> None:
    _copy(parts, out, "FORMAT parquet, COMPRESSION zstd")


def _copy(parts: Sequence[Path], out: Path, options: str) -> None:
    """Let DuckDB read the parts with the types of the columns, and write them."""
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in SCHEMA.items())
    source = f"read_json($parts, format = 'newline_delimited', columns = {{{columns}}})"
    rows = f"FROM {source}" if parts else f"SELECT {_nothing()} WHERE false"
    with duckdb.connect() as memory:
        memory.execute(
            f"COPY ({rows}) TO '{_quoted(out)}' ({options})",
            {"parts": [str(part) for part in parts]} if parts else None,
        )


def _nothing() -> str:
    return ", ".join(f"NULL::{kind} AS {name}" for name, kind in SCHEMA.items())


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


FORMATS: Mapping[str, Callable[[Sequence[Path], Path], None]] = {
    "parquet": _parquet,
    "csv": _csv,
    "jsonl": _jsonl,
}
