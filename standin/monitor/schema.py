"""The tables of the stand-in: names, columns and types as Log Analytics publishes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from shared.alerting.history_columns import COLUMNS as HISTORY_COLUMNS
from shared.events.columns import COLUMNS, OWNER

KqlType = Literal["string", "int", "long", "real", "bool", "datetime", "dynamic"]
Columns = tuple[tuple[str, KqlType], ...]

SQL_TYPES: Mapping[KqlType, str] = {
    "string": "VARCHAR",
    "int": "INTEGER",
    "long": "BIGINT",
    "real": "DOUBLE",
    "bool": "BOOLEAN",
    "datetime": "TIMESTAMP",
    "dynamic": "JSON",
}


@dataclass(frozen=True, slots=True)
class Table:
    """A table that a query may name.

    hidden: columns of the stored rows that no query sees.
    """

    name: str
    columns: Columns
    hidden: Columns = ()

    @property
    def names(self) -> list[str]:
        """The columns that a query sees, in order."""
        return [name for name, _ in self.columns]


def _text(*names: str) -> Columns:
    return tuple((name, "string") for name in names)


TAGS = (
    ("OperationName", "ai.operation.name"),
    ("OperationId", "ai.operation.id"),
    ("ParentId", "ai.operation.parentId"),
    ("SyntheticSource", "ai.operation.syntheticSource"),
    ("SessionId", "ai.session.id"),
    ("UserId", "ai.user.id"),
    ("UserAuthenticatedId", "ai.user.authUserId"),
    ("UserAccountId", "ai.user.accountId"),
    ("AppVersion", "ai.application.ver"),
    ("AppRoleName", "ai.cloud.role"),
    ("AppRoleInstance", "ai.cloud.roleInstance"),
    ("ClientType", "ai.device.type"),
    ("ClientModel", "ai.device.model"),
    ("ClientOS", "ai.device.osVersion"),
    ("ClientIP", "ai.location.ip"),
    ("ClientCity", "ai.location.city"),
    ("ClientStateOrProvince", "ai.location.province"),
    ("ClientCountryOrRegion", "ai.location.country"),
    ("SDKVersion", "ai.internal.sdkVersion"),
)
"""Columns that an envelope's tags fill, with the tag of each."""

CONSTANTS: tuple[tuple[str, str], ...] = (
    ("TenantId", ""),
    ("ClientBrowser", ""),
    ("ResourceGUID", ""),
    ("SourceSystem", "Azure"),
    ("_IsBillable", "True"),
    ("_ResourceId", ""),
    ("_SubscriptionId", ""),
)
"""Text columns that are the same in every row here."""

COMMON: Columns = (
    ("TimeGenerated", "datetime"),
    *_text(*(column for column, _ in TAGS)),
    *_text(*(column for column, _ in CONSTANTS)),
    *_text("IKey", "Type", "_ItemId"),
    ("ItemCount", "int"),
    ("Properties", "dynamic"),
    ("_BilledSize", "real"),
    ("_TimeReceived", "datetime"),
)
"""What every App* table begins with; own columns follow."""

_MEASURED: Columns = (("Measurements", "dynamic"),)
_REFERENCE = _text("ReferencedItemId", "ReferencedType")
_CALL: Columns = (
    *_text("Id", "Name", "ResultCode", "PerformanceBucket"),
    ("Success", "bool"),
    ("DurationMs", "real"),
    *_MEASURED,
    *_REFERENCE,
)

_OWN: Mapping[str, Columns] = {
    "AppEvents": (("Name", "string"), *_MEASURED),
    "AppMetrics": (("Name", "string"), ("Sum", "real"), ("Min", "real"), ("Max", "real")),
    "AppTraces": (("Message", "string"), ("SeverityLevel", "int"), *_MEASURED, *_REFERENCE),
    "AppRequests": (*_CALL, *_text("Source", "Url")),
    "AppDependencies": (*_CALL, *_text("Target", "DependencyType", "Data")),
    "AppExceptions": (
        *_text("ProblemId", "HandledAt", "ExceptionType", "Message", "Assembly", "Method"),
        *_text("OuterType", "OuterMessage", "OuterAssembly", "OuterMethod"),
        *_text("InnermostType", "InnermostMessage", "InnermostAssembly", "InnermostMethod"),
        ("SeverityLevel", "int"),
        ("Details", "dynamic"),
        *_MEASURED,
    ),
    "AppPageViews": (*_text("Id", "Name", "Url"), ("DurationMs", "real"), *_MEASURED),
    "AppAvailabilityResults": (
        *_text("Id", "Name", "Location", "Message"),
        ("Success", "bool"),
        ("DurationMs", "real"),
        *_MEASURED,
    ),
}

USAGE = Table(
    "UsageEvents",
    (
        ("TimeGenerated", "datetime"),
        ("Name", "string"),
        *((column.name, column.type) for column in COLUMNS),
        ("OperationId", "string"),
        ("ParentId", "string"),
    ),
    hidden=(("_Attempt", "real"), ("_Repeated", "bool"), ("_Superseded", "bool")),
)
"""A saved function on Azure (infra/kql/UsageEvents.kql), a table here.

_Attempt: the measurement of the row, NULL where it carries none. Where some row of an event carries
one, a single row is shown: _Superseded is a row in whose place another of its moment stands, and
_Repeated one of which that depends on the time that a query sees, as rows stand at several moments.
"""

OWNED = Table(
    "_Owned",
    (
        ("TimeGenerated", "datetime"),
        *_text("Source", "Span"),
        ("Known", "real"),
        *_text(*(column.name for column in COLUMNS if column.key in OWNER)),
    ),
)
"""Whose work events from spans are, where that was learnt after they were written; a row a span.
No query names it: UsageEvents is kept as it says, whichever of the two comes first."""

HISTORY = Table(
    "AlertHistory",
    (
        ("TimeGenerated", "datetime"),
        ("Name", "string"),
        *((column.name, column.type) for column in HISTORY_COLUMNS),
    ),
)
"""A saved function on Azure (infra/kql/AlertHistory.kql), a view of AppEvents here."""

STORED: Mapping[str, Table] = {
    **{name: Table(name, (*COMMON, *own)) for name, own in _OWN.items()},
    USAGE.name: USAGE,
}
"""The tables that have rows of their own."""

TABLES: Mapping[str, Table] = {**STORED, HISTORY.name: HISTORY}
"""Everything that a query may name."""

FUNCTIONS = (USAGE.name, HISTORY.name)
"""Those of them that are saved functions on Azure."""


def create_sql(table: Table) -> str:
    """Return the statement that creates the stored form of the table, unless it is there."""
    columns = ", ".join(f'"{n}" {SQL_TYPES[t]}' for n, t in (*table.columns, *table.hidden))
    return f'CREATE TABLE IF NOT EXISTS raw."{table.name}" ({columns})'
