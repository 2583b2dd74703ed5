import json
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from shared.clock import SystemClock
from tests.fakes import FakeClock
from tests.journeys.laptop import Laptop, laptop

CLIENT = Path(__file__).parents[2] / "client"
MILLION = Decimal(1_000_000)
OPENAI_CALL_USD = (600 * Decimal("2.5") + 400 * Decimal("1.25") + 100 * 10) / MILLION
ANTHROPIC_CALL_USD = (100 * 3 + 800 * Decimal("0.3") + 50 * 15) / MILLION
BULK_USD = (7000 * Decimal("2.5") + 70 * 10) / MILLION


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Laptop]:
    with laptop(tmp_path, FakeClock(SystemClock().now())) as running:
        yield running


def test_calls_tokens_and_cost_of_agents_with_the_client_are_exact(box: Laptop) -> None:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "tests/fleet.py", box.stack.app_url, box.stack.places.key()],
        cwd=CLIENT,
        env={"PYTHONPATH": "src"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    box.stack.host.drain()
    stats = json.loads(done.stdout)
    assert stats["sent"] == stats["recorded"]
    assert (stats["refused"], stats["dropped"], stats["waiting"]) == (0, 0, 0)

    calls = box.query(
        'UsageEvents | where Name == "llm.call" and isnotempty(CostUsd) '
        "| summarize sum(Count), sum(InputTokens), sum(OutputTokens), sum(CacheReadTokens), "
        "Cost = sum(CostUsd) by Provider, TeamId | sort by Provider asc, TeamId desc"
    )
    assert [row[:-1] for row in calls] == [
        ["anthropic", "writing", 300, 270_000, 15_000, 240_000],
        ["openai", "search", 300, 300_000, 30_000, 120_000],
        ["openai", "", 7, 7_000, 70, 0],
    ]
    spent = [Decimal(str(row[-1])).quantize(Decimal("1e-9")) for row in calls]
    assert spent == [300 * ANTHROPIC_CALL_USD, 300 * OPENAI_CALL_USD, BULK_USD]

    no_usage = 'UsageEvents | where Name == "llm.call" and isempty(CostUsd) '
    assert box.query(no_usage + "| project CostStatus, InputTokens") == [["unknown", None]]
    by_agent = (
        'UsageEvents | where Name == "agent.operation" '
        "| summarize sum(Count) by AgentId, AgentType, MissionId, TeamId | sort by AgentId asc"
    )
    assert box.query(by_agent) == [
        [f"s{n}", "searcher", f"mission-s{n}", "search", 100] for n in range(3)
    ]
    others = (
        'UsageEvents | where Name in ("mission.completed", "revenue") '
        "| summarize sum(Count), sum(AmountUsd) by Name, Outcome | sort by Name asc"
    )
    assert box.query(others)[0][:3] == ["mission.completed", "success", 3]
    assert box.query(others)[1][2:] == [1, pytest.approx(49.9)]
    assert box.query("UsageEvents | where Environment != 'journey' | count") == [[0]]
    assert 'active_agents_total{agent_type="searcher"} 0' in box.get("/metrics").text
