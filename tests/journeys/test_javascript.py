"""OpenTelemetry's exporters for JavaScript, and Vercel's AI SDK, export to the laptop's stack."""

from pathlib import Path

import pytest

from shared.clock import SystemClock
from tests.fakes import FakeClock
from tests.javascript import AI_SDK_CALLS, CALLS, EXPORTERS, GPT_USD, Export, export
from tests.journeys.laptop import laptop

__all__ = ["export"]
pytestmark = [
    pytest.mark.instrumentations,
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("instrumentations"),
]


def test_every_span_of_every_exporter_arrives_and_is_priced(tmp_path: Path, export: Export) -> None:
    with laptop(tmp_path, FakeClock(SystemClock().now())) as box:
        export(box.stack.app_url, box.stack.places.key())
        box.stack.host.drain()
        kql = (
            "UsageEvents | where Name == 'llm.call' | summarize calls = sum(Count), "
            "usd = round(sum(CostUsd), 6), statuses = dcount(CostStatus) by Source, CostStatus "
            "| order by Source asc"
        )
        found = {row[0]: tuple(row[2:4]) for row in box.query(kql)}
    whole = (CALLS, pytest.approx(CALLS * GPT_USD))
    assert found == dict.fromkeys(EXPORTERS, whole) | {
        "ai-sdk": (AI_SDK_CALLS, pytest.approx(AI_SDK_CALLS * GPT_USD))
    }
