"""One keep-alive connection to the endpoint, made with the standard library."""

from __future__ import annotations

import base64
import http.client
import ssl
from urllib.parse import unquote, urlsplit
from urllib.request import proxy_bypass

from agentmeter_client.answer import Later, Verdict, read
from agentmeter_client.settings import LOOPBACK, Target, proxy_setting

MAX_ANSWER_BYTES = 1_048_576


class Transport:
    """Posts gzipped batches; used by one thread at a time."""

    def __init__(self, target: Target, timeout_s: float) -> None:
        self._target = target
        self._timeout_s = timeout_s
        self._connection: http.client.HTTPConnection | None = None
        self._path = target.path
        self._headers = {
            "Content-Type": "application/cloudevents-batch+json",
            "Content-Encoding": "gzip",
            "User-Agent": "agentmeter-client",
        }
        if target.key:
            self._headers["x-functions-key"] = target.key

    def post(self, body: bytes) -> Verdict:
        """Send one batch; what goes wrong on the way means later."""
        reused = self._connection is not None and self._connection.sock is not None
        try:
            try:
                return self._exchange(body)
            except (ConnectionError, http.client.RemoteDisconnected):
                self.close()
                if not reused:
                    raise
                return self._exchange(body)  # the other side ended an idle connection
        except (OSError, http.client.HTTPException, ValueError) as exc:
            self.close()
            return Later(f"no answer ({type(exc).__name__})")

    def fetch(self, path: str) -> tuple[int, str] | None:
        """Get a page of the endpoint's host: its status and text; None where there is no answer."""
        connection = _plain_or_tls(
            self._target.tls, self._target.host, self._target.port, self._timeout_s
        )
        try:
            connection.request("GET", path, headers={"User-Agent": "agentmeter-client"})
            response = connection.getresponse()
            return response.status, response.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def close(self) -> None:
        """End the connection."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def _exchange(self, body: bytes) -> Verdict:
        """Send the request and read the answer."""
        if self._connection is None:
            self._connection = self._connect()
        self._connection.request("POST", self._path, body, self._headers)
        response = self._connection.getresponse()
        content = response.read(MAX_ANSWER_BYTES)
        if not response.isclosed():
            self.close()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return read(response.status, headers, content)

    def _connect(self) -> http.client.HTTPConnection:
        """Return a connection, through a proxy where the environment names one."""
        target = self._target
        proxy = _proxy(target)
        if not proxy:
            return _plain_or_tls(target.tls, target.host, target.port, self._timeout_s)
        via = urlsplit(proxy if "//" in proxy else f"http://{proxy}")
        grant = _grant(via.username, via.password)
        host, port = via.hostname or "", via.port or 8080
        if target.tls:
            connection = _plain_or_tls(True, host, port, self._timeout_s)
            connection.set_tunnel(target.host, target.port, headers=grant)
            return connection
        self._path = f"http://{target.host}:{target.port}{target.path}"
        self._headers.update(grant)
        return _plain_or_tls(False, host, port, self._timeout_s)


def _plain_or_tls(tls: bool, host: str, port: int, timeout_s: float) -> http.client.HTTPConnection:
    """Return a connection that is not open yet."""
    if not tls:
        return http.client.HTTPConnection(host, port, timeout=timeout_s)
    context = ssl.create_default_context()
    return http.client.HTTPSConnection(host, port, timeout=timeout_s, context=context)


def _proxy(target: Target) -> str | None:
    """Return the proxy for the endpoint; one is for the world outside, not for this machine."""
    if target.host in LOOPBACK:
        return None
    stated = proxy_setting("https_proxy" if target.tls else "http_proxy")
    try:
        return None if stated is None or proxy_bypass(target.host) else stated
    except OSError:
        return stated


def _grant(user: str | None, password: str | None) -> dict[str, str]:
    """Return the header that lets us through the proxy."""
    if not user:
        return {}
    both = f"{unquote(user)}:{unquote(password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {base64.b64encode(both).decode()}"}
