"""The stores on every kind of storage, for contracts and journeys alike.

A conftest.py that imports `open_stores`, `stores` and `azurite` gives them to its tests, each of
which then runs once a kind.
"""

from collections.abc import Callable, Generator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from shared.adapters import memory
from shared.adapters.sqlite import connect as connect_sqlite
from shared.adapters.sqlite_alerts import SqliteAlerts
from shared.adapters.sqlite_claims import SqliteClaims
from shared.adapters.sqlite_mark import SqliteMark
from shared.adapters.sqlite_series import SqliteLabels, SqliteSeries
from shared.adapters.sqlite_silences import SqliteSilences
from shared.adapters.storage_tables import connect as connect_tables
from shared.adapters.tables_alerts import TableAlerts
from shared.adapters.tables_claims import TableClaims
from shared.adapters.tables_labels import TableLabels
from shared.adapters.tables_mark import TableMark
from shared.adapters.tables_series import TableSeries
from shared.adapters.tables_silences import TableSilences
from shared.ports import AlertStore, Claims, LabelBook, Mark, SeriesStore, SilenceStore
from tests.contract.azurite import Azurite, azurite

__all__ = ["Stores", "azurite", "in_memory", "in_sqlite", "in_tables", "open_stores", "stores"]


@dataclass(frozen=True, slots=True)
class Stores:
    """What one instance of the app remembers with."""

    claims: Claims
    series: SeriesStore
    mark: Mark
    labels: LabelBook
    alerts: AlertStore
    silences: SilenceStore


OpenStores = Callable[[], Stores]
"""Opens the same storage once more, as another instance, or the same one after a restart, does."""


def in_memory() -> Stores:
    """Return stores that nobody else sees."""
    return Stores(
        memory.MemoryClaims(),
        memory.MemorySeries(),
        memory.MemoryMark(),
        memory.MemoryLabels(),
        memory.MemoryAlerts(),
        memory.MemorySilences(),
    )


def in_sqlite(path: Path, closing: ExitStack) -> Stores:
    """Return the stores of a file, which `closing` closes."""
    database = connect_sqlite(path, wait_s=30)
    closing.callback(database.close)
    return Stores(
        SqliteClaims(database),
        SqliteSeries(database),
        SqliteMark(database),
        SqliteLabels(database),
        SqliteAlerts(database),
        SqliteSilences(database),
    )


def in_tables(account: str, closing: ExitStack) -> Stores:
    """Return the stores of a storage account, whose connections `closing` closes."""
    service = connect_tables(account)
    closing.callback(service.close)
    return Stores(
        TableClaims(service),
        TableSeries(service),
        TableMark(service),
        TableLabels(service),
        TableAlerts(service),
        TableSilences(service),
    )


@pytest.fixture(params=["memory", "sqlite", pytest.param("azurite", marks=pytest.mark.azurite)])
def open_stores(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Generator[OpenStores, None, None]:
    """Opens one empty storage of each kind, as often as a test asks."""
    with ExitStack() as closing:
        match request.param:
            case "memory":
                yield cache(in_memory)
            case "sqlite":
                yield lambda: in_sqlite(tmp_path / "state.db", closing)
            case _:
                emulator: Azurite = request.getfixturevalue("azurite")
                account = emulator.account()
                yield lambda: in_tables(account, closing)


@pytest.fixture
def stores(open_stores: OpenStores) -> Stores:
    """The stores of an instance that starts with nothing."""
    return open_stores()
