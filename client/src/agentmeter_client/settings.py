"""The only reader of the environment: where to send, and how much to keep."""

from __future__ import annotations

import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, urlsplit

PATH = "/api/events"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True)
class Limits:
    """How much is kept and how long is waited.

    max_queue: events kept in memory, about 1 kB each; when it is full the oldest gives way.
    batch_events, batch_bytes: the most that one request carries; bytes before gzip.
    max_age_s: how long an event waits for company before it is sent.
    timeout_s: for one answer of the endpoint. exit_timeout_s: for everything, when Python ends.
    backoff_s, longest_backoff_s: the first and the longest wait before a repeat.
    spool_bytes: the most that the spool directory holds; the oldest file gives way.
    """

    max_queue: int = 20_000
    batch_events: int = 500
    batch_bytes: int = 524_288
    max_age_s: float = 1.0
    timeout_s: float = 10.0
    exit_timeout_s: float = 5.0
    backoff_s: float = 0.5
    longest_backoff_s: float = 30.0
    spool_bytes: int = 67_108_864


@dataclass(frozen=True, repr=False)
class Target:
    """Where events go. It holds the key, so it has no repr and is never logged."""

    tls: bool
    host: str
    port: int
    path: str
    key: str


def target(endpoint: str | None, key: str | None) -> Target | str:
    """Return where to send, or what is wrong with the settings.

    endpoint: the app's address, with or without /api/events; a function URL with ?code=… will do.
    None takes AGENTMETER_ENDPOINT; for the key, AGENTMETER_KEY.
    """
    stated = (endpoint or os.environ.get("AGENTMETER_ENDPOINT") or "").strip()
    if not stated:
        return "no endpoint. Set AGENTMETER_ENDPOINT, or pass one to Meter"
    try:
        parts = urlsplit(stated)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "the endpoint is no URL. Send to https://<app>"
    if parts.scheme not in ("http", "https") or not host:
        return "the endpoint is no http or https URL. Send to https://<app>"
    tls = parts.scheme == "https"
    secret = (key or os.environ.get("AGENTMETER_KEY") or _code(parts)).strip()
    if not (secret.isascii() and secret.isprintable()):
        return "the key has characters that no HTTP header can carry. Copy it again"
    return Target(tls, host, port or (443 if tls else 80), _path(parts), secret)


def proxy_setting(name: str) -> str | None:
    """Return a proxy variable of the environment, in either spelling."""
    return os.environ.get(name.lower()) or os.environ.get(name.upper())


def default_source() -> str:
    """Return the program's name and the host's."""
    program = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "python"
    return f"{program or 'python'}@{socket.gethostname()}"[:200]


def _code(parts: SplitResult) -> str:
    """Return the key that the portal puts into a function's URL."""
    return parse_qs(parts.query).get("code", [""])[0]


def _path(parts: SplitResult) -> str:
    """Return the path to post to."""
    base = parts.path.rstrip("/")
    return base if base.endswith(PATH) else base + PATH
