"""`ops export` on the laptop's stack: every event once, with its cost, in every format."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ops.__main__ import main
from ops.console.command import Desk
from ops.console.monitor import find_monitor
from ops.console.patient_log import PatientLog
from ops.console.terminal import Terminal
from ops.export import command as export
from ops.export.parts import Wanted, open_parts
from shared.errors import Misconfigured, RetryLater
from shared.ports import Table
from shared.usecases.spending.log_slices import Paging
from tests.factories import event
from tests.fakes import START, FakeClock
from tests.journeys.laptop import Laptop, laptop

SINCE = "2026-11-01"
HOURS_AGO = (1, 30, 24 * 4, 24 * 15)
"""Azure takes the first two at their own time."""


def sent(kind: str, number: int, hours_ago: float, **data: Any) -> dict[str, Any]:
    at = START - timedelta(hours=hours_ago)
    return {**event(kind, number, **data), "id": f"{kind}-{number}", "time": at.isoformat()}


class Office:
    """A stack with events in it, and a place for files."""

    def __init__(self, box: Laptop, folder: Path) -> None:
        self.box = box
        self.folder = folder
        self.environment = {"AGENTMETER_HOME": str(box.stack.places.home)}
        self.err = io.StringIO()
        local = box.stack.places.home / "local.json"
        local.write_text(json.dumps(box.stack.describe()))

    def export(self, name: str, *argv: str, code: int = 0) -> str:
        out = io.StringIO()
        desk = Desk(Terminal(out, self.err), self.environment, self.box.clock)
        asked = ["export", "--from", SINCE, "--out", str(self.folder / name), *argv]
        assert main(asked, desk) == code, self.err.getvalue()
        return out.getvalue()

    def rows(self, what: str, name: str, then: str = "") -> list[tuple[Any, ...]]:
        """Ask a file that was made."""
        with duckdb.connect() as memory:
            source = f"'{self.folder / name}'"
            return memory.execute(f"SELECT {what} FROM {source} {then}").fetchall()  # noqa: S608 - our own words


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with laptop(tmp_path / "home", FakeClock(START)) as box:
        calls = [sent("llm.call", n, ago, team_id="search") for n, ago in enumerate(HOURS_AGO)]
        box.post([*calls, sent("revenue", 7, 2, pricing_tier='a "b", é', amount_usd="49.90")])
        box.clock.advance(minutes=5)
        yield Office(box, tmp_path)


def test_every_format_holds_every_event_once_at_its_own_time_with_its_cost(office: Office) -> None:
    for name in ("all.parquet", "all.csv", "all.jsonl"):
        said = office.export(name)
        assert said.startswith(f"{office.folder / name}: 5 events from 2026-11-01T00:00:00Z")
    at = [(START - timedelta(hours=ago)) for ago in sorted((*HOURS_AGO, 2), reverse=True)]

    moments = office.rows(
        "epoch_us(EventTime), typeof(EventTime)", "all.parquet", "ORDER BY EventTime"
    )
    assert moments == [(t.timestamp() * 1e6, "TIMESTAMP WITH TIME ZONE") for t in at]
    sums = office.rows("sum(CostUsd), sum(InputTokens), sum(AmountUsd)", "all.parquet")
    assert sums == [(pytest.approx(4 * 0.036), 4_000, 49.9)]
    assert office.rows("count(*)", "all.parquet", "WHERE TeamId IS NULL") == [(1,)]

    with (office.folder / "all.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert [datetime.fromisoformat(row["EventTime"]) for row in table] == at
    assert [row["PricingTier"] for row in table if row["PricingTier"]] == ['a "b", é']

    lines = (office.folder / "all.jsonl").read_text(encoding="utf-8").splitlines()
    assert [row["EventId"] for row in map(json.loads, lines)] == [row["EventId"] for row in table]
    assert not list(office.folder.glob("*.parts")) + list(office.folder.glob("*.tmp"))


def test_kinds_and_the_end_can_be_chosen_and_machines_get_json(office: Office) -> None:
    end = (START - timedelta(hours=20)).isoformat()
    said = json.loads(office.export("c.jsonl", "--kind", "llm.call", "--to", end, "--json"))
    assert (said["events"], said["to"]) == (3, "2026-11-22T16:30:00Z")
    assert json.loads(office.export("r.jsonl", "--kind", "revenue", "--json"))["events"] == 1


@pytest.mark.parametrize("name", ["none.parquet", "none.csv", "none.jsonl"])
def test_a_period_without_events_is_a_file_without_rows(office: Office, name: str) -> None:
    office.export(name, "--to", "2026-11-02")
    if name.endswith("jsonl"):
        assert (office.folder / name).read_bytes() == b""
        return
    assert office.rows("count(EventTime), count(Name), count(CostUsd)", name) == [(0, 0, 0)]


class Dies:
    """A log that is not there any more after some answers."""

    def __init__(self, office: Office, answers: int) -> None:
        self._log = find_monitor(office.environment).log
        self.answers = answers
        self.asked = 0

    def query(self, kql: str, start: datetime, end: datetime) -> Table:
        self.asked += 1
        if self.asked > self.answers:
            raise ConnectionAbortedError
        return self._log.query(kql, start, end)


def test_what_was_stopped_goes_on_where_it_was(office: Office) -> None:
    folder = office.folder / "big.parts"
    wanted = Wanted(log="x", start=START - timedelta(days=20), end=None, kinds=())

    def run(answers: int, now: datetime) -> tuple[int, list[str]]:
        log = Dies(office, answers)
        paging = Paging(log, office.box.clock, export.rows_of(()), page_rows=1)
        parts = open_parts(folder, wanted, now, paging.pages)
        for page in parts.missing():
            parts.write(page, paging.ask(export.KEPT, page.period))
        lines = "".join(path.read_text() for path in parts.files).splitlines()
        return log.asked, [json.loads(line)["EventId"] for line in lines]

    with pytest.raises(ConnectionAbortedError):
        run(answers=4, now=office.box.clock.now())
    office.box.post([sent("llm.call", 99, -0.2)])
    asked, ids = run(answers=9, now=office.box.clock.now() + timedelta(hours=1))
    assert asked == 2
    assert ids == ["llm.call-3", "llm.call-2", "llm.call-1", "revenue-7", "llm.call-0"]
    with pytest.raises(Misconfigured, match="parts of another export"):
        open_parts(folder, wanted.model_copy(update={"kinds": ("error",)}), START, lambda _: [])


def test_what_cannot_be_done_says_what_can(office: Office) -> None:
    office.export("file.xlsx", code=2)
    assert "add --format" in office.err.getvalue()
    office.export("none.csv", "--to", "2026-10-01", code=2)
    assert "Swap them" in office.err.getvalue()
    office.export("no/such/folder.csv", code=0)
    (office.folder / "file").write_text("")
    office.export("file/below.csv", code=2)
    assert "Name another --out" in office.err.getvalue()


def test_a_busy_log_is_asked_again_after_as_long_as_it_wants() -> None:
    clock, notes = FakeClock(START), list[str]()

    refusals = [RetryLater("Busy."), RetryLater("Busy.", 7.0)]

    class Busy:
        def query(self, kql: str, start: datetime, end: datetime) -> Table:
            if refusals:
                raise refusals.pop()
            return Table(("a",), ((1,),))

    waits: list[float] = []
    log = PatientLog(Busy(), clock, waits.append, notes.append)
    assert log.query("x", START, START).rows == ((1,),)
    assert waits == [7.0, 14.0]
    assert notes == ["Busy. Asking again in 7 s.", "Busy. Asking again in 14 s."]


def test_a_log_that_stays_away_is_not_waited_for_without_end() -> None:
    clock = FakeClock(START)

    class Away:
        def query(self, kql: str, start: datetime, end: datetime) -> Table:
            raise RetryLater("Away.")

    log = PatientLog(Away(), clock, lambda s: clock.advance(seconds=s), lambda _: None)
    with pytest.raises(RetryLater):
        log.query("x", START, START)
    assert timedelta(minutes=3) <= clock.now() - START < timedelta(minutes=4)
