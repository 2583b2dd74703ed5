"""`ops reprice` as a process of its own, killed while it writes."""

import json
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.journeys.process import Machine

CALLS = 3000
CONTRACT = """
[[price]]
provider = "openai"
model = "house-1"
from = 2026-01-01
source = "GPU pool"
input = 0.7
output = 1.1
"""
WRITTEN = 'AppEvents | where Name == "cost.adjustment" | count'


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path / "home")
    made.start()
    yield made
    made.end(signal.SIGTERM)


def ask(machine: Machine, path: str, port: int, **options: Any) -> Any:
    url = f"http://127.0.0.1:{machine.first_port + port}{path}"
    answer = requests.request(options.pop("method", "GET"), url, timeout=30, **options)
    assert answer.status_code == 200, answer.text
    return answer.json()


def written(machine: Machine) -> int:
    path = "/v1/workspaces/any/query"
    answer = ask(machine, path, 2, method="POST", json={"query": WRITTEN})
    return answer["tables"][0]["rows"][0][0]


def costs(machine: Machine) -> dict[str, Any]:
    key = json.loads((machine.home / "local.json").read_text())["function_key"]
    answer = ask(machine, "/api/costs?from=2026-11-01", 1, headers={"x-functions-key": key})
    return {name: answer[name] for name in ("total_usd", "calls", "unpriced_calls", "unpriced")}


def test_a_kill_while_it_writes_changes_no_number(machine: Machine, tmp_path: Path) -> None:
    trace = tmp_path / "trace.csv"
    start = datetime(2026, 11, 16, 18, tzinfo=UTC)
    rows = (f"{start + timedelta(seconds=n):%F %T},{1000 + n},100\n" for n in range(CALLS))
    trace.write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n" + "".join(rows))
    (tmp_path / "prices.toml").write_text(CONTRACT)
    machine.ask("play", str(trace), "--provider", "openai", "--model", "house-1")
    pause = threading.Event()
    while machine.waiting():
        pause.wait(0.1)
    before = costs(machine)
    assert (before["total_usd"], before["unpriced_calls"]) == (None, CALLS)

    reprice = ("reprice", "--from", "2026-11-01", "--config", str(tmp_path))
    killed = machine.ops(*reprice)
    while not written(machine):
        assert killed.poll() is None, killed.communicate()
        pause.wait(0.005)
    killed.kill()
    killed.communicate()
    assert 0 < written(machine) < CALLS, "it was killed too late to prove anything"

    finished = machine.ask(*reprice)
    tokens_in = sum(1000 + n for n in range(CALLS))
    usd = (tokens_in * 7 + CALLS * 100 * 11) / 10_000_000
    after: dict[str, Any] = {"total_usd": usd, "calls": CALLS, "unpriced_calls": 0, "unpriced": []}
    assert costs(machine) == after
    assert 0 < finished["adjustments"] < CALLS
    assert machine.ask(*reprice)["adjustments"] == 0
    assert costs(machine) == after
