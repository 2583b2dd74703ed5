"""GET /api/openapi.json: what every route takes and answers."""

import functools
from collections.abc import Callable

import azure.functions as func

from functions.invoked import invoked
from functions.replies import refusing, reply
from shared.wiring import App


def blueprint(app: Callable[[], App]) -> func.Blueprint:
    """Register the trigger; what it answers is put together at the first call."""
    bp = func.Blueprint()

    @functools.cache
    def described() -> dict[str, object]:
        from functions import build
        from functions.openapi.document import document

        return document(build(app).get_functions())

    @bp.route(route="api/openapi.json", methods=["GET"])
    @invoked(app)
    @refusing
    def get_openapi(req: func.HttpRequest) -> func.HttpResponse:
        return reply(200, described())

    return bp
