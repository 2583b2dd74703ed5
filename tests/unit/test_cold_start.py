"""What a cold start loads: indexing and taking events need none of what evaluates or explains."""

import subprocess
import sys

import pytest

INDEXED = "import function_app"
TAKES_EVENTS = f"""{INDEXED}
from shared.clock import SystemClock
from shared.settings import Settings
from shared.wiring import App
settings = Settings(APPLICATIONINSIGHTS_CONNECTION_STRING="", LOGS_WORKSPACE_ID="w")
parts = App(settings, SystemClock())
parts.ingest, parts.rates, parts.queue
"""
NEEDLESS = (
    "azure.core",
    "opentelemetry.sdk",
    "requests",
    "shared.adapters.azure.log_analytics",
    "shared.alerting.rule",
    "shared.notify",
    "shared.storage",
    "shared.usecases.evaluation.evaluate",
    "shared.usecases.explaining",
    "shared.usecases.processing",
    "shared.usecases.spending",
)


@pytest.mark.parametrize("script", [INDEXED, TAKES_EVENTS], ids=["indexing", "taking events"])
def test_a_cold_start_loads_what_it_needs(script: str) -> None:
    asked = f"{script}\nimport sys\nprint(*(n for n in {NEEDLESS} if n in sys.modules))"
    ran = subprocess.run(  # noqa: S603  # our own script
        [sys.executable, "-c", asked], check=True, capture_output=True, text=True
    )
    assert ran.stdout.split() == []
