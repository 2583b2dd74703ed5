"""Everything that is remembered between two invocations, in any database."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shared.claim_ports import Claims, TraceMemory
from shared.mark_port import Mark
from shared.ports import Turns
from shared.settings import Settings
from shared.storage import quarantine
from shared.storage.alerts import RowAlerts
from shared.storage.claims import RowClaims
from shared.storage.labels import RowLabels
from shared.storage.mark import RowMark
from shared.storage.rows import Database
from shared.storage.series import RowSeries
from shared.storage.silences import RowSilences
from shared.storage.texts import RowTexts
from shared.storage.traces import TraceRows
from shared.storage.turns import TurnRows
from shared.store_ports import (
    AlertStore,
    LabelBook,
    SeriesStore,
    SetAside,
    SilenceStore,
    Texts,
)

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

CLAIM_PARTITIONS = 3
"""So few that a message needs few transactions; each takes 2,000 rows a second."""


@dataclass(frozen=True, slots=True)
class Storage:
    """Everything that is remembered between two invocations."""

    claims: Claims
    series: SeriesStore
    mark: Mark
    labels: LabelBook
    alerts: AlertStore
    silences: SilenceStore
    set_aside: SetAside
    traces: TraceMemory
    turns: Turns
    texts: Texts
    close: Callable[[], None]


def stores_of(database: Database, claim_partitions: int = CLAIM_PARTITIONS) -> Storage:
    """Return the stores of the database."""
    series, alerts = database.table("series"), database.table("alerts")
    silences = database.table("silences")
    copies = quarantine.Copies(alerts)
    return Storage(
        claims=RowClaims(database.table("claims"), claim_partitions, copies),
        series=RowSeries(series, copies),
        mark=RowMark(series, copies),
        labels=RowLabels(series, copies),
        alerts=RowAlerts(alerts),
        silences=RowSilences(silences),
        set_aside=quarantine.SetAside(alerts, silences),
        traces=TraceRows(database.table("traces"), copies),
        turns=TurnRows(alerts),
        texts=RowTexts(database.table("texts"), copies),
        close=database.close,
    )


def open_storage(settings: Settings, credential: "Callable[[], TokenCredential]") -> Storage:
    """Return the stores that AGENTMETER_STATE names.

    credential: makes what asks for tokens, where the settings hold no key.
    """
    return stores_of(_database(settings, credential), settings.CLAIM_PARTITIONS)


def _database(settings: Settings, credential: "Callable[[], TokenCredential]") -> Database:
    kind, _, path = settings.AGENTMETER_STATE.partition(":")
    if kind == "sqlite":
        return open_file(Path(path))
    from shared.storage import tables, tables_sdk

    connect = tables.connect if kind == "tables" else tables_sdk.connect
    account = settings.AzureWebJobsStorage.get_secret_value()
    return connect(account or settings.AzureWebJobsStorage__tableServiceUri, credential)


def open_file(path: Path, wait_s: float = 5.0) -> Database:
    """Return the database of a file, which is renewed where an edition before wrote it."""
    from shared.storage import sqlite
    from shared.storage.landed_sqlite import migrate

    database = sqlite.connect(path, wait_s)
    migrate(database)
    return database
