"""What a budget's rules say of known costs, period after period, through real KQL."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.adapters.config.config_folder import read_routes
from shared.alerting.budget import Budget, parse_budgets
from shared.alerting.budget_rules import rules_of
from shared.errors import RetryLater
from shared.events.columns import ADJUSTMENT, COLUMNS
from shared.ports import Table
from shared.usecases.evaluation.evaluate import Evaluate
from standin.monitor.store import MonitorStore
from tests.fakes import FakeClock
from tests.in_memory import MemoryAlerts
from tests.monitor import event

ROUTES = read_routes(Path(__file__).parents[2] / "config")
OCTOBER = datetime(2026, 9, 30, 22, tzinfo=UTC)
"""The beginning of the month in Berlin; it has 745 hours."""
NOVEMBER = OCTOBER + timedelta(hours=745)
MINUTES = timedelta(minutes=1)
HOURS = timedelta(hours=1)
DAYS = timedelta(days=1)
STORED = {column.key: column.stored for column in COLUMNS}
MONTHLY = """
[[budget]]
name = "b"
amount_usd = 100
period = "month"
timezone = "Europe/Berlin"
"""
THRESHOLDS = MONTHLY + "forecast = false\nburn = false\n"


@dataclass
class StoreLog:
    """The stand-in, asked as Log Analytics is; or no answer. It is taken for fresh."""

    store: MonitorStore
    silent: bool = False

    def query(self, kql: str, start: datetime, end: datetime) -> Table:
        if self.silent:
            raise RetryLater("no answer")
        if kql.startswith("union"):
            return Table(("value",), ((1,),))
        answer = self.store.query(kql, start, end)
        return Table(answer.columns, answer.rows)


@dataclass
class World:
    """Costs that are exported, and an evaluator that is called at chosen times."""

    budget: Budget
    clock: FakeClock
    store: MonitorStore
    log: StoreLog
    alerts: MemoryAlerts = field(default_factory=MemoryAlerts)
    spent: int = 0

    def spend(self, usd: float | None, at: datetime, name: str = "llm.call", **text: str) -> None:
        self.clock.advance(seconds=(at - self.clock.now()).total_seconds())
        self.spent += 1
        identity = {"id": str(self.spent), "source": "tests"}
        stored = {STORED[name]: value for name, value in (identity | text).items()}
        self.store.track([event(stored, {} if usd is None else {"usd": usd}, at, name)])

    def tick(self, at: datetime) -> list[str]:
        """Return what is told: "+50" opens an incident, "-50" resolves it, "~50" tells more."""
        evaluate = Evaluate(
            lambda: rules_of(self.budget), self.log, self.alerts, lambda: ROUTES, "d", ""
        )
        is_open = {record.rule for record in self.alerts.load_all() if record.incidents}
        paged: list[str] = []
        for page in (page for item in evaluate.tick(at).rules for page in item.pages):
            part = page.rule.split("_")[2].split("/")[0]
            if page.action == "trigger":
                paged.append(f"{'~' if page.rule in is_open else '+'}{part}")
            elif page.rule in is_open:  # else it is said once more, to be sure
                paged.append(f"-{part}")
        return paged

    def settle(self, at: datetime) -> list[str]:
        """Tick at that time and in the minute after, when what waits for its group is told."""
        return sorted(self.tick(at) + self.tick(at + MINUTES))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(OCTOBER)


@pytest.fixture
def store(clock: FakeClock) -> Iterator[MonitorStore]:
    made = MonitorStore(None, clock)
    yield made
    made.close()


def world(text: str, clock: FakeClock, store: MonitorStore) -> World:
    (budget,) = parse_budgets(text, "budgets.toml")
    return World(budget, clock, store, StoreLog(store))


def test_each_threshold_is_reported_once_a_period_and_resolved_at_the_next(
    clock: FakeClock, store: MonitorStore
) -> None:
    it = world(THRESHOLDS, clock, store)
    it.spend(1000, OCTOBER - MINUTES)  # of September
    assert it.settle(OCTOBER) == []
    it.spend(49.999999, OCTOBER)
    assert it.settle(OCTOBER + DAYS) == []
    it.spend(0.000001, OCTOBER + DAYS + 2 * MINUTES)
    assert it.settle(OCTOBER + DAYS + 10 * MINUTES) == ["+50"]
    it.spend(30, OCTOBER + 2 * DAYS)
    assert it.settle(OCTOBER + 2 * DAYS + 10 * MINUTES) == ["+80"]
    it.spend(500, OCTOBER + 3 * DAYS)
    assert it.settle(OCTOBER + 3 * DAYS + 10 * MINUTES) == ["+100"]
    quiet = [it.tick(NOVEMBER - n * 2 * DAYS) for n in range(12, 0, -1)]
    assert quiet == [[]] * 12
    assert it.tick(NOVEMBER - 5 * MINUTES) == []
    assert sorted(it.tick(NOVEMBER)) == ["-100", "-50", "-80"]

    it.spend(81, NOVEMBER)
    assert it.settle(NOVEMBER + 5 * MINUTES) == ["+50", "+80"]


def test_a_cost_that_comes_late_fires_late_and_once(clock: FakeClock, store: MonitorStore) -> None:
    it = world(THRESHOLDS, clock, store)
    assert it.settle(OCTOBER + DAYS) == []
    it.spend(60, OCTOBER + HOURS)
    assert it.settle(OCTOBER + DAYS + 5 * MINUTES) == ["+50"]
    it.spend(1, OCTOBER + HOURS)
    assert it.settle(OCTOBER + DAYS + 10 * MINUTES) == []
    it.spend(99, NOVEMBER + HOURS, occurred_at=(OCTOBER + HOURS).isoformat())
    assert it.settle(NOVEMBER + 2 * HOURS) == ["-50"]


def test_no_answer_resolves_nothing_even_when_the_period_ends(
    clock: FakeClock, store: MonitorStore
) -> None:
    it = world(THRESHOLDS, clock, store)
    it.spend(60, OCTOBER)
    assert it.settle(NOVEMBER - HOURS) == ["+50"]
    it.log.silent = True
    assert [it.tick(NOVEMBER + n * 5 * MINUTES) for n in range(20)] == [[]] * 20
    it.log.silent = False
    assert it.settle(NOVEMBER + 2 * HOURS) == ["-50"]


def test_a_period_that_begins_over_its_threshold_after_an_outage_is_reported(
    clock: FakeClock, store: MonitorStore
) -> None:
    it = world(THRESHOLDS, clock, store)
    it.spend(60, OCTOBER)
    assert it.settle(NOVEMBER - HOURS) == ["+50"]
    it.spend(70, NOVEMBER)
    assert it.settle(NOVEMBER + 6 * HOURS) == ["~50"]


def test_a_small_correction_resolves_nothing_and_a_large_one_does(
    clock: FakeClock, store: MonitorStore
) -> None:
    it = world(THRESHOLDS, clock, store)
    it.spend(50, OCTOBER)
    assert it.settle(OCTOBER + DAYS) == ["+50"]
    it.spend(-4, OCTOBER + DAYS, ADJUSTMENT, occurred_at=OCTOBER.isoformat())
    assert it.settle(OCTOBER + 2 * DAYS) == []
    it.spend(-4, OCTOBER + 2 * DAYS, ADJUSTMENT, occurred_at=OCTOBER.isoformat())
    assert it.settle(OCTOBER + 3 * DAYS) == ["-50"]
    it.spend(9, OCTOBER + 3 * DAYS, ADJUSTMENT, occurred_at=(OCTOBER - HOURS).isoformat())
    assert it.settle(OCTOBER + 4 * DAYS) == []  # what September is corrected by


def test_a_budget_that_is_raised_is_no_longer_reached(
    clock: FakeClock, store: MonitorStore
) -> None:
    it = world(THRESHOLDS, clock, store)
    it.spend(85, OCTOBER)
    assert it.settle(OCTOBER + DAYS) == ["+50", "+80"]
    (it.budget,) = parse_budgets(THRESHOLDS.replace("100", "150"), "budgets.toml")
    assert it.settle(OCTOBER + DAYS + 5 * MINUTES) == ["-80"]


HOSTILE = "a\"b\\c' or 1 == 1 // {start} {end} ago(1h) | take 1"


@pytest.mark.parametrize(
    ("scope", "usd"),
    [
        ("{}", 31.0),
        ('{ team = "red" }', 3.0),
        ('{ team = ["red", "blue"] }', 7.0),
        ('{ team = "Red" }', 0.0),
        ('{ team = "" }', 16.0),
        ('{ team = "red", model = "m" }', 1.0),
        (f"{{ team = '''{HOSTILE}''' }}", 8.0),
        ("{ team = '\" or true or \"' }", 0.0),
        ("{ environment = 'prod' }", 16.0),
        ("{ agent = 'a', agent_type = 't', mission = 'm', provider = 'p', tenant = 'n' }", 2.0),
    ],
)
def test_only_what_the_scope_names_counts(
    scope: str, usd: float, clock: FakeClock, store: MonitorStore
) -> None:
    it = world(f"{THRESHOLDS}thresholds = {{ 1 = 'critical' }}\nscope = {scope}", clock, store)
    others = {"agent_id": "a", "agent_type": "t", "mission_id": "m", "provider": "p", "tenant": "n"}
    it.spend(1, OCTOBER, team_id="red", model="m")
    it.spend(2, OCTOBER, team_id="red", **others)
    it.spend(4, OCTOBER, team_id="blue")
    it.spend(8, OCTOBER, team_id=HOSTILE)
    it.spend(16, OCTOBER, environment="prod")
    it.spend(32, OCTOBER, "revenue", team_id="red")
    it.tick(OCTOBER + DAYS)
    values = [alert.value for r in it.alerts.load_all() for alert in r.series.values()]
    assert values == ([usd] if usd else [])


@pytest.mark.parametrize(
    ("hours", "usd", "paged"),
    [
        pytest.param(180, 90, [], id="too-early-to-say"),
        pytest.param(190, 25.5, [], id="just-within"),
        pytest.param(190, 25.6, ["+forecast"], id="just-over"),
        pytest.param(700, 93.9, [], id="late-and-within"),
        pytest.param(700, 94.0, ["+forecast"], id="late-and-over"),
    ],
)
def test_the_forecast_is_the_pace_so_far_to_the_end_of_the_period(
    hours: int, usd: float, paged: list[str], clock: FakeClock, store: MonitorStore
) -> None:
    it = world(f"{MONTHLY}burn = false\nthresholds = {{}}", clock, store)
    it.spend(usd, OCTOBER)
    assert it.settle(OCTOBER + hours * HOURS) == paged


def test_a_forecast_that_comes_right_is_resolved_and_so_is_one_whose_period_ends(
    clock: FakeClock, store: MonitorStore
) -> None:
    it = world(f"{MONTHLY}burn = false\nthresholds = {{}}", clock, store)
    it.spend(30, OCTOBER)
    assert it.settle(OCTOBER + 200 * HOURS) == ["+forecast"]
    assert it.settle(OCTOBER + 230 * HOURS) == []  # $97.17: under the amount, not clearly so
    assert it.settle(OCTOBER + 240 * HOURS) == ["-forecast"]
    it.spend(90, OCTOBER + 300 * HOURS)
    assert it.settle(OCTOBER + 301 * HOURS) == ["+forecast"]
    assert it.settle(NOVEMBER) == ["-forecast"]


@pytest.mark.parametrize(
    ("period", "hours", "usd"), [("month", 6, 5.0), ("week", 3, 10.0), ("day", 1, 25.0)]
)
def test_spend_that_is_too_fast_pages_before_a_threshold_does_and_ends_soon(
    period: str, hours: int, usd: float, clock: FakeClock, store: MonitorStore
) -> None:
    it = world(MONTHLY.replace("month", period) + "forecast = false\nthresholds = {}", clock, store)
    start = OCTOBER + 5 * DAYS
    slow = [start + n * hours * HOURS / 12 for n in range(12)]
    for at in slow:
        it.spend(usd / 12.1, at)
    assert it.tick(start + hours * HOURS) == []
    for at in slow:
        it.spend(usd / 12.1, at + hours * HOURS)
        it.spend(usd / 240, at + hours * HOURS)
    assert it.tick(start + 2 * hours * HOURS) == ["+burn"]
    assert it.tick(start + 2 * hours * HOURS + hours * HOURS / 12 + 5 * MINUTES) == ["-burn"]


def test_one_dear_call_is_no_pace(clock: FakeClock, store: MonitorStore) -> None:
    it = world(MONTHLY + "forecast = false", clock, store)
    it.spend(20, OCTOBER + DAYS)
    assert it.settle(OCTOBER + DAYS + HOURS) == []


def test_calls_without_a_price_keep_no_pace_up(clock: FakeClock, store: MonitorStore) -> None:
    it = world(MONTHLY + "forecast = false", clock, store)
    assert it.settle(OCTOBER + DAYS) == []
    it.spend(20, OCTOBER + DAYS + HOURS)
    it.spend(None, OCTOBER + DAYS + 2 * HOURS, cost_status="unknown")
    assert it.settle(OCTOBER + DAYS + 2 * HOURS + 5 * MINUTES) == []


def test_ten_dimes_are_a_dollar(clock: FakeClock, store: MonitorStore) -> None:
    it = world(THRESHOLDS.replace("100", "1") + "thresholds = { 100 = 'critical' }", clock, store)
    for _ in range(10):
        it.spend(0.1, OCTOBER)
    assert it.tick(OCTOBER + DAYS) == ["+100"]
