"""GET /api/budgets: where each budget stands."""

from collections.abc import Callable, Sequence

import azure.functions as func

from functions.replies import reply
from functions.route import Role, Route
from shared.wiring import App


def routes(app: Callable[[], App]) -> Sequence[Route]:
    """Return the route."""

    def get_budgets(req: func.HttpRequest) -> func.HttpResponse:
        from functions.budget_answer import budget_json

        parts = app()
        now = parts.clock.now()
        standings = parts.budgets.standings(now)
        return reply(
            200, {"at": now.isoformat(), "budgets": [budget_json(item) for item in standings]}
        )

    return [
        Route("get_budgets", "api/budgets", {"GET": get_budgets}, Role.READER),
    ]
