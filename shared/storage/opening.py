"""Opens the rows that AGENTMETER_STATE names: a file, or tables of the storage account."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from shared.settings import Settings
from shared.storage.rows import Database

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential


def open_rows(settings: Settings, credential: "Callable[[], TokenCredential]") -> Database:
    """Return the database; credential: for an account that is reached by identity."""
    kind, _, path = settings.AGENTMETER_STATE.partition(":")
    if kind == "sqlite":
        from shared.storage.sqlite import connect as connect_file

        return connect_file(Path(path))
    from shared.storage.tables_sdk import connect as connect_account

    account = settings.AzureWebJobsStorage.get_secret_value()
    return connect_account(account or settings.AzureWebJobsStorage__tableServiceUri, credential)
