import random
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.process import Machine

CALLS = 6000
CHANCE = random.Random(7)
SUMS = (
    'UsageEvents | where Name == "llm.call" '
    "| summarize Cost = sum(CostUsd), Calls = sum(Count), Tokens = sum(InputTokens)"
)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path / "home")
    yield made
    if made.process and made.process.poll() is None:
        made.end(signal.SIGKILL)


@pytest.fixture
def trace(tmp_path: Path) -> tuple[Path, int, int]:
    """Write a trace; return it with its tokens in and out."""
    start = datetime(2026, 11, 16, 18, tzinfo=UTC)
    counts = [(CHANCE.randrange(1, 9000), CHANCE.randrange(1, 400)) for _ in range(CALLS)]
    path = tmp_path / "trace.csv"
    rows = (
        f"{start + timedelta(seconds=n * 0.25):%Y-%m-%d %H:%M:%S.%f}0,{tokens_in},{tokens_out}\n"
        for n, (tokens_in, tokens_out) in enumerate(counts)
    )
    path.write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n" + "".join(rows))
    return path, sum(a for a, _ in counts), sum(b for _, b in counts)


def settled(machine: Machine) -> dict[str, Any]:
    """Return the sums once the queue has run dry."""
    pause = threading.Event()
    while machine.waiting():
        pause.wait(0.2)
    (row,) = machine.ask("query", SUMS, "--last", "7d")
    return row


def test_a_kill_at_any_moment_of_a_play_changes_no_number(
    machine: Machine, trace: tuple[Path, int, int]
) -> None:
    path, tokens_in, tokens_out = trace
    play = ("play", str(path), "--provider", "openai", "--model", "gpt-4", "--batch", "100")
    pause = threading.Event()
    for after_s in (0.4, 0.8, 1.3, 2.0):
        machine.start()
        playing = machine.ops(*play)
        pause.wait(after_s)
        machine.end(signal.SIGKILL)
        playing.kill()
        playing.communicate()
    machine.start()
    assert machine.ask(*play)["calls"] == CALLS
    cost = pytest.approx((tokens_in * 30 + tokens_out * 60) / 1e6, abs=1e-6)
    assert settled(machine) == {"Cost": cost, "Calls": CALLS, "Tokens": tokens_in}

    machine.ask(*play)
    assert settled(machine) == {"Cost": cost, "Calls": CALLS, "Tokens": tokens_in}
    machine.end(signal.SIGTERM)
