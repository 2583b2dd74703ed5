"""The alerts: how each is, why, and what people say of it."""

from collections.abc import Callable, Mapping
from typing import cast

import azure.functions as func

from functions.invoked import invoked
from functions.replies import refusing, reply
from shared.wiring import App


def blueprint(app: Callable[[], App]) -> func.Blueprint:
    """Register the triggers."""
    bp = func.Blueprint()

    @bp.route(route="api/alerts", methods=["GET"])
    @invoked(app)
    @refusing
    def get_alerts(req: func.HttpRequest) -> func.HttpResponse:
        return reply(200, app().report.alerts())

    @bp.route(route="api/alerts/{id}/why", methods=["GET"])
    @invoked(app)
    @refusing
    def get_alert_why(req: func.HttpRequest) -> func.HttpResponse:
        parts = app()
        return reply(200, parts.why.explain(_id(req), parts.clock.now()))

    @bp.route(route="api/alerts/{id}/verdict", methods=["POST"])
    @invoked(app)
    @refusing
    def post_alert_verdict(req: func.HttpRequest) -> func.HttpResponse:
        parts = app()
        return reply(200, parts.verdicts.give(_id(req), req.get_body(), parts.clock.now()))

    return bp


def _id(req: func.HttpRequest) -> str:
    """Return the id in the path."""
    return cast("Mapping[str, str]", req.route_params)["id"]
