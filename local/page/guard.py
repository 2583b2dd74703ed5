"""Keeps other hosts' pages out, and what the page may load within this server."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

OUR_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
READING = frozenset({"GET", "HEAD"})
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


class Guard:
    """Answers only to its own names (DNS rebinding), and lets only its own page change things.

    A browser says where a request comes from; one without a browser's headers is a person's tool.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on and add the headers."""
        refusal = _refusal(scope["method"], Headers(scope=scope))
        if refusal:
            await refusal(scope, receive, send)
            return

        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self._app(scope, receive, sealed)


def _refusal(method: str, headers: Headers) -> PlainTextResponse | None:
    """Return what to answer instead, or None."""
    host = headers.get("host", "")
    if _name(f"//{host}") not in OUR_NAMES:
        return PlainTextResponse("Open the page as http://127.0.0.1 with its port.", 400)
    site = headers.get("sec-fetch-site", "same-origin")
    origin = headers.get("origin", f"http://{host}")
    if method in READING or (origin == f"http://{host}" and site in ("same-origin", "none")):
        return None
    return PlainTextResponse("Only the page itself may change things. Open it and repeat.", 403)


def _name(url: str) -> str:
    """Return the host's name, "" where there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
