"""Lists, adds and ends silences."""

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import azure.functions as func

from functions.replies import reply
from functions.route import Role, Route
from shared.wiring import App

PATH = "api/silences"
READING = ("GET", "HEAD")


def routes(app: Callable[[], App]) -> Sequence[Route]:
    """Return the routes."""

    def get_silences(req: func.HttpRequest) -> func.HttpResponse:
        parts = app()
        return reply(200, parts.silences.listed(parts.clock.now()))

    def post_silences(req: func.HttpRequest) -> func.HttpResponse:
        parts = app()
        return reply(201, parts.silences.add(req.get_body(), parts.clock.now()))

    def delete_silence(req: func.HttpRequest) -> func.HttpResponse:
        parts = app()
        route = cast("Mapping[str, str]", req.route_params)
        return reply(200, parts.silences.end(route["id"], parts.clock.now()))

    return [
        Route("get_silences", PATH, {"GET": get_silences}, Role.READER, methods=READING),
        Route(
            "post_silences",
            PATH,
            {"POST": post_silences},
            Role.OPERATOR,
            methods=("POST", "PUT", "PATCH", "DELETE", "OPTIONS"),
            beside=READING,
        ),
        Route("delete_silence", f"{PATH}/{{id}}", {"DELETE": delete_silence}, Role.OPERATOR),
    ]
