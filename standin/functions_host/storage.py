"""Azure's queue service over the laptop's queues: properties, creation, and new messages."""

import asyncio
import base64
import binascii
import hmac
import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from email.utils import format_datetime
from html import unescape

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.clock import Clock
from shared.errors import TooLarge
from standin.functions_host.queues import TIME_TO_LIVE, Queues

ACCOUNT = "laptop"
MOST_BYTES = 65_536
"""Of a message as it is written into the queue, which is in base64."""
TEXT = re.compile(r"<MessageText>(.*)</MessageText>", re.DOTALL)
UNREADABLE = 1_000_000
"""Deliveries, more than any host.json allows."""
RECEIPT = """<QueueMessagesList><QueueMessage><MessageId>{id}</MessageId>\
<InsertionTime>{now}</InsertionTime><ExpirationTime>{end}</ExpirationTime>\
<PopReceipt>none</PopReceipt><TimeNextVisible>{now}</TimeNextVisible>\
</QueueMessage></QueueMessagesList>"""

Handler = Callable[[Request], Awaitable[Response]]


def connection_string(url: str, signature: str) -> str:
    """Return what AzureWebJobsStorage is, of the service at that address."""
    return f"QueueEndpoint={url}/{ACCOUNT};SharedAccessSignature=sig={signature}"


class QueueService:
    """The HTTP side. queues: they may be made after it. signature: what a request must show."""

    def __init__(self, queues: Callable[[], Queues], signature: str, clock: Clock) -> None:
        self._queues = queues
        self._clock = clock
        self._signature = signature
        queue = f"/{ACCOUNT}/{{queue}}"
        self.asgi = Starlette(
            routes=[
                Route(queue, self._signed(self.properties), methods=["GET"]),
                Route(queue, self._signed(self.create), methods=["PUT"]),
                Route(f"{queue}/messages", self._signed(self.put), methods=["POST"]),
            ]
        )

    async def properties(self, request: Request) -> Response:
        """GET /{queue}: how many messages it holds."""
        depths = await asyncio.to_thread(self._queues().counts)
        depth = depths.get(request.path_params["queue"])
        if depth is None:
            return _refused(404, "QueueNotFound")
        count = depth.visible + depth.invisible
        return Response(headers={"x-ms-approximate-messages-count": str(count)})

    async def create(self, request: Request) -> Response:
        """PUT /{queue}."""
        is_new = await asyncio.to_thread(self._queues().create, request.path_params["queue"])
        return Response(status_code=201 if is_new else 204)

    async def put(self, request: Request) -> Response:
        """POST /{queue}/messages: the message is on the disk when this answers."""
        queue, queues = request.path_params["queue"], self._queues()
        found = TEXT.search((await request.body()).decode())
        text = unescape(found[1]) if found else ""
        if len(text) > MOST_BYTES:
            return _refused(413, "RequestBodyTooLarge")
        if queue not in await asyncio.to_thread(queues.names):
            return _refused(404, "QueueNotFound")
        try:
            message_id = await asyncio.to_thread(_put, queues, queue, text)
        except TooLarge:
            return _refused(400, "InvalidInput")
        now = self._clock.now()
        times = {"now": _http_date(now), "end": _http_date(now + TIME_TO_LIVE)}
        receipt = RECEIPT.format(id=message_id, **times)
        return Response(receipt, 201, media_type="application/xml")

    def _signed(self, handler: Handler) -> Handler:
        """Ask for the signature first."""

        async def signed(request: Request) -> Response:
            given = request.query_params.get("sig", "")
            if hmac.compare_digest(given.encode(), self._signature.encode()):
                return await handler(request)
            return _refused(403, "AuthenticationFailed")

        return signed


def _put(queues: Queues, queue: str, text: str) -> str:
    """Store what the host will read. What is no base64 it hands to no function, but moves to the
    poison queue as it is, as if it had failed too often."""
    try:
        plain = base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error:
        return queues.put(queue, text, dequeue_count=UNREADABLE)
    return queues.put(queue, plain)


def _refused(status: int, code: str) -> Response:
    return Response(status_code=status, headers={"x-ms-error-code": code})


def _http_date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)
