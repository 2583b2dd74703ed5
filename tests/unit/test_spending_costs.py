"""Costs against the truth of a ledger: for any question, the numbers are those of arithmetic."""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from shared.usecases.spending.bill import Bill
from shared.usecases.spending.buckets import Buckets, Width
from shared.usecases.spending.calls import CallList, CallQuestion
from shared.usecases.spending.costs import Costs
from shared.usecases.spending.period import Period, free
from shared.usecases.spending.question import Question, Scope
from tests.fakes import START
from tests.spending import Ledger, Paid, usd_of

BERLIN = ZoneInfo("Europe/Berlin")
WHOLE = Period(START - timedelta(days=40), START)
"""Clocks change in it."""


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return Ledger(seed=1, calls=1_500, days=45)


def within(period: Period) -> Callable[[Paid], bool]:
    return lambda one: period.start <= one.at < period.end


def ask(ledger: Ledger, question: Question) -> Bill:
    return Costs(ledger).spent(question, START)


def by_names(calls: list[Paid], by: tuple[str, ...]) -> dict[tuple[str | None, ...], list[Paid]]:
    groups: dict[tuple[str | None, ...], list[Paid]] = defaultdict(list)
    for one in calls:
        groups[tuple(one.name(name) or None for name in by)].append(one)
    return groups


@pytest.mark.parametrize(
    ("by", "scope"),
    [
        pytest.param(("team",), Scope(), id="one"),
        pytest.param(("agent", "model"), Scope(), id="two"),
        pytest.param(("cost_status",), Scope(), id="status after corrections"),
        pytest.param(("model", "cost_status"), Scope({"cost_status": ("unknown",)}), id="unknown"),
        pytest.param(("agent_type",), Scope({"team": ("Zürich", "")}), id="named none, too"),
        pytest.param(("team",), Scope({}, {"team": ('it\'s "odd", \\x', "red")}), id="excluded"),
        pytest.param(
            ("team", "model"), Scope({"agent_type": ("coder",)}, {"model": ("gpt-4",)}), id="both"
        ),
    ],
)
def test_rows_are_the_sums_of_their_calls(
    ledger: Ledger, by: tuple[str, ...], scope: Scope
) -> None:
    bill = ask(ledger, Question(WHOLE, by, scope))
    wanted = [
        one
        for one in filter(within(WHOLE), ledger.paid)
        if all(one.name(name) in values for name, values in scope.only.items())
        and not any(one.name(name) in values for name, values in scope.without.items())
    ]
    groups = by_names(wanted, by)
    assert {row.values: row.now.usd for row in bill.rows} == {
        names: usd_of(calls) for names, calls in groups.items()
    }
    for row in bill.rows:
        calls = groups[row.values]
        assert row.now.measures["calls"] == sum(one.count for one in calls)
        unpriced = sum(one.count for one in calls if one.usd is None)
        assert row.now.measures["unpriced_calls"] == unpriced
        tokens = sum(sum(one.tokens) for one in calls if one.usd is not None)
        assert row.now.priced_tokens == tokens
        missions = {one.names["mission"] for one in calls} - {""}
        assert row.missions is not None
        assert row.missions.count == len(missions)
    assert bill.total.now.usd == usd_of(wanted)
    assert (bill.rest, bill.next, bill.groups) == (None, None, len(groups))


@pytest.mark.slow
@pytest.mark.parametrize("width", ["hour", "day", "week", "month"])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kolkata", "UTC"])
def test_buckets_are_those_of_the_zone(ledger: Ledger, width: Width, zone: str) -> None:
    bill = ask(ledger, Question(WHOLE, ("team",), buckets=Buckets(width, zone)))
    truth: dict[str, dict[str | None, list[Paid]]] = defaultdict(lambda: defaultdict(list))
    for one in filter(within(WHOLE), ledger.paid):
        truth[local_bucket(one.at, width, ZoneInfo(zone))][one.name("team") or None].append(one)
    for row in bill.rows:
        for start, amount in zip(bill.buckets, row.series, strict=True):
            wanted = truth[local_bucket(start, width, ZoneInfo(zone))].get(row.values[0], [])
            assert (start, amount.usd) == (start, usd_of(wanted))
    assert (
        sum(one.measures["calls"] for row in bill.rows for one in row.series)
        == (bill.total.now.measures["calls"])
    )


def local_bucket(at: datetime, width: Width, zone: ZoneInfo) -> str:
    """Name the bucket as a calendar does."""
    local = at.astimezone(zone)
    match width:
        case "hour":
            return local.isoformat(timespec="hours") + str(local.utcoffset())
        case "day":
            return str(local.date())
        case "week":
            return str(local.isocalendar()[:2])
        case "month":
            return f"{local:%Y-%m}"


@pytest.mark.slow
def test_pages_and_the_rest_add_up_to_the_whole(ledger: Ledger) -> None:
    whole = ask(ledger, Question(WHOLE, ("agent", "team")))
    offset: int | None = 0
    seen: list[tuple[str | None, ...]] = []
    while offset is not None:
        question = Question(
            WHOLE, ("agent", "team"), buckets=Buckets("week", "UTC"), top=60, offset=offset
        )
        page = ask(ledger, question)
        seen += [row.values for row in page.rows]
        rest = page.rest.now.usd if page.rest else Decimal(0)
        assert sum(row.now.usd or 0 for row in page.rows) + (rest or 0) == whole.total.now.usd
        assert page.groups == whole.groups
        offset = page.next
    assert seen == [row.values for row in whole.rows]


def test_the_period_before_is_compared(ledger: Ledger) -> None:
    asked = free(Period(START - timedelta(days=4), START), START)
    bill = ask(ledger, Question(asked.period, ("agent",), before=asked.before, sort="change"))
    before = by_names(list(filter(within(asked.before), ledger.paid)), ("agent",))
    now = by_names(list(filter(within(asked.period), ledger.paid)), ("agent",))
    changes: list[Decimal] = []
    for row in bill.rows:
        assert row.before is not None
        assert (row.now.usd, row.before.usd) == (
            usd_of(now[row.values]),
            usd_of(before[row.values]),
        )
        new, gone = not before[row.values], not now[row.values]
        assert (row.trend == "new", row.trend == "gone") == (new, gone)
        changes.append(abs((row.now.usd or Decimal(0)) - (row.before.usd or 0)))
    assert changes == sorted(changes, reverse=True)
    assert {"new", "gone", "up", "down"} <= {row.trend for row in bill.rows}


def test_the_forecast_is_the_pace_so_far(ledger: Ledger) -> None:
    period = Period(START - timedelta(days=10), START + timedelta(days=20))
    spent = usd_of(filter(within(period), ledger.paid)) or 0
    assert ask(ledger, Question(period)).forecast_usd == spent * 3
    early = Period(START - timedelta(days=2), START + timedelta(days=28))
    assert ask(ledger, Question(early)).forecast_usd is None
    assert ask(ledger, Question(WHOLE)).forecast_usd is None


def test_unit_costs_count_only_what_has_a_price(ledger: Ledger) -> None:
    (row,) = ask(ledger, Question(WHOLE, ("model",), Scope({"model": ("gpt-4",)}))).rows
    calls = [one for one in filter(within(WHOLE), ledger.paid) if one.names["model"] == "gpt-4"]
    priced = [one for one in calls if one.usd is not None]
    usd = usd_of(calls) or Decimal(0)
    assert row.now.per_call_usd == usd / sum(one.count for one in priced)
    assert row.now.per_1k_tokens_usd == pytest.approx(
        1000 * usd / sum(sum(one.tokens) for one in priced)
    )
    on_missions = [one for one in calls if one.names["mission"]]
    missions = len({one.names["mission"] for one in on_missions})
    assert row.missions is not None
    assert row.missions.each_usd == (usd_of(on_missions) or 0) / missions


def test_calls_are_listed_with_their_last_cost(ledger: Ledger) -> None:
    scope = Scope({"team": ("Zürich",)})
    first = CallList(ledger).find(CallQuestion(WHOLE, scope, top=20), START)
    then = CallList(ledger).find(CallQuestion(WHOLE, scope, top=20, offset=20), START)
    wanted = [one for one in filter(within(WHOLE), ledger.paid) if one.names["team"] == "Zürich"]
    dearest = sorted((one.usd for one in wanted if one.usd is not None), reverse=True)
    listed = [row["cost_usd"] for row in (*first.rows, *then.rows)]
    assert listed == [float(usd) for usd in dearest[:40]]
    assert first.count == len(wanted)
    last = CallList(ledger).find(CallQuestion(WHOLE, scope, "time", ascending=True), START)
    assert [row["at"] for row in last.rows] == sorted(one.at for one in wanted)[:100]
