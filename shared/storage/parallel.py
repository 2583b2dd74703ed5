"""Several requests to Azure Tables at once, and the connections that they take."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from shared.storage.rows import Conflict, Rows, Transaction

if TYPE_CHECKING:
    from azure.core.pipeline.transport import HttpTransport

_MOST_AT_ONCE = 16
_THREADS = ThreadPoolExecutor(_MOST_AT_ONCE, thread_name_prefix="tables")

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def in_parallel(work: Callable[[Item], Answer], items: Sequence[Item]) -> list[Answer]:
    """Do the work for every item, several at once: a table takes some 10 ms for each answer.

    The work must not call in_parallel itself, for it might wait for its own thread.
    """
    if len(items) == 1:
        return [work(items[0])]
    return list(_THREADS.map(work, items))


def made(rows: Rows, transaction: Transaction) -> bool:
    """Commit the transaction; return False for a conflict."""
    try:
        rows.commit(transaction.partition, transaction.changes)
    except Conflict:
        return False
    return True


def transport() -> "HttpTransport[Any, Any]":
    """Keep as many connections open as are used at once: the usual ten would be made anew."""
    import requests
    from azure.core.pipeline.transport import RequestsTransport
    from requests.adapters import HTTPAdapter

    session = requests.Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=2 * _MOST_AT_ONCE))
    return RequestsTransport(session=session, connection_timeout=5, read_timeout=15)
