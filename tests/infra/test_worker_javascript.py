"""OpenTelemetry's exporters for JavaScript export to Azure's real Python worker."""

from collections import Counter, defaultdict

import pytest

from shared.clock import SystemClock
from shared.usecases.processing.process import Process, Stores
from tests.fakes import FakeExporter
from tests.in_memory import MemoryClaims, MemoryLabels, MemorySeries, MemoryTraces
from tests.infra.test_worker import PYTHON
from tests.infra.worker_site import Site, site
from tests.javascript import AI_SDK_CALLS, CALLS, EXPORTERS, GPT_USD, Export, export
from tests.span_log import PRICES

__all__ = ["export", "site"]
pytestmark = [
    pytest.mark.skipif(not PYTHON, reason="WORKER_PYTHON is not set; .ci/worker sets it"),
    pytest.mark.timeout(600),
]


counts = dict.fromkeys(EXPORTERS, CALLS) | {"ai-sdk": AI_SDK_CALLS}


def test_every_span_arrives_and_is_priced(site: Site, export: Export) -> None:
    export(site.url, "")
    stores = Stores(MemoryClaims(), MemorySeries(), MemoryLabels(), MemoryTraces())
    exporter = FakeExporter()
    process = Process(stores, exporter, PRICES, 200)
    for text in site.messages():
        process.run(text, 1, SystemClock().now())
    calls = [row for row in exporter.event_rows if row.name == "llm.call"]
    assert Counter(row.text["source"] for row in calls) == counts
    usd = defaultdict[str, float](float)
    for row in calls:
        usd[row.text["source"]] += row.numbers["cost_usd"]
    assert usd == {name: pytest.approx(count * GPT_USD) for name, count in counts.items()}
