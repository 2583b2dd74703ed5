"""The server that serves from a thread."""

import pytest
import requests
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from local.server import serve


def here(_: Request) -> PlainTextResponse:
    return PlainTextResponse("here")


APP = Starlette(routes=[Route("/", here)])


def test_it_answers_when_serve_returns_and_frees_its_port_when_stopped() -> None:
    first = serve(APP)
    port = int(first.url.rsplit(":", 1)[1])
    assert requests.get(first.url, timeout=5).text == "here"
    with pytest.raises(OSError, match=f"Port {port} is taken"):
        serve(APP, port)
    first.stop()
    second = serve(APP, port)
    assert requests.get(second.url, timeout=5).text == "here"
    second.stop()
