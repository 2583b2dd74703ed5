"""GET: the metrics and the health."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import azure.functions as func

from functions.accept import format_of, scraped
from functions.replies import closed_to, reply
from functions.route import Route
from shared.wiring import App

if TYPE_CHECKING:
    from shared.usecases.explaining.report import Check


def routes(app: Callable[[], App]) -> Sequence[Route]:
    """Return the routes."""

    def get_metrics(req: func.HttpRequest) -> func.HttpResponse:
        parts = app()
        if closed := closed_to(req, parts.settings.values("METRICS_TOKEN")):
            return closed
        form = format_of(req)
        return scraped(req, parts.report.metrics(parts.clock.now(), form), form)

    def get_health(req: func.HttpRequest) -> func.HttpResponse:
        parts = app()
        if closed := closed_to(req, parts.settings.values("METRICS_TOKEN")):
            return closed
        checks = parts.report.health(parts.clock.now())
        status = "ok" if all(check.ok for check in checks) else "degraded"
        return reply(200, {"status": status, "checks": [_shown(check) for check in checks]})

    def get_alerts_health(req: func.HttpRequest) -> func.HttpResponse:
        parts = app()
        if closed := closed_to(req, parts.settings.values("METRICS_TOKEN")):
            return closed
        check = parts.report.watchdog(parts.clock.now())
        return reply(200 if check.ok else 503, asdict(check))

    return [
        Route("get_metrics", "metrics", {"GET": get_metrics}, None),
        Route("get_health", "api/health", {"GET": get_health}, None),
        Route("get_alerts_health", "api/health/alerts", {"GET": get_alerts_health}, None),
    ]


def _shown(check: "Check") -> dict[str, object]:
    """Return the check as JSON values; what is well needs no remedy."""
    shown: dict[str, object] = asdict(check)
    return shown | {"remedy": ""} if check.ok else shown
