"""GET /api/costs and /api/costs/calls: what was spent, by whom, on which calls."""

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import azure.functions as func

from functions.replies import headers, reply
from functions.route import Role, Route
from shared.wiring import App


def routes(app: Callable[[], App]) -> Sequence[Route]:
    """Return the routes."""

    def get_costs(req: func.HttpRequest) -> func.HttpResponse:
        from functions.cost_answer import bill_csv, bill_json
        from functions.cost_question import is_csv, read_question

        parts = app()
        params, now = _params(req), parts.clock.now()
        question, zone = read_question(params, now)
        as_csv = is_csv(params, headers(req).get("accept", ""))
        bill = parts.answers.costs.spent(question, now)
        if not as_csv:
            return reply(200, bill_json(bill, zone))
        kind = "text/csv; charset=utf-8; header=present"
        return func.HttpResponse(bill_csv(bill, zone), headers={"Content-Type": kind})

    def get_cost_calls(req: func.HttpRequest) -> func.HttpResponse:
        from functions.cost_answer import calls_json
        from functions.cost_question import read_call_question

        parts = app()
        now = parts.clock.now()
        question = read_call_question(_params(req), now)
        return reply(200, calls_json(parts.answers.calls.find(question, now), question))

    return [
        Route("get_costs", "api/costs", {"GET": get_costs}, Role.READER),
        Route("get_cost_calls", "api/costs/calls", {"GET": get_cost_calls}, Role.READER),
    ]


def _params(req: func.HttpRequest) -> Mapping[str, str]:
    return cast("Mapping[str, str]", req.params)
