"""`ops reprice` on the laptop's stack: prices change, the log is corrected, the sums are right."""

import io
import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ops.__main__ import main
from ops.console.command import Desk
from ops.console.monitor import find_monitor
from ops.console.terminal import Terminal
from shared.adapters.config.config_folder import read_prices
from shared.ports import Exporter
from shared.rows import EventRow, ExportOutcome, FailureRow, MetricRow, SpanRow
from shared.usecases.spending.adjustment import Note
from shared.usecases.spending.period import Period
from shared.usecases.spending.reprice import Adjust, Reprice
from tests.factories import event
from tests.fakes import START, FakeClock
from tests.journeys.laptop import Laptop, laptop

SINCE = "2026-11-01"
CONTRACT = """
[[price]]
provider = "openai"
model = "gpt-4"
from = 2026-11-20
source = "contract 8"
input = 20
output = 40

[[price]]
provider = "openai"
model = "house-1"
from = 2026-01-01
source = "GPU pool"
input = 0.5
output = 1
"""
HOURS_AGO = (1, 30, 24 * 2.5, 24 * 4, 24 * 15)
"""Azure takes the first two at their own time; the last two are before the contract."""


def call(model: str, number: int, hours_ago: float, **data: Any) -> dict[str, Any]:
    usage = {"input_tokens": 100_000, "output_tokens": 10_000}
    sent = event("llm.call", number, **({"model": model, "usage": usage} | data))
    at = START - timedelta(hours=hours_ago)
    return {**sent, "id": f"{model}-{number}", "time": at.isoformat()}


class Office:
    """A stack with calls in it, and an operator with a prices.toml of his own."""

    def __init__(self, box: Laptop, config: Path) -> None:
        self.box = box
        self.config = config
        self.environment = {"AGENTMETER_HOME": str(box.stack.places.home), "USER": "ada"}
        self.err = io.StringIO()
        local = box.stack.places.home / "local.json"
        local.write_text(json.dumps(box.stack.describe()))

    def prices(self, text: str) -> None:
        self.config.mkdir(exist_ok=True)
        (self.config / "prices.toml").write_text(text)

    def reprice(self, *argv: str) -> dict[str, Any]:
        """Run the command a minute later; return what it says."""
        self.box.clock.advance(minutes=1)
        out = io.StringIO()
        desk = Desk(Terminal(out, self.err), self.environment, self.box.clock)
        common = ("--from", SINCE, "--config", str(self.config), "--json")
        assert main(["reprice", *common, *argv], desk) == 0, self.err.getvalue()
        return json.loads(out.getvalue())

    def costs(self, query: str = "") -> dict[str, Any]:
        return self.box.get(f"/api/costs?from={SINCE}&{query}").json()

    def by_model(self) -> dict[str, float | None]:
        return {row["model"]: row["cost_usd"] for row in self.costs()["rows"]}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with laptop(tmp_path / "home", FakeClock(START)) as box:
        box.post(
            [
                *(call("gpt-4", n, ago, team_id="red") for n, ago in enumerate(HOURS_AGO)),
                call("house-1", 1, 2, team_id="blue", count=3),
                call("house-1", 2, 24 * 9, team_id="blue"),
                call("gpt-4o", 1, 3, team_id="red"),
            ]
        )
        yield Office(box, tmp_path / "config")


BEFORE = {"gpt-4": 18.0, "gpt-4o": 0.35, "house-1": None}  # 5 times 3.6
AFTER = {"gpt-4": 14.4, "gpt-4o": 0.35, "house-1": 0.12}  # 2 times 3.6 and 3 times 2.4


def test_a_corrected_price_changes_the_sums_and_no_count(office: Office) -> None:
    before = office.costs()
    assert office.by_model() == BEFORE
    assert (before["unpriced_calls"], before["unpriced"][0]["calls"]) == (4, 4)

    office.prices(CONTRACT)
    dry = office.reprice("--dry-run")
    assert (dry["adjustments"], dry["dry_run"]) == (5, True)
    assert office.costs()["rows"] == before["rows"]

    done = office.reprice("--reason", "contract 8 came late")
    assert done == {**dry, "dry_run": False, "to": done["to"]}
    assert (done["calls"], done["changed"], done["adjustments"]) == (10, 7, 5)
    assert (done["old_usd"], done["new_usd"], done["difference_usd"]) == ("18.35", "14.87", "-3.48")
    assert (done["unpriced_before"], done["unpriced_after"]) == (4, 0)

    after = office.costs()
    assert office.by_model() == AFTER
    assert after["total_usd"] == 14.87
    assert (after["unpriced"], after["unpriced_calls"]) == ([], 0)
    for name in ("calls", "input_tokens", "output_tokens"):
        assert after[name] == before[name]


def test_a_repeat_writes_nothing(office: Office) -> None:
    office.prices(CONTRACT)
    office.reprice()
    answer = office.costs()
    again = office.reprice()
    assert (again["adjustments"], again["changed"], again["difference_usd"]) == (0, 0, "0")
    assert office.costs()["rows"] == answer["rows"]


def test_every_dimension_and_every_day_is_corrected(office: Office) -> None:
    office.prices(CONTRACT)
    office.reprice()
    teams = {row["team"]: row["cost_usd"] for row in office.costs("by=team")["rows"]}
    assert teams == {"red": 14.75, "blue": 0.12}
    day = office.costs("to=2026-11-15")["rows"]  # the calls of 9 and 15 days ago
    assert {row["model"]: row["cost_usd"] for row in day} == {"gpt-4": 3.6, "house-1": 0.06}


def test_the_audit_trail_says_old_new_why_and_who(office: Office) -> None:
    office.prices(CONTRACT)
    office.reprice("--reason", "contract 8 came late")
    kql = (
        'UsageEvents | where Name == "cost.adjustment" | order by Adjusts asc, OccurredAt asc '
        "| project Adjusts, Source, OldCostStatus, OldCostUsd, CostStatus, NewCostUsd, Reason, Who,"
        " Count, AdjustedCount, TeamId"
    )
    said = ("contract 8 came late", "ada", 0)
    rows = [tuple(row) for row in office.box.query(kql)]
    assert ("gpt-4-2", "tests", "known", "3.6", "overridden", "2.4", *said, 1, "red") in rows
    assert ("house-1-1", "tests", "unknown", "", "overridden", "0.06", *said, 3, "blue") in rows
    assert len(rows) == 5


def test_prices_that_go_to_and_fro_end_where_they_should(office: Office) -> None:
    for _ in range(2):
        office.prices(CONTRACT)
        office.reprice()
        assert office.by_model() == AFTER
        office.prices("")
        office.reprice()
        assert office.by_model() == BEFORE
        (unpriced,) = office.costs()["unpriced"]
        assert (unpriced["calls"], unpriced["input_tokens"]) == (4, 200_000)


def test_only_the_period_is_corrected(office: Office) -> None:
    office.prices(CONTRACT)
    answer = office.reprice("--to", "2026-11-22")
    assert answer["calls"] == 4  # gpt-4 of 2.5, 4 and 15 days ago, house-1 of 9 days ago
    assert answer["adjustments"] == 2


def test_an_estimate_that_became_exact_is_one_no_more(office: Office) -> None:
    office.prices("")
    spoken = {"input_tokens": 1000, "audio_input_tokens": 1000}
    office.box.post([call("gpt-4", 50, 3, count=2, usage=spoken, mission_id="m")])
    mission = "by=mission"
    assert office.costs(mission)["estimated_calls"] == 2
    office.prices(CONTRACT.replace("output = 40", "output = 40\naudio_input = 100"))
    office.reprice()
    answer = office.costs(mission)
    (row,) = [row for row in answer["rows"] if row["mission"] == "m"]
    assert (row["cost_usd"], row["calls"], row["estimated_calls"]) == (0.1, 2, 0)


class Dying:
    """Sends what it is told of the rows; then the process is gone."""

    def __init__(self, real: Exporter, rows: int) -> None:
        self._real = real
        self._rows = rows

    def events(self, rows: Sequence[EventRow]) -> Sequence[ExportOutcome]:
        """Send some and die before anybody hears of it."""
        self._real.events(rows[: self._rows])
        raise SystemExit(137)

    def metrics(self, rows: Sequence[MetricRow]) -> Sequence[ExportOutcome]:
        """Send none."""
        raise SystemExit(137)

    def spans(self, rows: Sequence[SpanRow]) -> Sequence[ExportOutcome]:
        """Send none."""
        raise SystemExit(137)

    def failures(self, rows: Sequence[FailureRow]) -> Sequence[ExportOutcome]:
        """Send none."""
        raise SystemExit(137)


@pytest.mark.parametrize("sent", [0, 2, 5])
def test_a_run_that_dies_is_finished_by_the_next(office: Office, sent: int) -> None:
    office.prices(CONTRACT)
    monitor = find_monitor(office.environment)
    clock = office.box.clock
    reprice = Reprice(monitor.log, read_prices(office.config), clock)
    note = Note("first try", "ada", clock.now())
    adjust = Adjust(Dying(monitor.exporter, sent), clock, note, lambda seconds: None)
    (page,) = reprice.pages(Period(START - timedelta(days=20), START))
    with pytest.raises(SystemExit):
        adjust.write([one for one in reprice.judge(page).calls if one.differs])

    assert office.reprice()["adjustments"] == 5 - sent
    assert office.by_model() == AFTER
    assert office.costs()["unpriced"] == []


def test_two_runs_that_do_not_see_each_other_count_once(office: Office) -> None:
    """Azure shows rows minutes after it has taken them."""
    monitor, clock = find_monitor(office.environment), office.box.clock
    office.prices(CONTRACT.replace("input = 20", "input = 25"))
    blind = Reprice(monitor.log, read_prices(office.config), clock)
    (page,) = blind.pages(Period(START - timedelta(days=20), START))
    seen_first = [one for one in blind.judge(page).calls if one.differs]
    office.prices(CONTRACT)
    right = Reprice(monitor.log, read_prices(office.config), clock)
    seen_too = [one for one in right.judge(page).calls if one.differs]

    for number, differing in enumerate((seen_first, seen_too, seen_too)):
        note = Note("", "ada", START + timedelta(minutes=number))
        assert Adjust(monitor.exporter, clock, note, lambda s: None).write(differing) == []
    assert office.by_model() == AFTER
    assert office.reprice()["adjustments"] == 0


def test_a_busy_azure_is_asked_again_and_nothing_doubles(office: Office) -> None:
    office.prices(CONTRACT)
    faults = {"track": {"status": 503, "times": 2}}
    office.box.http.post(f"{office.box.stack.query_url}/faults", json=faults, timeout=30)
    monitor, clock = find_monitor(office.environment), office.box.clock
    reprice = Reprice(monitor.log, read_prices(office.config), clock)
    (page,) = reprice.pages(Period(START - timedelta(days=20), START))
    waits: list[float] = []
    adjust = Adjust(monitor.exporter, clock, Note("", "ada", START), waits.append)
    assert adjust.write([one for one in reprice.judge(page).calls if one.differs]) == []
    assert waits == [1.0, 2.0]
    assert office.by_model() == AFTER


def test_pages_are_cut_by_time_and_lose_no_row(office: Office) -> None:
    office.box.post([call("gpt-4o", 100 + n, 5 + n / 3600) for n in range(40)])
    monitor, clock = find_monitor(office.environment), office.box.clock
    office.prices(CONTRACT)
    prices = read_prices(office.config)
    period = Period(START - timedelta(days=20), START)
    whole = Reprice(monitor.log, prices, clock)
    cut = Reprice(monitor.log, prices, clock, page_rows=3)
    pages = cut.pages(period)
    assert max(page.rows for page in pages) == 3
    assert sum(page.rows for page in pages) == 48
    found = [one.recorded.id for page in pages for one in cut.judge(page).calls]
    (page,) = whole.pages(period)
    assert sorted(found) == sorted(one.recorded.id for one in whole.judge(page).calls)


def test_a_person_sees_a_table_by_model(office: Office) -> None:
    office.prices(CONTRACT)
    out = io.StringIO()
    desk = Desk(Terminal(out, office.err), office.environment, office.box.clock)
    argv = ["reprice", "--from", SINCE, "--config", str(office.config), "--dry-run"]
    assert main(argv, desk) == 0
    lines = [line.split() for line in out.getvalue().splitlines()]
    assert lines[1] == ["openai", "gpt-4", "5", "3", "18", "14.4", "-3.6", "0", "0"]
    assert lines[-2] == ["all", "10", "7", "18.35", "14.87", "-3.48", "4", "0"]
    assert out.getvalue().endswith("5 adjustments would be written (--dry-run)\n")
    assert "rows read: 8 of 8" in office.err.getvalue()
