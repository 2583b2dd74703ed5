"""Azure Tables: how a table is reached, and what its answers mean to us."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.data.tables import TableServiceClient

from shared.adapters.azure.identity import APP, Identity
from shared.adapters.tables_row import Operation, Row, check_size
from shared.errors import AgentmeterError, GiveUp, Misconfigured, RetryLater

if TYPE_CHECKING:
    from azure.core.pipeline.transport import HttpTransport

ATTEMPTS = 8
"""How often a change is tried because others were faster, before the queue tries again."""

_MOST_AT_ONCE = 16
_THREADS = ThreadPoolExecutor(_MOST_AT_ONCE, thread_name_prefix="tables")
_RETRIES: dict[str, Any] = {
    "retry_total": 2,
    "retry_backoff_factor": 0.2,
    "retry_backoff_max": 2,
    "timeout": 30,
}
_CONFLICTS = {
    "EntityAlreadyExists",
    "InvalidDuplicateRow",
    "UpdateConditionNotSatisfied",
    "ConditionNotMet",
    "ResourceNotFound",
    "EntityNotFound",
}
_BUSY = {408, 409, 429}

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Conflict(AgentmeterError):
    """A row of the transaction is there already, is gone or has changed; nothing was written."""


def connect(account: str, identity: Identity = APP) -> TableServiceClient:
    """Return a client for the tables of a storage account; nothing is asked of it yet.

    account: a connection string, or the https address of the table service, which is then reached
        by that identity.
    Raises:
        Misconfigured: it is neither.
    """
    try:
        if account.startswith("https://"):
            return TableServiceClient(
                account, credential=identity.credential(), transport=_transport(), **_RETRIES
            )
        return TableServiceClient.from_connection_string(
            account, transport=_transport(), **_RETRIES
        )
    except ValueError:
        raise Misconfigured(
            "The storage account of the tables is not known. Set AzureWebJobsStorage to a "
            "connection string, or AzureWebJobsStorage__tableServiceUri to an https address."
        ) from None


class _Client(Protocol):
    """What is used of the SDK's TableClient, whose own annotations leave most unknown."""

    def get_entity(self, partition_key: str, row_key: str, *, select: list[str] | None) -> Any: ...
    def query_entities(self, query_filter: str, *, select: list[str] | None) -> Iterable[Any]: ...
    def submit_transaction(self, operations: Iterable[Operation]) -> object: ...
    def create_table(self) -> object: ...


class Rows:
    """One table, made when it is first written to; what goes wrong with it is our own error.

    Every method may raise:
        RetryLater: the table did not answer, or asked us to wait.
        Misconfigured: it refused us.
        GiveUp: it will never take what was asked.
    """

    def __init__(self, service: TableServiceClient, table: str) -> None:
        self._table = table
        self._client: _Client = service.get_table_client(table)

    def get(self, partition: str, key: str, *fields: str) -> Row | None:
        """Return the row with these fields (none named: all), or None where there is none."""
        try:
            return _row(self._client.get_entity(partition, key, select=_selected(fields)))
        except ResourceNotFoundError:
            return None
        except AzureError as exc:
            raise self._meaning(exc) from None

    def query(self, where: str, *fields: str) -> Iterator[Row]:
        """Yield the rows that the OData filter lets through, by partition and key."""
        try:
            for entity in self._client.query_entities(where, select=_selected(fields)):
                yield _row(entity)
        except ResourceNotFoundError:
            return
        except AzureError as exc:
            raise self._meaning(exc) from None

    def commit(self, operations: Sequence[Operation]) -> None:
        """Do all of the operations, which are of one partition, or none.

        Raises:
            Conflict: a row to create is there, or one to change is gone or not what it was.
        """
        check_size(operations)
        try:
            self._client.submit_transaction(operations)
        except AzureError as exc:
            if _code(exc) != "TableNotFound":
                raise self._meaning(exc) from None
            self._create()
            self.commit(operations)

    def commit_present(self, operations: Sequence[Operation]) -> int:
        """Change or delete those of the rows that are there; return how many those were."""
        try:
            self.commit(operations)
        except Conflict:
            half = len(operations) // 2
            halves = (operations[:half], operations[half:]) if half else ()
            return sum(self.commit_present(part) for part in halves)
        return len(operations)

    def _create(self) -> None:
        try:
            self._client.create_table()
        except AzureError as exc:
            if _code(exc) != "TableAlreadyExists":
                raise self._meaning(exc) from None

    def _meaning(self, exc: AzureError) -> AgentmeterError:
        """Say who must act. The service's own text is left out: it may repeat what we sent."""
        status = exc.status_code if isinstance(exc, HttpResponseError) else None
        what = f"{status or type(exc).__name__} {_code(exc)}".strip()
        if _code(exc) in _CONFLICTS:
            return Conflict(f"A row of table {self._table} was changed by others: {what}.")
        if status in {401, 403, 404}:
            return Misconfigured(
                f"Table {self._table} refused us: {what}. Give the app's identity the role Storage "
                "Table Data Contributor, let its network in, or mend AzureWebJobsStorage."
            )
        if status and 400 <= status < 500 and status not in _BUSY:
            return GiveUp(f"Table {self._table} will never take this: {what}. Please report it.")
        return RetryLater(
            f"Table {self._table} did not answer: {what}. It is tried again; if this lasts, see "
            "the storage account's health, its network rules and its throttling.",
            _retry_after_s(exc),
        )


def in_parallel(work: Callable[[Item], Answer], items: Iterable[Item]) -> list[Answer]:
    """Do the work for every item, several at once: a table takes some 10 ms for each answer.

    The work must not call in_parallel itself, for it might wait for its own thread.
    """
    return list(_THREADS.map(work, items))


def _transport() -> "HttpTransport[Any, Any]":
    """Keep as many connections open as are used at once: the usual ten would be made anew."""
    import requests
    from azure.core.pipeline.transport import RequestsTransport
    from requests.adapters import HTTPAdapter

    session = requests.Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=2 * _MOST_AT_ONCE))
    return RequestsTransport(session=session, connection_timeout=5, read_timeout=15)


def _selected(fields: tuple[str, ...]) -> list[str] | None:
    return ["PartitionKey", "RowKey", *fields] if fields else None


def _row(entity: Any) -> Row:
    return Row(entity["PartitionKey"], entity["RowKey"], entity, entity.metadata["etag"] or "")


def _code(exc: AzureError) -> str:
    """Return the service's name for the error, which the SDK gives as text, enum, or not at all."""
    code = getattr(exc, "error_code", "") or ""
    return str(getattr(code, "value", code))


def _retry_after_s(exc: AzureError) -> float | None:
    response: Any = getattr(exc, "response", None)
    given = str(response.headers.get("Retry-After", "")) if response else ""
    return float(given) if given.isdigit() else None
