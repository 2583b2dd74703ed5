"""The triggers: each translates between the Functions host and a use case."""

from collections.abc import Callable

import azure.functions as func

from functions import (
    alerts,
    api,
    budgets,
    costs,
    evaluate,
    events,
    otlp,
    process,
    report,
    silences,
)
from shared.wiring import App


def build(app: Callable[[], App]) -> func.FunctionApp:
    """Return the Functions app with every trigger; `app` is first called by the first trigger."""
    functions = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
    for module in (events, otlp, process, evaluate, report, alerts, costs, budgets, silences):
        functions.register_functions(module.blueprint(app))
    functions.register_functions(api.blueprint(app, lambda: build(app).get_functions()))
    return functions
