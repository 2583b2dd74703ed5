"""The triggers: each translates between the Functions host and a use case."""

from collections.abc import Callable, Sequence

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
    work,
)
from functions.route import Carrier, Route, over_grpc
from shared.wiring import App


def build(
    app: Callable[[], App],
    carrier: Carrier = over_grpc,
    further: Sequence[Callable[[Callable[[], App]], func.Blueprint]] = (),
) -> func.FunctionApp:
    """Return the Functions app with every trigger; `app` is first called by the first trigger.

    carrier: how HTTP reaches the routes. further: triggers that not every deployment has.
    """
    functions = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
    for blueprint in (process.blueprint, evaluate.blueprint, *further):
        functions.register_functions(blueprint(app))
    for route in routes(app):
        level = None if route.role else func.AuthLevel.ANONYMOUS
        trigger = functions.function_name(route.name)(carrier(route, app))
        methods = route.methods or None
        functions.route(route=route.path, auth_level=level, methods=methods)(trigger)
    return functions


def routes(app: Callable[[], App]) -> Sequence[Route]:
    """Return every path that HTTP reaches."""
    modules = (events, otlp, report, alerts, evaluate, costs, budgets, silences, work)
    described = api.routes(lambda: routes(app))
    return [*(route for module in modules for route in module.routes(app)), *described]
