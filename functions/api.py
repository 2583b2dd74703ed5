"""GET /api/openapi.json: what every route takes and answers."""

import functools
from collections.abc import Callable, Sequence

import azure.functions as func

from functions.replies import reply
from functions.route import Role, Route


def routes(described: Callable[[], Sequence[Route]]) -> Sequence[Route]:
    """Return the route; its answer is built from the `described` routes at the first call."""

    @functools.cache
    def written() -> dict[str, object]:
        from functions.openapi.document import document

        return document(described())

    def get_openapi(req: func.HttpRequest) -> func.HttpResponse:
        return reply(200, written())

    return [
        Route("get_openapi", "api/openapi.json", {"GET": get_openapi}, Role.READER),
    ]
