"""What the tests of the Azure Monitor exporter share: rows, settings, the service's answers."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pytest

from shared.adapters.azure.azure_monitor import AzureMonitorExporter
from shared.rows import EventRow, Exported, ExportLater, ExportOutcome, MetricRow
from tests.loopback import Loopback, Reply, Request

KEY = "00000000-1111-2222-3333-444444444444"
AT = datetime(2026, 3, 4, 5, 6, 7, 890_123, tzinfo=UTC)
PROMPT = "the words of a prompt"
BOTH = pytest.mark.parametrize("by_sdk", [False, True], ids=["own", "sdk"])
"""Both ways on which events and spans go out; each must keep the same promises."""


def exporter(
    server: Loopback, read_timeout_s: float = 10, *, by_sdk: bool = False
) -> AzureMonitorExporter:
    return AzureMonitorExporter(
        connection(server.url), read_timeout_s=read_timeout_s, all_by_sdk=by_sdk
    )


def connection(endpoint: str) -> str:
    return f"InstrumentationKey={KEY};IngestionEndpoint={endpoint}/"


def event(number: float = 1, text: Mapping[str, str] | None = None) -> EventRow:
    return EventRow("llm.call", AT, {"message": PROMPT} | dict(text or {}), {"number": number})


def metric(total: float = 1) -> MetricRow:
    return MetricRow("llm_cost_usd_total", AT, (("model", "gpt-4o"),), total)


def track(
    status: int, received: int, errors: Sequence[tuple[int, int, str]] = (), accepted: int = -1
) -> Reply:
    """Return an answer that names items: errors are (index, status, message)."""
    body = {
        "itemsReceived": received,
        "itemsAccepted": received - len(errors) if accepted < 0 else accepted,
        "errors": [{"index": i, "statusCode": code, "message": m} for i, code, m in errors],
    }
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json"})


def accept(request: Request) -> Reply:
    """Take everything, as the service does on a good day."""
    return track(200, len(request.json()))


def said(outcomes: Sequence[ExportOutcome]) -> list[str]:
    """Put each outcome into a word or two, such as `later 7` for a Retry-After of 7 s."""
    return [_said(outcome) for outcome in outcomes]


def _said(outcome: ExportOutcome) -> str:
    if isinstance(outcome, Exported):
        return "exported"
    if isinstance(outcome, ExportLater):
        return "later" if outcome.retry_after_s is None else f"later {outcome.retry_after_s:g}"
    return f"refused {outcome.status}"
