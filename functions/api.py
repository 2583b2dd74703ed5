"""GET /api/openapi.json: what every route takes and answers."""

import functools
from collections.abc import Callable

import azure.functions as func

from functions.invoked import invoked
from functions.replies import refusing, reply
from shared.wiring import App


def blueprint(
    app: Callable[[], App], registered: Callable[[], list[func.Function]]
) -> func.Blueprint:
    """Register the trigger; its answer is built from `registered` functions at the first call."""
    bp = func.Blueprint()

    @functools.cache
    def described() -> dict[str, object]:
        from functions.openapi.document import document

        return document(registered())

    @bp.route(route="api/openapi.json", methods=["GET"])
    @invoked(app)
    @refusing
    def get_openapi(req: func.HttpRequest) -> func.HttpResponse:
        return reply(200, described())

    return bp
