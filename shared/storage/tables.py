"""Rows in Azure Tables, asked for through azure-core with transactions of our own writing.

azure-data-tables takes a millisecond of CPU for each row of a transaction; this takes some µs.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlencode

from azure.core.exceptions import AzureError
from azure.core.pipeline import Pipeline
from azure.core.pipeline.policies import RetryPolicy
from azure.core.rest import HttpRequest

from shared.errors import AgentmeterError, RetryLater
from shared.pooled_http import Answer, PooledHttp
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
from shared.storage.rows import EVERY, Change, Row, Rows, Transaction, Within
from shared.storage.table_account import Account, Dated, Policy, account_of
from shared.storage.table_wire import (
    BATCH_TYPE,
    batch_answer,
    batch_of,
    error_code,
    place,
    row_of,
    rows_of,
)

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

Client = Pipeline[HttpRequest, Answer]
Found = TypeVar("Found")
_HEADERS = {"x-ms-version": "2019-02-02", "DataServiceVersion": "3.0"}
_ROWS = {**_HEADERS, "Accept": "application/json;odata=minimalmetadata"}
_NOT_THERE = {"ResourceNotFound", "EntityNotFound", NO_TABLE}
_NEXT = ("NextPartitionKey", "NextRowKey")


class TablesDatabase:
    """The tables of a storage account; fits rows.Database."""

    def __init__(self, account: Account) -> None:
        self._url = account.url
        # What dates and signs comes after what tries again: each attempt has its own.
        policies: list[Policy] = [RetryPolicy[Any, Any](**RETRIES), Dated(), account.policy]
        self._http = PooledHttp(CONNECT_TIMEOUT_S, READ_TIMEOUT_S)
        self._client = Client(self._http, policies)

    def table(self, name: str) -> Rows:
        """Return the table by that name."""
        return TableRows(self._client, self._url, name)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def connect(
    account: str, credential: "Callable[[], TokenCredential] | None" = None
) -> TablesDatabase:
    """Return the tables of a storage account; nothing is asked of it yet.

    account: a connection string, or the https address of the table service, which then takes the
        tokens of the credential.
    Raises:
        Misconfigured: it is neither.
    """
    return TablesDatabase(account_of(account, credential))


class TableRows:
    """One table; fits rows.Rows."""

    def __init__(self, client: Client, url: str, table: str) -> None:
        self._client = client
        self._url = url
        self._table = table

    def get(self, partition: str, key: str, *fields: str) -> Row | None:
        """Return the row with these fields, None where there is none."""
        answer = self._ask(place(self._table, partition, key), _selected(fields))
        return self._read(row_of, answer) if answer else None

    def get_each(self, places: Sequence[tuple[str, str]], *fields: str) -> Sequence[Row | None]:
        """Return the row at each (partition, key)."""
        return in_parallel(lambda one: self.get(*one, *fields), places)

    def query(self, partitions: Within, keys: Within = EVERY, *fields: str) -> Iterator[Row]:
        """Yield the rows of these partitions and keys."""
        where = matching(partitions, keys)
        asked = {**({"$filter": where} if where else {}), **_selected(fields)}
        start: Mapping[str, str] | None = {}
        while start is not None:
            answer = self._ask(f"{self._table}()", {**asked, **start})
            if answer is None:
                return
            yield from self._read(rows_of, answer)
            start = _next_page(answer)

    def query_each(self, places: Sequence[tuple[str, Within]]) -> Sequence[Sequence[Row]]:
        """Return the rows of each partition and its keys."""
        return in_parallel(lambda place: list(self.query(*place)), places)

    def commit(self, partition: str, changes: Sequence[Change]) -> None:
        """Make all of the changes, or none; raises Conflict."""
        check(partition, changes)
        body = batch_of(self._url, self._table, partition, changes)
        headers = {**_HEADERS, "Content-Type": BATCH_TYPE, "Accept": "application/json"}
        answer = self._send(
            HttpRequest("POST", f"{self._url}/$batch", headers=headers, content=body)
        )
        became = batch_answer(answer.status_code, answer.content, len(changes))
        if became is None:
            raise self._unclear()
        if became.code == NO_TABLE:
            self._create()
            self.commit(partition, changes)
        elif became.status != 202:
            raise self._meaning(answer, became.status, became.code)

    def commit_each(self, transactions: Sequence[Transaction]) -> Sequence[bool]:
        """Commit each of the transactions by itself; return for each whether it was made."""
        return in_parallel(lambda one: made(self, one), transactions)

    def _create(self) -> None:
        asked = HttpRequest(
            "POST", f"{self._url}/Tables", headers=_ROWS, json={"TableName": self._table}
        )
        answer = self._send(asked)
        code = error_code(answer.content)
        if answer.status_code >= 300 and code != EXISTS:
            raise self._meaning(answer, answer.status_code, code)

    def _ask(self, path: str, query: Mapping[str, str]) -> Answer | None:
        """Return what the service answers, None where the row or table is not there."""
        asked = f"?{urlencode(query, quote_via=quote)}" if query else ""
        answer = self._send(HttpRequest("GET", f"{self._url}/{path}{asked}", headers=_ROWS))
        if answer.status_code == 200:
            return answer
        code = error_code(answer.content)
        if answer.status_code == 404 and code in _NOT_THERE:
            return None
        raise self._meaning(answer, answer.status_code, code)

    def _send(self, request: HttpRequest) -> Answer:
        try:
            answer = self._client.run(request).http_response
        except AzureError as exc:
            raise meaning(self._table, None, type(exc).__name__) from None
        return answer

    def _read(self, read: Callable[[bytes], Found], answer: Answer) -> Found:
        try:
            return read(answer.content)
        except ValueError:
            raise self._unclear() from None

    def _meaning(self, answer: Answer, status: int, code: str) -> AgentmeterError:
        wait = str(answer.headers.get("Retry-After", ""))
        return meaning(self._table, status, code or "no reason", wait)

    def _unclear(self) -> RetryLater:
        return RetryLater(
            f"Table {self._table} gave an answer that was cut off or is none. It is tried again."
        )


def _next_page(answer: Answer) -> Mapping[str, str] | None:
    """Return what asks for the page after this one, None where it is the last."""
    found = {name: answer.headers.get(f"x-ms-continuation-{name}") for name in _NEXT}
    return {name: value for name, value in found.items() if value} or None


def _selected(fields: tuple[str, ...]) -> Mapping[str, str]:
    return {"$select": ",".join(["PartitionKey", "RowKey", *fields])} if fields else {}
