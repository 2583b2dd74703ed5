"""Every kind of storage under the port of rows, for contracts and journeys alike."""

from collections.abc import Callable, Generator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from shared.storage import sqlite, tables, tables_sdk
from shared.storage.memory import MemoryDatabase
from shared.storage.rows import Database, Rows
from tests.contract.azurite import Azurite, azurite

__all__ = ["azurite", "database", "open_database", "rows"]

OpenDatabase = Callable[[], Database]
"""Opens the same storage once more, as another instance, or the same one after a restart, does."""


ON_AZURITE = {"azurite": tables.connect, "azurite-sdk": tables_sdk.connect}
KINDS = ["memory", "sqlite", pytest.param("azurite", marks=pytest.mark.azurite)]


@pytest.fixture(params=KINDS)
def open_database(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Generator[OpenDatabase, None, None]:
    """Opens one empty storage of each kind, as often as a test asks."""
    yield from opening(request, tmp_path)


def opening(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[OpenDatabase, None, None]:
    """Yield what opens an empty storage of the kind that is the request's parameter."""
    with ExitStack() as closing:

        def opened() -> Database:
            match request.param:
                case "memory":
                    return MemoryDatabase()
                case "sqlite":
                    database: Database = sqlite.connect(tmp_path / "state.db", wait_s=30)
                case name:
                    database = ON_AZURITE[name](account)
            closing.callback(database.close)
            return database

        account = ""
        if request.param in ON_AZURITE:
            emulator: Azurite = request.getfixturevalue("azurite")
            account = emulator.account()
        yield cache(opened) if request.param == "memory" else opened


@pytest.fixture
def database(open_database: OpenDatabase) -> Database:
    """A storage that holds nothing."""
    return open_database()


@pytest.fixture
def rows(database: Database) -> Rows:
    """A table that holds nothing."""
    return database.table("things")
