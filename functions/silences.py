"""What people do not want to be told of for a while: listed, added, ended."""

from collections.abc import Callable, Mapping
from typing import cast

import azure.functions as func

from functions.invoked import invoked
from functions.replies import refusing, reply
from shared.wiring import App


def blueprint(app: Callable[[], App]) -> func.Blueprint:
    """Register the triggers."""
    bp = func.Blueprint()

    @bp.route(route="api/silences", methods=["GET"])
    @invoked(app)
    @refusing
    def get_silences(req: func.HttpRequest) -> func.HttpResponse:
        parts = app()
        return reply(200, parts.silences.listed(parts.clock.now()))

    @bp.route(route="api/silences", methods=["POST"])
    @invoked(app)
    @refusing
    def post_silences(req: func.HttpRequest) -> func.HttpResponse:
        parts = app()
        return reply(201, parts.silences.add(req.get_body(), parts.clock.now()))

    @bp.route(route="api/silences/{id}", methods=["DELETE"])
    @invoked(app)
    @refusing
    def delete_silence(req: func.HttpRequest) -> func.HttpResponse:
        parts = app()
        route = cast("Mapping[str, str]", req.route_params)
        return reply(200, parts.silences.end(route["id"], parts.clock.now()))

    return bp
