"""What the tests of the Azure Monitor stand-in share: envelopes as the SDK sends them."""

from datetime import datetime, timedelta
from typing import Any

from standin.monitor.store import MonitorStore
from tests.fakes import START, FakeClock

KEY = "00000000-1111-2222-3333-444444444444"


def envelope(kind: str, data: dict[str, Any], at: datetime = START, **more: Any) -> dict[str, Any]:
    return {
        "ver": 1,
        "name": "Microsoft.ApplicationInsights",
        "time": at.isoformat(),
        "iKey": KEY,
        "tags": {},
        "data": {"baseType": kind, "baseData": {"ver": 2, **data}},
        **more,
    }


def event(
    text: dict[str, Any] | None = None,
    numbers: dict[str, Any] | None = None,
    at: datetime = START,
    name: str = "llm.call",
) -> dict[str, Any]:
    """Return an event; text are its properties, numbers its measurements."""
    data = {"name": name, "properties": text or {}, "measurements": numbers or {}}
    return envelope("EventData", data, at)


def metric(value: float, at: datetime = START, **more: Any) -> dict[str, Any]:
    return envelope("MetricData", {"metrics": [{"name": "queue", "value": value, **more}]}, at)


def five_calls() -> MonitorStore:
    """Return a stand-in that holds five calls of 1 to 5 s, a minute apart, and one metric."""
    store = MonitorStore(None, FakeClock())
    calls = [
        event(
            {"id": str(n), "model": "ab"[n % 2], "tags": '["x"]'},
            {"duration_s": n, "cost_usd": n / 4},
            START - timedelta(minutes=n),
        )
        for n in range(1, 6)
    ]
    store.track([*calls, metric(7)])
    return store
