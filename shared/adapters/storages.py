"""Everything that is remembered between two invocations: in one file, or in tables."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from shared.adapters.azure.identity import Identity
from shared.adapters.config.price_book import Texts
from shared.ports import AlertStore, Claims, LabelBook, Mark, SeriesStore, SilenceStore
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class Storage:
    """Everything that is remembered between two invocations."""

    claims: Claims
    series: SeriesStore
    mark: Mark
    labels: LabelBook
    alerts: AlertStore
    silences: SilenceStore
    texts: Texts
    close: Callable[[], None]


def open_storage(settings: Settings) -> Storage:
    """Return the stores that AGENTMETER_STATE names."""
    kind, _, path = settings.AGENTMETER_STATE.partition(":")
    return _sqlite(Path(path)) if kind == "sqlite" else _tables(settings)


def _sqlite(path: Path) -> Storage:
    """Keep everything in one file."""
    from shared.adapters.sqlite import connect
    from shared.adapters.sqlite_alerts import SqliteAlerts
    from shared.adapters.sqlite_claims import SqliteClaims
    from shared.adapters.sqlite_mark import SqliteMark
    from shared.adapters.sqlite_series import SqliteLabels, SqliteSeries
    from shared.adapters.sqlite_silences import SqliteSilences
    from shared.adapters.sqlite_texts import SqliteTexts

    database = connect(path)
    return Storage(
        SqliteClaims(database),
        SqliteSeries(database),
        SqliteMark(database),
        SqliteLabels(database),
        SqliteAlerts(database),
        SqliteSilences(database),
        SqliteTexts(database),
        database.close,
    )


def _tables(settings: Settings) -> Storage:
    """Keep everything in tables of the storage account."""
    from shared.adapters.storage_tables import connect
    from shared.adapters.tables_alerts import TableAlerts
    from shared.adapters.tables_claims import TableClaims
    from shared.adapters.tables_labels import TableLabels
    from shared.adapters.tables_mark import TableMark
    from shared.adapters.tables_series import TableSeries
    from shared.adapters.tables_silences import TableSilences
    from shared.adapters.tables_texts import TableTexts

    account = settings.AzureWebJobsStorage.get_secret_value()
    service = connect(
        account or settings.AzureWebJobsStorage__tableServiceUri, Identity(settings.AZURE_CLIENT_ID)
    )
    return Storage(
        TableClaims(service),
        TableSeries(service),
        TableMark(service),
        TableLabels(service),
        TableAlerts(service),
        TableSilences(service),
        TableTexts(service),
        service.close,
    )
