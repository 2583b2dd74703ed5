"""Lets in what this machine's own tools and pages ask, and no other host's pages."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

OUR_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
READING = frozenset({"GET", "HEAD"})
FORMS = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data")
"""What any page may make a browser send elsewhere without asking first."""


class Door:
    """Answers only to its own names (DNS rebinding), and lets only its own page change things.

    A browser says where a request comes from; one without a browser's headers is a person's tool.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on."""
        refusal = _refusal(scope["method"], Headers(scope=scope))
        await (refusal or self._app)(scope, receive, send)


class JsonOnly:
    """Refuses the bodies of forms, which servers without a key would take for JSON."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on."""
        kind = Headers(scope=scope).get("content-type", "").partition(";")[0].strip().lower()
        refusal = PlainTextResponse("Send Content-Type: application/json.", 415)
        await (refusal if kind in FORMS else self._app)(scope, receive, send)


def _refusal(method: str, headers: Headers) -> PlainTextResponse | None:
    """Return what to answer instead, or None."""
    host = headers.get("host", "")
    if _name(f"//{host}") not in OUR_NAMES:
        return PlainTextResponse("Ask 127.0.0.1 or localhost, with the port.", 400)
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
