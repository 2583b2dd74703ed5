"""`ops top` on the laptop's stack: what it shows is what was posted."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops.__main__ import main
from ops.console.command import Desk
from ops.console.terminal import Terminal
from tests.factories import event
from tests.fakes import START, FakeClock
from tests.journeys.laptop import Laptop, laptop


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Laptop]:
    with laptop(tmp_path, FakeClock(START)) as running:
        (tmp_path / "local.json").write_text(json.dumps(running.stack.describe()))
        yield running


def happens(box: Laptop, kind: str, number: int, **data: object) -> dict[str, Any]:
    """Return an event of this moment."""
    return {**event(kind, number, **data), "time": box.clock.now().isoformat()}


def top(box: Laptop, *argv: str) -> str:
    out, err = io.StringIO(), io.StringIO()
    environment = {"AGENTMETER_HOME": str(box.stack.places.home)}
    desk = Desk(Terminal(out, err), environment, box.clock)
    assert main(["top", "--once", *argv], desk) == 0, err.getvalue()
    return out.getvalue()


def seen(box: Laptop, *argv: str) -> dict[str, Any]:
    return json.loads(top(box, *argv, "--json"))


def test_a_fleet_that_did_nothing_is_shown_as_such(box: Laptop) -> None:
    shown = top(box)
    assert "spend     $0.00 an hour   today $0.00   this month $0.00\n" in shown
    assert "no alert is pending or firing" in shown
    assert "without a price" not in shown


def test_figures_are_those_of_the_calls(box: Laptop) -> None:
    failed = {"status": "error", "team_id": "search", "duration_s": 9, "count": 3}
    box.post(
        [
            happens(box, "llm.call", 1, team_id="search", duration_s=2),
            happens(box, "llm.call", 2, **failed),
            happens(box, "llm.call", 3, model="house-1", duration_s=1),
        ]
    )
    box.clock.advance(seconds=30)
    found = seen(box)
    total = {name: found["total"][name] for name in ("Calls", "Failed", "Unpriced", "P95")}
    assert total == {"Calls": 5, "Failed": 3, "Unpriced": 1, "P95": 9.0}
    assert {row["TeamId"]: row["Calls"] for row in found["teams"]} == {"search": 4, "": 1}
    assert found["today_usd"] == found["month_usd"] == pytest.approx(sum(found["minutes"]))
    assert found["unpriced_month"] == 1
    shown = top(box)
    assert "1 calls without a price" in shown
    (line,) = [line for line in shown.splitlines() if "house-1" in line]
    assert line.split() == ["openai", "house-1", "0.1", "0.0", "%", "1", "1"]


def test_an_open_alert_is_in_it(box: Laptop) -> None:
    for minute in range(8):
        box.post([happens(box, "error", minute, count=6_000)])
        box.clock.advance(minutes=1)
        box.tick(box.clock.now())
    (alert,) = seen(box)["alerts"]
    assert (alert["alert"], alert["state"]) == ("HighErrorRate", "firing")
    (line,) = [line for line in top(box).splitlines() if "HighErrorRate" in line]
    assert line.startswith("firing  HighErrorRate  critical")


def test_without_the_api_there_is_less_to_see_and_it_says_so(box: Laptop) -> None:
    found = seen(box, "--url", "http://127.0.0.1:9")
    assert len(found["problems"]) == 1
    assert "127.0.0.1:9 did not answer" in found["problems"][0]
    assert "no alert is pending" not in top(box, "--url", "http://127.0.0.1:9")
