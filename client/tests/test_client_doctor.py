"""The doctor sends an event, and says whether it was counted."""

from __future__ import annotations

import pytest

from agentmeter_client.doctor import examine, main
from agentmeter_client.settings import Target, target
from conftest import KEY
from endpoint import Endpoint, Reply

METRIC = 'task_operations_total{operation="client_doctor",status="success"}'


def asked(endpoint: Endpoint, wait_s: float = 5.0) -> tuple[bool, str]:
    where = target(endpoint.url, KEY)
    assert isinstance(where, Target)
    lines: list[str] = []
    return examine(where, wait_s, lines.append), "\n".join(lines)


def test_an_event_that_is_counted_arrives(endpoint: Endpoint) -> None:
    endpoint.page = lambda: f"{METRIC} {len(endpoint.events)}\n".encode()
    arrives, said = asked(endpoint)
    assert arrives
    assert "events arrive" in said
    assert KEY not in said
    assert [event["data"]["operation"] for event in endpoint.events.values()] == ["client_doctor"]


def test_an_event_that_is_never_counted_is_named(endpoint: Endpoint) -> None:
    endpoint.page = lambda: f"{METRIC} 7\n".encode()
    arrives, said = asked(endpoint, wait_s=0.1)
    assert not arrives
    assert "The queue is not worked off" in said


def test_closed_metrics_hide_the_count(endpoint: Endpoint) -> None:
    arrives, said = asked(endpoint)
    assert arrives
    assert "GET /metrics is closed" in said


@pytest.mark.parametrize(
    ("status", "remedy"),
    [(401, "AGENTMETER_KEY"), (404, "AGENTMETER_ENDPOINT"), (503, "GET /api/health")],
)
def test_a_refusal_has_its_remedy(endpoint: Endpoint, status: int, remedy: str) -> None:
    endpoint.script.append(Reply(status))
    arrives, said = asked(endpoint)
    assert not arrives
    assert remedy in said


def test_no_one_at_the_address_is_said(endpoint: Endpoint) -> None:
    endpoint.script.append("hang up")
    assert "no answer" in asked(endpoint)[1]


def test_without_an_endpoint_the_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AGENTMETER_ENDPOINT", raising=False)
    assert main(["doctor"]) == 1
    assert "Set AGENTMETER_ENDPOINT" in capsys.readouterr().out
