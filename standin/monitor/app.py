"""The stand-in over HTTP: Breeze ingestion and the Log Analytics query API."""

import json
from uuid import uuid4

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from standin.monitor import wire
from standin.monitor.breeze import UnreadableBody, read_body, sizes_of
from standin.monitor.faults import Fault, Faults, FaultSwitch
from standin.monitor.purge import Purge
from standin.monitor.refusal import BadQuery, QueryTimeout
from standin.monitor.store import MonitorStore

# The SDK doubles the slash where the endpoint of its connection string ends with one.
_TRACK = ("/v2.1/track", "/v2/track", "//v2.1/track", "//v2/track")
_LIVE_METRICS = "QuickPulseService"
_PURGE = (
    "/subscriptions/{subscription}/resourceGroups/{group}/providers"
    "/Microsoft.OperationalInsights/workspaces/{workspace}/purge"
)
_PURGED = _PURGE.replace("/purge", "/operations/{operation}")


def create_app(store: MonitorStore) -> Starlette:
    """Return the app that answers for the store.

    POST /v2.1/track, /v2/track: a JSON array of envelopes, or one a line; gzip and deflate.
    POST, GET /v1/workspaces/{id}/query: any id; `Prefer: wait=N, include-statistics=true,
    include-render=true`.
    POST …/workspaces/{any}/purge, GET …/operations/{id}: as Azure Resource Manager takes them,
    `{"table": "AppEvents", "filters": [{"column": "Properties", "key": "user", "operator": "==",
    "value": "ada"}]}`; a purge is over when it is answered.
    POST /faults: `{"track": {"status": 503, "retry_after": 1, "times": 2}, "query": {...}}` fails
    the next requests of that endpoint; `{}` ends it.
    """
    http = _Http(store)
    return Starlette(
        routes=[
            *(Route(path, http.track, methods=["POST"]) for path in _TRACK),
            Route("/v1/workspaces/{id}/query", http.query, methods=["GET", "POST"]),
            Route(_PURGE, http.purge, methods=["POST"]),
            Route(_PURGED, http.purged, methods=["GET"]),
            Route("/faults", http.faults, methods=["POST"]),
        ],
        exception_handlers={HTTPException: _elsewhere},
    )


class _Http:
    """The handlers; work of the store runs in threads, so that none waits for another."""

    def __init__(self, store: MonitorStore) -> None:
        self._store = store
        self._faults = FaultSwitch()
        self._purges = set[str]()

    async def track(self, request: Request) -> Response:
        fault = self._faults.next("track")
        if fault:
            return _failed_track(fault)
        encoding = request.headers.get("Content-Encoding", "").lower()
        return await run_in_threadpool(self._tracked, await request.body(), encoding)

    def _tracked(self, body: bytes, encoding: str) -> Response:
        try:
            items = read_body(body, encoding)
        except UnreadableBody as error:
            return JSONResponse(_no_item_taken(400, str(error)), 400)
        answer = self._store.track(items, sizes_of(items, len(body)))
        return JSONResponse(answer.body(), answer.status)

    async def query(self, request: Request) -> Response:
        fault = self._faults.next("query")
        if fault:
            body = wire.error_body("SwitchedFault", "This failure was asked for at /faults")
            return JSONResponse(body, fault.status, fault.headers)
        given = await request.body() if request.method == "POST" else b""
        asked = _json(given) if given else dict(request.query_params)
        return await run_in_threadpool(self._queried, asked, request.headers.get("Prefer", ""))

    def _queried(self, asked: object, prefer: str) -> Response:
        try:
            kql, timespan = wire.read_question(asked)
            now = self._store.clock.now()
            span = wire.read_timespan(timespan, now)
            wait_s = wire.wait_s(prefer)
            answer = self._store.query(kql, span.start, span.end, now=now, wait_s=wait_s)
        except BadQuery as error:
            return JSONResponse(wire.refusal_body(error), 400)
        except QueryTimeout as error:
            return JSONResponse(wire.error_body("GatewayTimeout", str(error)), 504)
        return JSONResponse(wire.answer_body(answer, kql, prefer))

    async def purge(self, request: Request) -> Response:
        try:
            asked = Purge.model_validate_json(await request.body())
            await run_in_threadpool(self._store.purge, asked)
        except (ValidationError, BadQuery) as error:
            return JSONResponse(wire.error_body("BadArgumentError", str(error)), 400)
        operation = f"purge-{uuid4()}"
        self._purges.add(operation)
        where = request.url.path.replace("/purge", f"/operations/{operation}")
        return JSONResponse({"operationId": operation}, 202, {"x-ms-status-location": where})

    async def purged(self, request: Request) -> Response:
        if request.path_params["operation"] in self._purges:
            return JSONResponse({"status": "completed"})
        return JSONResponse(wire.error_body("NotFound", "There is no such purge"), 404)

    async def faults(self, request: Request) -> Response:
        try:
            self._faults.set(Faults.model_validate_json(await request.body()))
        except ValidationError as error:
            return JSONResponse(wire.error_body("BadArgumentError", str(error)), 400)
        return Response(status_code=204)


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _failed_track(fault: Fault) -> Response:
    return JSONResponse(
        _no_item_taken(fault.status, "This failure was asked for at /faults"),
        fault.status,
        fault.headers,
    )


def _no_item_taken(status: int, message: str) -> dict[str, object]:
    error = {"index": 0, "statusCode": status, "message": message}
    return {"itemsReceived": 0, "itemsAccepted": 0, "appId": None, "errors": [error]}


async def _elsewhere(request: Request, error: Exception) -> Response:
    """Answer what we have no route for: live metrics, which are not kept, else an error."""
    if _LIVE_METRICS in request.url.path:
        return Response(headers={"x-ms-qps-subscribed": "false"})
    status = error.status_code if isinstance(error, HTTPException) else 500
    code = "PathNotFoundError" if status == 404 else "MethodNotAllowed"
    message = "The requested path does not exist"
    return JSONResponse(wire.error_body(code, message), status)
