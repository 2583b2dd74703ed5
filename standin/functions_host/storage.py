"""What Azure's queue service tells of a queue: how many messages it holds."""

import asyncio
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from standin.functions_host.queues import Queues

ACCOUNT = "laptop"
KEY = "bGFwdG9w"
"""In base64, as the SDK wants it; who asks from this machine is let in."""


def connection_string(url: str) -> str:
    """Return what AzureWebJobsStorage is, of the service at that address."""
    parts = {
        "DefaultEndpointsProtocol": "http",
        "AccountName": ACCOUNT,
        "AccountKey": KEY,
        "QueueEndpoint": f"{url}/{ACCOUNT}",
    }
    return ";".join(f"{name}={value}" for name, value in parts.items())


def create_app(queues: Callable[[], Queues]) -> Starlette:
    """Return the HTTP side. queues: they may be made after it."""

    async def properties(request: Request) -> Response:
        depths = await asyncio.to_thread(queues().counts)
        depth = depths.get(request.path_params["queue"])
        if depth is None:
            return Response(status_code=404, headers={"x-ms-error-code": "QueueNotFound"})
        count = depth.visible + depth.invisible
        return Response(headers={"x-ms-approximate-messages-count": str(count)})

    return Starlette(routes=[Route(f"/{ACCOUNT}/{{queue}}", properties, methods=["GET"])])
