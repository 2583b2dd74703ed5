"""GET /api/traces, /api/missions, /api/conversations/{id}: what agents did, and what it cost."""

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import azure.functions as func

from functions.replies import reply
from functions.route import Role, Route
from shared.usecases.explaining.work import Kind
from shared.wiring import App


def routes(app: Callable[[], App]) -> Sequence[Route]:
    """Return the routes."""

    def show(kind: Kind, req: func.HttpRequest) -> func.HttpResponse:
        parts = app()
        id = cast("Mapping[str, str]", req.route_params)["id"]
        return reply(200, parts.answers.work.show(kind, id, parts.clock.now()))

    def get_trace(req: func.HttpRequest) -> func.HttpResponse:
        return show("trace", req)

    def get_mission(req: func.HttpRequest) -> func.HttpResponse:
        return show("mission", req)

    def get_conversation(req: func.HttpRequest) -> func.HttpResponse:
        return show("conversation", req)

    return [
        Route("get_trace", "api/traces/{id}", {"GET": get_trace}, Role.READER),
        Route("get_mission", "api/missions/{id}", {"GET": get_mission}, Role.READER),
        Route("get_conversation", "api/conversations/{id}", {"GET": get_conversation}, Role.READER),
    ]
