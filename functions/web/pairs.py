"""Brings the two halves of a forwarded request together: an invocation by gRPC, and raw HTTP.

It stands in for the worker's own coordinator, in which each half waits for the other without end,
and whose table only grows. One half may never come: a header that the host cannot forward, a client
that left, an id that a client made up.
"""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

ID = "x-ms-invocation-id"
PATIENCE_S = 30.0
"""The host gives up forwarding after ten tries, which take under 2 s."""


class NoRequest(Request):
    """Stands for the HTTP request that never came."""


class Pair:
    """The two halves of one request. forwards: how many HTTP halves are here; one, but where the
    host forwards again or clients choose ids."""

    def __init__(self) -> None:
        new = asyncio.get_running_loop().create_future
        self.invoked: asyncio.Future[None] = new()
        self.request: asyncio.Future[Request] = new()
        self.response: asyncio.Future[object] = new()
        self.forwards = 0


class Pairs:
    """Pairs by invocation id.

    A pair stays until both halves have ended, or one has and the other did not come in time; to
    forget it earlier would let the other half wait for ever.
    """

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._pairs: dict[str, Pair] = {}

    def __len__(self) -> int:
        return len(self._pairs)

    async def invoked(self, key: str) -> Request:
        """Return the HTTP request of an invocation, or NoRequest if it does not come in time."""
        pair = self._pair(key)
        _settle(pair.invoked, None)
        if await self._came(pair.request):
            return pair.request.result()
        return NoRequest({"type": "http"})

    def answered(self, key: str, response: object) -> None:
        """Take what an invocation returned or raised, for the HTTP half to hand on."""
        pair = self._pair(key)
        _settle(pair.response, response)
        if not pair.forwards:  # One that comes late finds the answer.
            asyncio.get_running_loop().call_later(self._patience_s, self._end, key, pair)

    async def forwarded(self, request: Request) -> Response:
        """Return the answer to a forwarded request."""
        key = request.headers.get(ID, "")
        if not key:
            return problem(400, f"There is no {ID}. Send requests to the app's public address.")
        pair = self._pair(key)
        pair.forwards += 1
        _settle(pair.request, request)
        try:
            return await self._response(pair, key)
        finally:
            pair.forwards -= 1
            if not pair.forwards and (pair.response.done() or not pair.invoked.done()):
                self._end(key, pair)

    async def _response(self, pair: Pair, key: str) -> Response:
        if not pair.response.done() and not await self._came(pair.invoked):
            error = f"The Functions host knows no invocation of this {ID}. Send the request again."
            return problem(503, f"{error[:-1]}, without that header.", key)
        answer = await pair.response
        return answer if isinstance(answer, Response) else problem(500, "The function failed.", key)

    def _pair(self, key: str) -> Pair:
        return self._pairs.get(key) or self._pairs.setdefault(key, Pair())

    async def _came(self, half: "asyncio.Future[Any]") -> bool:
        if not half.done():
            await asyncio.wait([half], timeout=self._patience_s)
        return half.done()

    def _end(self, key: str, pair: Pair) -> None:
        if self._pairs.get(key) is pair:
            del self._pairs[key]


def problem(status: int, error: str, key: str = "") -> Response:
    """Return an answer of no handler: what is wrong, and the id under which the log has it."""
    wait = {"Retry-After": "30"} if status == 503 else {}
    return JSONResponse({"error": error, "id": key}, status, wait)


def _settle(half: "asyncio.Future[Any]", value: object) -> None:
    if not half.done():
        half.set_result(value)
