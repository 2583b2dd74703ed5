"""What people do not want to be told of for a while: listed, added, ended."""

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import azure.functions as func

from functions.replies import reply
from functions.route import Route
from shared.wiring import App


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
        Route("silences", "api/silences", {"GET": get_silences, "POST": post_silences}),
        Route("delete_silence", "api/silences/{id}", {"DELETE": delete_silence}),
    ]
