"""`ops doctor` on the laptop's stack: well, and with things broken."""

import io
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ops.__main__ import main
from ops.console.command import Desk
from ops.console.terminal import Terminal
from shared.storage.rows import Delete
from shared.storage.stores import open_file
from tests.factories import event
from tests.fakes import START, FakeClock
from tests.journeys.laptop import TIMEOUT_S, Laptop, laptop


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Laptop]:
    with laptop(tmp_path, FakeClock(START)) as running:
        (tmp_path / "local.json").write_text(json.dumps(running.stack.describe()))
        running.tick(START)
        yield running


class Office:
    """Types the command; while it waits, the stack works and time passes."""

    def __init__(self, box: Laptop) -> None:
        self._box = box
        self.said = ""

    def doctor(self, *argv: str, **environment: str) -> tuple[int, dict[str, Any]]:
        """Return the exit code and the findings, by their check."""
        out, err = io.StringIO(), io.StringIO()
        home = {"AGENTMETER_HOME": str(self._box.stack.places.home)}
        desk = Desk(Terminal(out, err), {**home, **environment}, self._box.clock, self._pause)
        code = main(["doctor", "--json", *argv], desk)
        self.said = err.getvalue()
        found: list[dict[str, Any]] = json.loads(out.getvalue() or "[]")
        return code, {finding["check"]: finding for finding in found}

    def _pause(self, seconds: float) -> None:
        self._box.stack.host.drain()
        before = self._box.clock.now()
        self._box.clock.advance(seconds=seconds)
        if before.minute != self._box.clock.now().minute:
            self._box.tick(self._box.clock.now())


def break_monitor(box: Laptop, path: str) -> None:
    fault = {path: {"status": 503, "times": 1000}}
    box.http.post(f"{box.stack.query_url}/faults", json=fault, timeout=TIMEOUT_S)


def forget_totals(box: Laptop) -> None:
    with closing(open_file(box.stack.places.home / "state.db")) as database:
        rows = database.table("series")
        for row in list(rows.query("totals")):
            rows.commit("totals", [Delete(row.key)])


def wrong(found: dict[str, Any]) -> set[str]:
    return {check for check, finding in found.items() if finding["outcome"] == "wrong"}


def test_a_stack_that_is_well_passes_every_check(box: Laptop) -> None:
    office = Office(box)
    code, found = office.doctor("--drill")
    assert (code, wrong(found)) == (0, set())
    assert {"key", "chunks", "query", "round trip", "queue usage-events"} <= set(found)
    assert found["chunks"]["said"].endswith("requests are forwarded whole.")
    assert "found in 5 s" in found["round trip"]["said"]
    assert "checks: " in office.said
    drilled = [name for name in found if name.startswith("drill ")]
    assert len(drilled) == 3
    assert [bool(incident.resolved_at) for incident in box.incidents()] == [True] * 3


def test_metrics_that_the_log_lacks_are_reported(box: Laptop) -> None:
    box.post([event()])
    box.stack.host.drain()
    code, found = Office(box).doctor("--wait", "5s")
    assert found["metrics"]["outcome"] == "wrong"
    assert "AppMetrics lacks a part of" in found["metrics"]["said"]
    code, found = Office(box).doctor()
    assert (code, found["metrics"]["outcome"]) == (0, "ok")


def test_metrics_that_stand_twice_are_reported(box: Laptop) -> None:
    box.post([event()])
    box.stack.host.drain()
    Office(box).doctor()
    forget_totals(box)
    _, found = Office(box).doctor()
    assert "has more than GET /metrics of" in found["metrics"]["said"]


def test_chunks_that_are_refused_are_reported(tmp_path: Path) -> None:
    with laptop(tmp_path, FakeClock(START), HTTP_PROXYING="0") as box:
        (tmp_path / "local.json").write_text(json.dumps(box.stack.describe()))
        _, found = Office(box).doctor()
    assert found["chunks"]["outcome"] == "wrong"
    assert "HTTP_PROXYING=1" in found["chunks"]["mend"]


def test_queues_that_were_used_and_are_empty_are_well(box: Laptop) -> None:
    box.post([event()])
    _, found = Office(box).doctor("--wait", "5s")
    assert found["queue usage-events"]["said"] == "0 messages wait."


def test_the_table_says_how_to_fix(box: Laptop) -> None:
    break_monitor(box, "track")
    out = io.StringIO()
    environment = {"AGENTMETER_HOME": str(box.stack.places.home)}
    desk = Desk(
        Terminal(out, io.StringIO()), environment, box.clock, lambda s: box.clock.advance(seconds=s)
    )
    assert main(["doctor", "--wait", "10s"], desk) == 1
    (line,) = [line for line in out.getvalue().splitlines() if line.startswith("round trip")]
    assert "WRONG" in line
    assert "Monitoring Metrics Publisher" in line


def test_events_that_do_not_arrive_are_reported(box: Laptop) -> None:
    break_monitor(box, "track")
    code, found = Office(box).doctor("--wait", "30s")
    assert (code, wrong(found)) == (1, {"round trip", "metrics"})


def test_a_workspace_that_does_not_answer_is_reported(box: Laptop) -> None:
    break_monitor(box, "query")
    code, found = Office(box).doctor("--wait", "10s")
    assert code == 1
    assert wrong(found) >= {"query", "round trip"}


def test_a_wrong_key_is_reported_and_not_shown(box: Laptop) -> None:
    code, found = Office(box).doctor("--key", "hunter2", "--wait", "5s")
    assert code == 1
    assert "az functionapp keys list" in found["key"]["mend"]
    assert "hunter2" not in json.dumps(found)


def test_a_pager_key_of_another_form_is_reported_and_not_shown(box: Laptop) -> None:
    code, found = Office(box).doctor(PAGERDUTY_CRITICAL_KEY="no-such-key")
    assert (code, wrong(found)) == (1, {"pager PAGERDUTY_CRITICAL_KEY"})
    assert "no-such-key" not in json.dumps(found)


def test_rules_that_are_not_evaluated_are_reported_with_the_apps_own_remedy(box: Laptop) -> None:
    box.clock.advance(minutes=10)
    _, found = Office(box).doctor()
    assert "Log Analytics Reader" in found["app: evaluation"]["mend"]


def test_where_nothing_runs_it_cannot_run(tmp_path: Path) -> None:
    err = io.StringIO()
    desk = Desk(Terminal(io.StringIO(), err), {"AGENTMETER_HOME": str(tmp_path)}, FakeClock(START))
    assert main(["doctor"], desk) == 2
    assert "make run" in err.getvalue()
