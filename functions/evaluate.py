"""Every 15 s, and when a person asks: deliver what is due, evaluate, deliver what came of it."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import azure.functions as func

from functions.invoked import invoked
from functions.replies import reply
from functions.route import Role, Route
from shared.usecases.evaluation.spaced import Spaced
from shared.wiring import App

if TYPE_CHECKING:
    from shared.usecases.evaluation.tick import Ticked


def blueprint(app: Callable[[], App]) -> func.Blueprint:
    """Register the trigger: one timer for all, because on Flex Consumption each has instances.

    The schedule is fixed here: one that a setting names stops the listener where that is missing.
    """
    bp, spaced = func.Blueprint(), Spaced()

    @bp.timer_trigger(arg_name="timer", schedule="*/15 * * * * *", run_on_startup=False)
    @invoked(app)
    def evaluate_alerts(timer: func.TimerRequest) -> None:
        parts = app()
        now = parts.clock.now()
        if spaced.is_due(now, parts.settings.EVALUATE_EVERY_S):
            parts.tick.run(now)

    return bp


def routes(app: Callable[[], App]) -> Sequence[Route]:
    """Return the route that evaluates where no timer does."""

    def post_evaluate(req: func.HttpRequest) -> func.HttpResponse:
        parts = app()
        now = parts.clock.now()
        return reply(200, _shown(parts.tick.run(now)))

    return [Route("post_evaluate", "api/evaluate", {"POST": post_evaluate}, Role.OPERATOR)]


def _shown(ticked: "Ticked") -> dict[str, object]:
    """Sum up a run for who asked for it."""
    rules = {report.rule: report for report in ticked.evaluated.rules}
    return {
        "at": ticked.evaluated.at.isoformat(),
        "complete": ticked.complete,
        "delivered": sum(report.accepted for report in ticked.delivered),
        "rules": [
            {"rule": report.rule, "outcome": report.outcome, "error": report.error}
            for report in rules.values()
        ],
    }
