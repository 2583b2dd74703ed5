"""Every 15 s: deliver what is due, evaluate the rules, deliver what they decided."""

from collections.abc import Callable

import azure.functions as func

from functions.invoked import invoked
from shared.wiring import App


def blueprint(app: Callable[[], App]) -> func.Blueprint:
    """Register the trigger: one timer for all, because on Flex Consumption each has instances.

    The schedule is fixed here: one that a setting names stops the listener where that is missing.
    """
    bp = func.Blueprint()

    @bp.timer_trigger(arg_name="timer", schedule="*/15 * * * * *", run_on_startup=False)
    @invoked(app)
    def evaluate_alerts(timer: func.TimerRequest) -> None:
        parts = app()
        parts.tick.run(parts.clock.now())

    return bp
