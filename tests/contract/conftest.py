"""What the contract tests share."""

from tests.contract.databases import azurite, database, open_database, rows
from tests.contract.stores import open_stores, stores

__all__ = ["azurite", "database", "open_database", "open_stores", "rows", "stores"]
