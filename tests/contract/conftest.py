"""What the contract tests share."""

from tests.contract.stores import azurite, open_stores, stores

__all__ = ["azurite", "open_stores", "stores"]
