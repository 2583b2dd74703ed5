"""Carries azure-core's requests over urllib3's connections, without what requests adds to each.

A small request takes a third of the processor time. Which proxy and which certificates count is
what requests says of the environment: HTTPS_PROXY, NO_PROXY, REQUESTS_CA_BUNDLE.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, cast
from urllib.parse import urlsplit

from azure.core.exceptions import ServiceRequestError, ServiceResponseError
from azure.core.pipeline.transport import HttpTransport
from azure.core.rest import HttpRequest
from urllib3 import HTTPConnectionPool, Timeout
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ProxyError,
    SSLError,
)

MOST_OPEN = 32
"""Connections to one host that are kept: as many as threads use at once, and some."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered, read as a whole; headers are found in any case of letters."""

    status_code: int
    reason: str
    headers: Mapping[str, str]
    content: bytes


class PooledHttp(HttpTransport[HttpRequest, Answer]):
    """Keeps connections open for whichever thread sends next; follows no redirect."""

    def __init__(self, connect_timeout_s: float, read_timeout_s: float) -> None:
        self._timeout = Timeout(connect=connect_timeout_s, read=read_timeout_s)
        self._pools: dict[str, HTTPConnectionPool] = {}

    def send(self, request: HttpRequest, **kwargs: Any) -> Answer:
        """Send the request once and return the answer.

        kwargs: a policy may shorten the time: connection_timeout, read_timeout.
        Raises:
            ServiceRequestError: nothing was sent.
            ServiceResponseError: it was sent, perhaps, and no whole answer came.
        """
        _, host, path, query, _ = url = urlsplit(request.url)
        origin = f"{url.scheme}://{host}"
        try:
            pool = self._pools.get(origin) or self._pools.setdefault(origin, _pool(origin))
            answer = pool.urlopen(
                request.method,
                f"{path or '/'}?{query}" if query else path or "/",
                request.content,
                request.headers,
                retries=False,
                redirect=False,
                timeout=self._within(**kwargs),
            )
        except (ConnectTimeoutError, NewConnectionError, ProxyError, SSLError) as exc:
            raise ServiceRequestError(type(exc).__name__, error=exc) from exc
        except HTTPError as exc:
            raise ServiceResponseError(type(exc).__name__, error=exc) from exc
        return Answer(answer.status, answer.reason or "", answer.headers, answer.data)

    def open(self) -> None:
        """Do nothing: connections are made as they are needed."""

    def close(self) -> None:
        """Close the connections."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()

    def __enter__(self) -> "PooledHttp":
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.close()

    def _within(
        self,
        connection_timeout: float | None = None,
        read_timeout: float | None = None,
        **others: object,
    ) -> Timeout:
        del others
        if connection_timeout is None and read_timeout is None:
            return self._timeout
        return Timeout(
            connect=connection_timeout or self._timeout.connect_timeout,
            read=read_timeout or self._timeout.read_timeout,
        )


def _pool(origin: str) -> HTTPConnectionPool:
    """Return connections to that scheme and host, as requests would make them."""
    from requests import Request, Session
    from requests.adapters import HTTPAdapter

    given = Session().merge_environment_settings(origin, {}, None, None, None)
    # Plain http is for emulators on this machine or beside it, which no proxy leads to.
    proxies = given["proxies"] if origin.startswith("https") else None
    made = HTTPAdapter(pool_maxsize=MOST_OPEN).get_connection_with_tls_context(
        Request("GET", origin).prepare(), given["verify"], proxies, given["cert"]
    )
    return cast("HTTPConnectionPool", made)
