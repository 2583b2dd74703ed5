import io
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ops.__main__ import main
from ops.console.command import Desk
from ops.console.terminal import Terminal
from shared.events.envelope import judge
from shared.events.message import pack
from tests.factories import event
from tests.fakes import START, FakeClock
from tests.journeys.laptop import TIMEOUT_S, Laptop, laptop, minutes


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Laptop]:
    with laptop(tmp_path, FakeClock(START)) as running:
        (tmp_path / "local.json").write_text(json.dumps(running.stack.describe()))
        yield running


def poison(box: Laptop, *argv: str) -> tuple[int, Any]:
    """Type `ops poison … --json`; return the exit code and the answer."""
    out = io.StringIO()
    environment = {"AGENTMETER_HOME": str(box.stack.places.home)}
    code = main(
        ["poison", *argv, "--json"], Desk(Terminal(out, io.StringIO()), environment, box.clock)
    )
    return code, json.loads(out.getvalue())


def fail_tracking(box: Laptop, status: int | None) -> None:
    """Let requests to the ingestion endpoint fail from now on; None ends that."""
    fault = {"track": {"status": status, "times": 100}} if status else {}
    box.http.post(f"{box.stack.query_url}/faults", json=fault, timeout=TIMEOUT_S)


def calls(box: Laptop) -> list[list[Any]]:
    return box.query("UsageEvents | summarize sum(Count), sum(CostUsd)")


def deliver(box: Laptop, times: int) -> None:
    """Let the queue hand over what failed, so many times."""
    for _ in range(times):
        box.clock.advance(seconds=31)
        box.stack.host.drain()


def test_an_outage_of_azure_monitor_needs_no_hand(box: Laptop) -> None:
    fail_tracking(box, 503)
    box.post([event(number=n) for n in range(3)])
    deliver(box, times=23)
    assert calls(box)[0][0] == 0
    assert poison(box, "list") == (0, [])
    fail_tracking(box, None)
    deliver(box, times=1)
    assert calls(box) == [[3, pytest.approx(3 * 0.036)]]


def test_what_failed_for_a_week_is_set_aside_and_counts_once_when_replayed(box: Laptop) -> None:
    fail_tracking(box, 503)
    box.post([event(number=n) for n in range(3)])
    for _ in range(4):
        deliver(box, times=5)
        box.clock.advance(days=3)
    code, listed = poison(box, "list")
    assert code == 0
    assert [(item["events"], item["kinds"]) for item in listed] == [(3, "3 llm.call")]
    assert "failed 5 times" in listed[0]["why"]

    fail_tracking(box, None)
    assert poison(box, "replay", listed[0]["id"]) == (
        0,
        {"replayed": 1, "unreadable": 0, "missing": []},
    )
    box.stack.host.drain()
    assert calls(box) == [[3, pytest.approx(3 * 0.036)]]
    assert poison(box, "list") == (0, [])
    box.post([event(number=n) for n in range(3)])
    assert calls(box)[0][0] == 3


def test_what_azure_monitor_refuses_says_why(box: Laptop) -> None:
    fail_tracking(box, 413)
    box.post([event()])
    code, listed = poison(box, "list")
    assert (code, listed[0]["events"]) == (0, 1)
    assert "413" in listed[0]["why"]
    fail_tracking(box, None)
    assert poison(box, "replay", "--all")[0] == 0
    box.stack.host.drain()
    assert calls(box)[0][0] == 1


def test_a_message_that_is_not_there_is_named(box: Laptop) -> None:
    assert poison(box, "replay", "gone") == (
        1,
        {"replayed": 0, "unreadable": 0, "missing": ["gone"]},
    )


def test_a_foreign_message_stays(box: Laptop) -> None:
    box.stack.host.enqueue("usage-events", "hello")
    for _ in range(6):
        box.stack.host.drain()
        box.clock.advance(seconds=timedelta(seconds=31).total_seconds())
    code, answer = poison(box, "replay", "--all")
    assert (code, answer["unreadable"]) == (1, 1)
    assert len(poison(box, "list")[1]) == 1


def set_aside(box: Laptop, count: int) -> str:
    """Let the queue give up a message of that many events; return its id."""
    events, _ = judge([event(number=n) for n in range(count)], box.clock.now())
    box.stack.host.enqueue("usage-events-poison", pack(events, box.clock.now())[0])
    return poison(box, "list")[1][-1]["id"]


def test_a_foreign_message_is_one_line_and_blocks_nothing(box: Laptop) -> None:
    box.stack.host.enqueue("usage-events-poison", "hello")
    box.stack.host.enqueue("usage-events-poison", b"\xff\xfe")
    set_aside(box, 2)
    code, listed = poison(box, "list")
    assert (code, [item["events"] for item in listed]) == (0, [0, 0, 2])
    assert poison(box, "replay", "--all") == (1, {"replayed": 1, "unreadable": 2, "missing": []})
    box.stack.host.drain()
    assert calls(box)[0][0] == 2
    foreign = [item["id"] for item in poison(box, "list")[1]]
    assert poison(box, "drop", *foreign) == (0, {"dropped": 2, "unreadable": 0, "missing": []})
    assert poison(box, "list") == (0, [])


def test_single_events_are_shown_replayed_and_dropped(box: Laptop) -> None:
    message = set_aside(box, 4)
    code, shown = poison(box, "show", message)
    assert (code, [one["id"] for one in shown]) == (0, [f"llm.call-{n}" for n in range(4)])
    assert shown[2]["event"] == f"{message}/3"
    code, answer = poison(box, "replay", f"{message}/1", f"{message}/3", f"{message}/9")
    assert (code, answer["replayed"], answer["missing"]) == (1, 1, [f"{message}/9"])
    box.stack.host.drain()
    assert calls(box)[0][0] == 2
    left = poison(box, "list")[1]
    assert [item["events"] for item in left] == [1, 1]
    assert poison(box, "drop", f"{left[0]['id']}/1")[0] == 0
    assert poison(box, "replay", "--all")[1]["replayed"] == 1
    box.stack.host.drain()
    ids = box.query("UsageEvents | project EventId | order by EventId asc")
    assert ids == [["llm.call-0"], ["llm.call-2"], ["llm.call-3"]]


def test_a_message_is_split_into_its_events(box: Laptop) -> None:
    message = set_aside(box, 3)
    assert poison(box, "split", message)[1]["split"] == 1
    assert [item["events"] for item in poison(box, "list")[1]] == [1, 1, 1]
    assert poison(box, "replay", "--all")[1]["replayed"] == 3
    box.stack.host.drain()
    assert calls(box)[0][0] == 3


def calls_of(box: Laptop) -> list[tuple[str, bool]]:
    """Return the incidents about what was set aside, and whether each is over."""
    found = [one for one in box.incidents() if "PoisonQueueNotEmpty" in one.dedup_key]
    return [(one.severity, one.resolved_at is not None) for one in found]


def test_what_is_set_aside_pages_until_it_is_replayed(box: Laptop) -> None:
    fail_tracking(box, 413)
    box.post([event()])
    for at in minutes(box.clock.now(), 2):
        box.tick(at)
    assert calls_of(box) == [("error", False)]
    fail_tracking(box, None)
    assert poison(box, "replay", "--all")[0] == 0
    box.stack.host.drain()
    for at in minutes(box.clock.now(), 2):
        box.tick(at)
    assert calls_of(box) == [("error", True)]
