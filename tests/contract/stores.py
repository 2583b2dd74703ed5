"""The stores on every kind of storage, for contracts and journeys alike.

A conftest.py that imports `open_database`, `open_stores`, `stores` and `azurite` gives them to its
tests, each of which then runs once a kind.
"""

from collections.abc import Callable

import pytest

from shared.storage.stores import Storage, stores_of
from tests.contract.databases import OpenDatabase, azurite, open_database

__all__ = ["OpenStores", "Stores", "azurite", "open_database", "open_stores", "stores"]

Stores = Storage
"""What one instance of the app remembers with."""

OpenStores = Callable[[], Stores]
"""Opens the same storage once more, as another instance, or the same one after a restart, does."""


@pytest.fixture
def open_stores(open_database: OpenDatabase) -> OpenStores:
    """Opens one empty storage of each kind, as often as a test asks."""
    return lambda: stores_of(open_database())


@pytest.fixture
def stores(open_stores: OpenStores) -> Stores:
    """The stores of an instance that starts with nothing."""
    return open_stores()
