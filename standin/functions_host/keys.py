"""Keys as the Functions host keeps them: a master key, one for every function, and those of one."""

import hmac
import json
import threading
from collections.abc import Mapping
from pathlib import Path

from starlette.requests import Request

HEADER, PARAMETER = "x-functions-key", "code"


class Keys:
    """Who may call what; kept in a file that this user alone can read (None: in memory)."""

    def __init__(self, path: Path | None, host: str, master: str) -> None:
        """host: opens every function. master: opens the host's own routes, too."""
        self._path = path
        self._host = host
        self._master = master
        self._lock = threading.Lock()
        self._functions: dict[str, dict[str, str]] = {}
        if path is not None and path.exists():
            self._functions = json.loads(path.read_text(encoding="utf-8"))

    def opens(self, request: Request, function: str) -> bool:
        """Return whether the request shows a key that opens the function."""
        return _is_one_of(_shown(request), self._host, self._master, *self.of(function).values())

    def is_master(self, request: Request) -> bool:
        """Return whether the request shows the master key."""
        return _is_one_of(_shown(request), self._master)

    def is_known(self, request: Request) -> bool:
        """Return whether the request shows any key that opens something."""
        with self._lock:
            values = [value for keys in self._functions.values() for value in keys.values()]
        return _is_one_of(_shown(request), self._host, self._master, *values)

    def of(self, function: str) -> Mapping[str, str]:
        """Return the function's own keys, by name."""
        with self._lock:
            return dict(self._functions.get(function, {}))

    def put(self, function: str, name: str, value: str) -> bool:
        """Set a key; return whether it is new."""
        with self._lock:
            own = self._functions.setdefault(function, {})
            is_new = name not in own
            own[name] = value
            self._write()
        return is_new

    def remove(self, function: str, name: str) -> bool:
        """Take a key away; return whether it was there."""
        with self._lock:
            gone = self._functions.get(function, {}).pop(name, None)
            self._write()
        return gone is not None

    def _write(self) -> None:
        if self._path is None:
            return
        fresh = self._path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(self._functions, indent=2), encoding="utf-8")
        fresh.replace(self._path)


def _shown(request: Request) -> str:
    """Return the key of the request; a wrong header beside a good ?code= stays wrong."""
    header = request.headers.get(HEADER)
    return request.query_params.get(PARAMETER, "") if header is None else header


def _is_one_of(shown: str, *keys: str) -> bool:
    """Compare with each, in constant time; "" opens nothing."""
    found = [hmac.compare_digest(shown.encode(), key.encode()) for key in keys if key]
    return any(found)
