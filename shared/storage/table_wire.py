"""Rows and transactions as Azure Tables has them on the wire: OData in JSON, and its batches."""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast
from urllib.parse import quote

from shared.storage.rows import (
    Change,
    Delete,
    Fields,
    Insert,
    Merge,
    Put,
    Replace,
    Row,
    Value,
)

BATCH = "batch_agentmeter"
_CHANGES = "changeset_agentmeter"
BATCH_TYPE = f"multipart/mixed; boundary={BATCH}"
_TYPE = "@odata.type"
_INT32 = range(-(2**31), 2**31)
_STATUS = re.compile(rb"^HTTP/1\.1 ([0-9]{3})\b", re.MULTILINE)
_CODE = re.compile(rb'"code"\s*:\s*"([^":]+)|<[Cc]ode>([^<]+)')

Json = dict[str, object]


class Answered(NamedTuple):
    """What became of a transaction. status: of the whole, or of the change that failed."""

    status: int
    code: str = ""


def place(table: str, partition: str, key: str) -> str:
    """Return the path of a row, below the account's address."""
    return f"{table}(PartitionKey='{_escaped(partition)}',RowKey='{_escaped(key)}')"


def batch_of(url: str, table: str, partition: str, changes: Sequence[Change]) -> bytes:
    """Return the body that asks for the changes; its boundaries are never the start of a line of
    what is sent, for JSON has no line breaks."""
    parts = "".join(
        f"--{_CHANGES}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"
        f"Content-ID: {n}\r\n\r\n{_request(url, table, partition, change)}\r\n"
        for n, change in enumerate(changes)
    )
    head = f"--{BATCH}\r\nContent-Type: multipart/mixed; boundary={_CHANGES}\r\n\r\n"
    return f"{head}{parts}--{_CHANGES}--\r\n\r\n--{BATCH}--\r\n".encode()


def batch_answer(status: int, body: bytes, changes: int) -> Answered | None:
    """Read the answer to so many changes; None where it does not say what became of them."""
    if status != 202:
        return Answered(status, error_code(body))
    found = [(int(match[1]), match.end()) for match in _STATUS.finditer(body)]
    for code, end in found:
        if code >= 300:
            return Answered(code, error_code(body[end:]))
    return Answered(status) if len(found) == changes else None


def error_code(body: bytes) -> str:
    """Return the service's name for an error, "" where the body has none."""
    found = _CODE.search(body)
    return (found[1] or found[2]).decode("ascii", "replace") if found else ""


def rows_of(body: bytes) -> list[Row]:
    """Return the rows of a page of a query.

    Raises:
        ValueError: it is no page.
    """
    page: object = json.loads(body)
    if not isinstance(page, dict) or not isinstance(found := cast("Json", page).get("value"), list):
        raise ValueError("no page of rows")
    return [_row(entity) for entity in cast("list[Json]", found)]


def row_of(body: bytes) -> Row:
    """Return the row of an answer.

    Raises:
        ValueError: it is no row.
    """
    return _row(cast("Json", json.loads(body)))


def _row(entity: Json) -> Row:
    try:
        partition, key, etag = (
            str(entity[name]) for name in ("PartitionKey", "RowKey", "odata.etag")
        )
    except (KeyError, TypeError):
        raise ValueError("no row") from None
    fields = {
        name: _value(given, entity.get(f"{name}{_TYPE}"))
        for name, given in entity.items()
        if "." not in name
        and name not in {"PartitionKey", "RowKey", "Timestamp"}
        # A field that was asked for and is not there comes as null.
        and given is not None
    }
    return Row(partition, key, fields, etag)


def _value(given: object, kind: object) -> Value:
    match given, kind:
        case str(), "Edm.Binary":
            return b64decode(given)
        case str(), "Edm.Int64":
            return int(given)
        case ((str() | int()), _):
            return given
        case _:
            raise ValueError(f"a field of type {type(given).__name__}")


def _request(url: str, table: str, partition: str, change: Change) -> str:
    if isinstance(change, Insert):
        return _with_body(f"POST {url}/{table}", partition, change.key, change.fields)
    where = f"{url}/{place(table, partition, change.key)}"
    match change:
        case Delete(etag=etag):
            return f"DELETE {where} HTTP/1.1\r\nDataServiceVersion: 3.0\r\nIf-Match: {etag}\r\n\r\n"
        case Put(key, fields):
            return _with_body(f"PUT {where}", partition, key, fields)
        case Replace(key, fields, etag):
            return _with_body(f"PUT {where}", partition, key, fields, f"If-Match: {etag}\r\n")
        case Merge(key, fields, etag):
            return _with_body(f"PATCH {where}", partition, key, fields, f"If-Match: {etag}\r\n")


def _with_body(what: str, partition: str, key: str, fields: Fields, condition: str = "") -> str:
    body = json.dumps(_entity(partition, key, fields), separators=(",", ":"))
    return (
        f"{what} HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        "Accept: application/json;odata=minimalmetadata\r\nPrefer: return-no-content\r\n"
        f"DataServiceVersion: 3.0\r\n{condition}\r\n{body}"
    )


def _entity(partition: str, key: str, fields: Fields) -> Mapping[str, object]:
    entity: Json = {"PartitionKey": partition, "RowKey": key}
    for name, value in fields.items():
        if isinstance(value, bytes):
            entity[name] = b64encode(value).decode()
            entity[f"{name}{_TYPE}"] = "Edm.Binary"
        elif isinstance(value, int) and value not in _INT32:
            entity[name] = str(value)
            entity[f"{name}{_TYPE}"] = "Edm.Int64"
        else:
            entity[name] = value
    return entity


def _escaped(text: str) -> str:
    return quote(text.replace("'", "''"), safe="")
