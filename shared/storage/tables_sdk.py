"""Rows in Azure Tables through Microsoft's client library."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from azure.core import MatchConditions
from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.core.pipeline.transport import RequestsTransport
from azure.data.tables import EdmType, EntityProperty, TableServiceClient, UpdateMode
from requests import Session
from requests.adapters import HTTPAdapter

from shared.errors import AgentmeterError, Misconfigured
from shared.pooled_http import MOST_OPEN
from shared.storage.answers import (
    CONNECT_TIMEOUT_S,
    EXISTS,
    NO_TABLE,
    READ_TIMEOUT_S,
    RETRIES,
    meaning,
)
from shared.storage.limits import check
from shared.storage.odata import matching
from shared.storage.parallel import in_parallel, made
from shared.storage.rows import (
    ANY_STATE,
    EVERY,
    Change,
    Delete,
    Insert,
    Merge,
    Put,
    Replace,
    Row,
    Rows,
    Transaction,
    Value,
    Within,
)

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

_INT32 = range(-(2**31), 2**31)

Operation = tuple[str, Mapping[str, Any], Mapping[str, object]]
"""What to do, the row with its keys, and on what condition: as the library wants it."""


class SdkDatabase:
    """The tables of a storage account; fits rows.Database."""

    def __init__(self, service: TableServiceClient) -> None:
        self._service = service

    def table(self, name: str) -> Rows:
        """Return the table by that name."""
        return SdkRows(self._service, name)

    def close(self) -> None:
        """Close the connections."""
        self._service.close()


def connect(account: str, credential: "Callable[[], TokenCredential] | None" = None) -> SdkDatabase:
    """Return the tables of a storage account; nothing is asked of it yet.

    account: a connection string, or the https address of the table service, which then takes the
        tokens of the credential.
    Raises:
        Misconfigured: it is neither.
    """
    common: dict[str, Any] = {"transport": _transport(), **RETRIES}
    try:
        if account.startswith("https://") and credential:
            return SdkDatabase(TableServiceClient(account, credential=credential(), **common))
        return SdkDatabase(TableServiceClient.from_connection_string(account, **common))
    except ValueError:
        raise Misconfigured(
            "The storage account of the tables is not known. Set AzureWebJobsStorage to a "
            "connection string, or AzureWebJobsStorage__tableServiceUri to an https address."
        ) from None


def _transport() -> RequestsTransport:
    """Keep as many connections open as are used at once: the usual ten would be made anew."""
    session = Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=MOST_OPEN))
    return RequestsTransport(
        session=session, connection_timeout=CONNECT_TIMEOUT_S, read_timeout=READ_TIMEOUT_S
    )


class _Client(Protocol):
    """What is used of the library's TableClient, whose own annotations leave most unknown."""

    def get_entity(self, partition_key: str, row_key: str, *, select: list[str] | None) -> Any: ...
    def query_entities(self, query_filter: str, *, select: list[str] | None) -> Iterable[Any]: ...
    def submit_transaction(self, operations: Iterable[Operation]) -> object: ...
    def create_table(self) -> object: ...


class SdkRows:
    """One table; fits rows.Rows."""

    def __init__(self, service: TableServiceClient, table: str) -> None:
        self._table = table
        self._client: _Client = service.get_table_client(table)

    def get(self, partition: str, key: str, *fields: str) -> Row | None:
        """Return the row with these fields, None where there is none."""
        try:
            return _row(self._client.get_entity(partition, key, select=_selected(fields)))
        except ResourceNotFoundError:
            return None
        except AzureError as exc:
            raise self._meaning(exc) from None

    def get_each(self, places: Sequence[tuple[str, str]], *fields: str) -> Sequence[Row | None]:
        """Return the row at each (partition, key)."""
        return in_parallel(lambda place: self.get(*place, *fields), places)

    def query(self, partitions: Within, keys: Within = EVERY, *fields: str) -> Iterator[Row]:
        """Yield the rows of these partitions and keys."""
        where = matching(partitions, keys)
        try:
            for entity in self._client.query_entities(where, select=_selected(fields)):
                yield _row(entity)
        except ResourceNotFoundError:
            return
        except AzureError as exc:
            raise self._meaning(exc) from None

    def query_each(self, places: Sequence[tuple[str, Within]]) -> Sequence[Sequence[Row]]:
        """Return the rows of each partition and its keys."""
        return in_parallel(lambda place: list(self.query(*place)), places)

    def commit(self, partition: str, changes: Sequence[Change]) -> None:
        """Make all of the changes, or none; raises Conflict."""
        check(partition, changes)
        operations = [_operation(partition, change) for change in changes]
        try:
            self._client.submit_transaction(operations)
        except AzureError as exc:
            if _code(exc) != NO_TABLE:
                raise self._meaning(exc) from None
            self._create()
            self.commit(partition, changes)

    def commit_each(self, transactions: Sequence[Transaction]) -> Sequence[bool]:
        """Commit each of the transactions by itself; return for each whether it was made."""
        return in_parallel(lambda one: made(self, one), transactions)

    def _create(self) -> None:
        try:
            self._client.create_table()
        except AzureError as exc:
            if _code(exc) != EXISTS:
                raise self._meaning(exc) from None

    def _meaning(self, exc: AzureError) -> AgentmeterError:
        status = exc.status_code if isinstance(exc, HttpResponseError) else None
        response: Any = getattr(exc, "response", None)
        wait = str(response.headers.get("Retry-After", "")) if response else ""
        return meaning(self._table, status, _code(exc) or type(exc).__name__, wait)


def _operation(partition: str, change: Change) -> Operation:
    """Return the change as the library wants it."""
    keys = {"PartitionKey": partition, "RowKey": change.key}
    if isinstance(change, Delete):
        return "delete", keys, _condition(change.etag)
    entity = keys | {name: _given(value) for name, value in change.fields.items()}
    match change:
        case Insert():
            return "create", entity, {}
        case Put():
            return "upsert", entity, {"mode": UpdateMode.REPLACE}
        case Merge(etag=etag):
            return "update", entity, {"mode": UpdateMode.MERGE, **_condition(etag)}
        case Replace(etag=etag):
            return "update", entity, {"mode": UpdateMode.REPLACE, **_condition(etag)}


def _condition(etag: str) -> Mapping[str, object]:
    if etag == ANY_STATE:
        return {}
    return {"etag": etag, "match_condition": MatchConditions.IfNotModified}


def _given(value: Value) -> Any:
    if isinstance(value, int) and value not in _INT32:
        return EntityProperty(value, EdmType.INT64)
    return value


def _read(value: Any) -> Any:
    return value.value if isinstance(value, EntityProperty) else value


def _selected(fields: tuple[str, ...]) -> list[str] | None:
    return ["PartitionKey", "RowKey", *fields] if fields else None


def _row(entity: Any) -> Row:
    # A field that was asked for and is not there comes as null.
    given = {name: _read(value) for name, value in entity.items() if value is not None}
    partition, key = given.pop("PartitionKey"), given.pop("RowKey")
    return Row(partition, key, given, entity.metadata["etag"] or "")


def _code(exc: AzureError) -> str:
    """Return the service's name for the error, which comes as text, enum, or not at all."""
    code = getattr(exc, "error_code", "") or ""
    return str(getattr(code, "value", code))
