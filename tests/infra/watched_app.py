"""The app with two routes more: one that fails, and one that says how many requests wait."""

import azure.functions as func

from functions import build, report
from functions.replies import reply
from functions.route import Route
from functions.web.switch import carrier
from shared.process_app import current

their = report.routes


def fail(req: func.HttpRequest) -> func.HttpResponse:
    """Raise what no route foresees."""
    raise ZeroDivisionError(req.url)


def waiting(req: func.HttpRequest) -> func.HttpResponse:
    """Count the requests that wait for their other half, or for an answer; without this one."""
    from functions.web.extension import pairs  # not sooner: to import it switches all triggers

    return reply(200, {"waiting": len(pairs) - 1})


report.routes = lambda app: [
    *their(app),
    Route("fail", "api/fail", {"GET": fail}, None),
    Route("waiting", "api/waiting", {"GET": waiting}, None),
]
app = build(current, carrier())
