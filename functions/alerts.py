"""The alerts: how each is, why, and what people say of it."""

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import azure.functions as func

from functions.replies import reply
from functions.route import Role, Route
from shared.wiring import App


def routes(app: Callable[[], App]) -> Sequence[Route]:
    """Return the routes."""

    def get_alerts(req: func.HttpRequest) -> func.HttpResponse:
        return reply(200, app().report.alerts())

    def get_alert_why(req: func.HttpRequest) -> func.HttpResponse:
        parts = app()
        return reply(200, parts.answers.why.explain(_id(req), parts.clock.now()))

    def get_alert_context(req: func.HttpRequest) -> func.HttpResponse:
        parts = app()
        return reply(200, parts.answers.context.show(_id(req), parts.clock.now()))

    def post_alert_verdict(req: func.HttpRequest) -> func.HttpResponse:
        parts = app()
        return reply(200, parts.answers.verdicts.give(_id(req), req.get_body(), parts.clock.now()))

    return [
        Route("get_alerts", "api/alerts", {"GET": get_alerts}, Role.READER),
        Route("get_alert_why", "api/alerts/{id}/why", {"GET": get_alert_why}, Role.READER),
        Route(
            "get_alert_context",
            "api/alerts/{id}/context",
            {"GET": get_alert_context},
            Role.READER,
        ),
        Route(
            "post_alert_verdict",
            "api/alerts/{id}/verdict",
            {"POST": post_alert_verdict},
            Role.OPERATOR,
        ),
    ]


def _id(req: func.HttpRequest) -> str:
    """Return the id in the path."""
    return cast("Mapping[str, str]", req.route_params)["id"]
