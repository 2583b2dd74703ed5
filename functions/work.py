"""GET /api/traces, /api/missions, /api/conversations, each by its id: what agents did and cost."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

import azure.functions as func

from functions.replies import reply
from functions.route import Role, Route
from shared.wiring import App

if TYPE_CHECKING:
    from shared.usecases.explaining.work import Kind


def routes(app: Callable[[], App]) -> Sequence[Route]:
    """Return the routes."""
    return [*_lists(app), *_each(app)]


def _lists(app: Callable[[], App]) -> Sequence[Route]:
    """Return the routes of the dearest."""

    def show(kind: "Kind", req: func.HttpRequest) -> func.HttpResponse:
        from functions.cost_answer import work_json
        from functions.cost_question import read_work_question

        parts = app()
        now = parts.clock.now()
        question = read_work_question(cast("Mapping[str, str]", req.params), now)
        found = parts.answers.dearest.find(kind, question, now)
        return reply(200, work_json(found, kind, question))

    def get_traces(req: func.HttpRequest) -> func.HttpResponse:
        return show("trace", req)

    def get_missions(req: func.HttpRequest) -> func.HttpResponse:
        return show("mission", req)

    def get_conversations(req: func.HttpRequest) -> func.HttpResponse:
        return show("conversation", req)

    return [
        Route("get_traces", "api/traces", {"GET": get_traces}, Role.READER),
        Route("get_missions", "api/missions", {"GET": get_missions}, Role.READER),
        Route("get_conversations", "api/conversations", {"GET": get_conversations}, Role.READER),
    ]


def _each(app: Callable[[], App]) -> Sequence[Route]:
    """Return the routes of one by its id."""

    def show(kind: "Kind", req: func.HttpRequest) -> func.HttpResponse:
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
