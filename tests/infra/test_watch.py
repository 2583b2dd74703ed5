"""The queries of Azure's alerts about agentmeter, asked of the stand-in."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from replay.azure import DirectExporter
from shared.metrics.own import EVENTS, HEARTBEAT
from shared.rows import MetricRow
from standin.monitor.store import MonitorStore
from tests.fakes import START, FakeClock
from tests.infra.bicep import INFRA, ROOT, source
from tests.monitor import envelope

REQUEST: dict[str, Any] = {"id": "1", "name": "post_events", "duration": "00:00:01"}


@pytest.fixture
def store() -> Iterator[MonitorStore]:
    store = MonitorStore(None, FakeClock())
    yield store
    store.close()


def rows(store: MonitorStore, name: str) -> int:
    """Return what Azure counts: the rows of the answer."""
    kql = (INFRA / f"kql/watch/{name}.kql").read_text(encoding="utf-8")
    return len(store.query(kql, START - timedelta(hours=1), START + timedelta(hours=1)).rows)


def test_after_a_deployment_silence_is_no_fault_for_half_an_hour() -> None:
    clock = FakeClock()
    store = MonitorStore(None, clock)
    text = (INFRA / "kql/watch/silent.kql").read_text(encoding="utf-8")
    assert text.count("2000-01-01") == 1
    assert "replace(loadTextContent('../kql/watch/silent.kql'), '2000-01-01', deployedAt)" in (
        source("watch")
    )
    kql = text.replace("2000-01-01", START.strftime("%Y-%m-%dT%H:%M:%SZ"))
    found: list[int] = []
    for _ in range(4):
        now = clock.now()
        found.append(len(store.query(kql, now - timedelta(minutes=5), now).rows))
        clock.advance(minutes=15)
    store.close()
    assert found == [1, 1, 0, 0]


def test_a_tick_ends_the_silence(store: MonitorStore) -> None:
    assert rows(store, "silent") == 0
    DirectExporter(store).metrics([MetricRow(HEARTBEAT.name, START, (), 1)])
    assert rows(store, "silent") == 1


def test_refused_events_are_counted_and_others_are_not(store: MonitorStore) -> None:
    for outcome, total in (("exported", 7), ("refused", 1), ("duplicate", 2)):
        labels = (("type", "llm.call"), ("outcome", outcome))
        DirectExporter(store).metrics([MetricRow(EVENTS.name, START, labels, total)])
    assert rows(store, "refused") == 1


@pytest.mark.parametrize(
    ("code", "success", "fails"),
    [("503", False, 1), ("0", False, 1), ("404", False, 0), ("200", True, 0), ("0", True, 0)],
)
def test_failed_invocations_are_ours_and_not_the_senders(
    store: MonitorStore, code: str, success: bool, fails: int
) -> None:
    store.track([envelope("RequestData", {**REQUEST, "responseCode": code, "success": success})])
    assert rows(store, "failing") == fails


def test_a_message_that_the_host_gives_up_is_heard(store: MonitorStore) -> None:
    said = "Message has reached MaxDequeueCount of 5. Moving message to queue 'usage-events-poison'"
    store.track([envelope("MessageData", {"message": text}) for text in (said, "all is well")])
    assert rows(store, "poison") == 1


def test_every_alert_has_its_section() -> None:
    names = re.findall(r"^    name: '(\w+)'", source("watch"), re.M)
    sections = re.findall(r"^## (\w+)$", (ROOT / "docs/watch.md").read_text("utf-8"), re.M)
    assert [name for name in names if name != "webhook"] == sections
