"""What every store of alerts promises."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.alerting.page import Accepted, Dead, Later, Page
from shared.alerting.record import Incident, Resolved, RuleRecord, SeriesAlert, Transition
from shared.errors import RetryLater
from shared.storage import outbox
from tests.contract.alert_pages import COSTS, ERRORS, NOON, ids, page, store_pages
from tests.contract.stores import OpenStores, Stores

INCIDENT = Incident("dev/costs", "critical", NOON, NOON + timedelta(minutes=1), ("a", "b"))


def record(series: int = 2) -> RuleRecord:
    """Return a record with something in every field."""
    alerts = {
        f"{n:032x}": SeriesAlert(
            {"provider": "openai", "model": f"gpt-{n}"}, "firing", NOON, n / 3, NOON, n % 2
        )
        for n in range(series)
    }
    return RuleRecord(
        COSTS,
        series=alerts,
        incidents={"": INCIDENT},
        last_at=NOON,
        last_good_at=NOON - timedelta(minutes=1),
        errors=3,
        last_error="no answer: “timeout”",
        transitions=(Transition(NOON, {"model": "gpt-1"}, "cancelled", None, "no data"),),
        resolved={f"{0:012x}": Resolved(INCIDENT, NOON)},
    )


def test_a_rule_that_was_never_stored_has_a_fresh_record(stores: Stores) -> None:
    assert stores.alerts.load(COSTS) == RuleRecord(COSTS)
    assert list(stores.alerts.load_all()) == []


def test_a_record_comes_back_as_it_was_stored(open_stores: OpenStores) -> None:
    saved = open_stores().alerts.save(record(), [])
    assert saved == replace(record(), version=1)
    assert open_stores().alerts.load(COSTS) == saved


def test_a_record_of_2000_series_comes_back_as_it_was_stored(open_stores: OpenStores) -> None:
    saved = open_stores().alerts.save(record(series=2000), [])
    assert open_stores().alerts.load(COSTS) == saved
    fewer = open_stores().alerts.save(replace(saved, series={}), [])
    assert open_stores().alerts.load(COSTS) == fewer


@pytest.mark.parametrize("value", [float("inf"), float("-inf")])
def test_a_value_without_end_comes_back_too(open_stores: OpenStores, value: float) -> None:
    alert = SeriesAlert({}, "pending", NOON, value)
    saved = open_stores().alerts.save(RuleRecord(COSTS, series={"f": alert}), [])
    assert open_stores().alerts.load(COSTS) == saved


def test_every_rule_that_has_a_record_is_loaded(stores: Stores) -> None:
    costs = stores.alerts.save(RuleRecord(COSTS), [page(1)])
    errors = stores.alerts.save(RuleRecord(ERRORS, errors=2), [])
    assert list(stores.alerts.load_all()) == [errors, costs]


def test_each_save_counts_the_version_up(stores: Stores) -> None:
    first = stores.alerts.save(RuleRecord(COSTS), [])
    second = stores.alerts.save(replace(first, errors=1), [])
    assert (first.version, second.version) == (1, 2)
    assert stores.alerts.load(COSTS) == second


@pytest.mark.parametrize("version", [0, 1, 3])
def test_of_two_that_loaded_the_same_version_one_saves(stores: Stores, version: int) -> None:
    first = stores.alerts.save(RuleRecord(COSTS), [])
    stored = stores.alerts.save(first, [])
    with pytest.raises(RetryLater, match="HighHourlyCosts/critical at the same time; the next"):
        stores.alerts.save(RuleRecord(COSTS, version=version, errors=9), [page(1)])
    assert stores.alerts.load(COSTS) == stored
    assert list(stores.alerts.waiting()) == []


def test_a_record_that_was_never_stored_has_no_later_version(stores: Stores) -> None:
    with pytest.raises(RetryLater):
        stores.alerts.save(RuleRecord(COSTS, version=4), [])
    assert stores.alerts.load(COSTS) == RuleRecord(COSTS)


def test_many_evaluators_at_once_lose_no_page_and_store_none_twice(
    open_stores: OpenStores,
) -> None:
    instances = [open_stores() for _ in range(4)]

    def evaluate(number: int) -> list[str]:
        kept: list[str] = []
        for n in range(4):
            new = page(number * 10 + n)
            try:
                alerts = instances[number].alerts
                alerts.save(alerts.load(COSTS), [new])
                kept.append(new.id)
            except RetryLater:
                continue
        return kept

    with ThreadPoolExecutor(4) as threads:
        kept = sorted(each for some in threads.map(evaluate, range(4)) for each in some)
    alerts = open_stores().alerts
    assert ids(alerts.waiting()) == kept
    assert alerts.load(COSTS).version == len(kept) >= 4


@pytest.mark.parametrize(
    "pages",
    [
        pytest.param([page(3), page(1)], id="one-is-stored-already"),
        pytest.param([page(2), page(2)], id="twice-in-one-save"),
    ],
)
def test_a_page_that_cannot_be_stored_leaves_the_record_as_it_was(
    stores: Stores, pages: list[Page]
) -> None:
    saved = stores.alerts.save(RuleRecord(COSTS), [page(1)])
    with pytest.raises(RetryLater):
        stores.alerts.save(replace(saved, errors=7), pages)
    assert stores.alerts.load(COSTS) == saved
    assert list(stores.alerts.waiting()) == [page(1)]


def test_a_page_comes_back_as_it_was_decided(open_stores: OpenStores) -> None:
    store_pages(open_stores().alerts, page(1))
    assert list(open_stores().alerts.waiting()) == [page(1)]
    assert list(open_stores().alerts.due(NOON, most=10)) == [page(1)]


def test_pages_of_one_incident_go_out_one_at_a_time_in_order(stores: Stores) -> None:
    store_pages(stores.alerts, page(2), page(1), page(3))
    for number in (1, 2, 3):
        (first,) = stores.alerts.due(NOON, most=10)
        assert first == page(number)
        stores.alerts.settle(first, Accepted(202), NOON)
    assert list(stores.alerts.due(NOON, most=10)) == []


def test_a_page_that_is_not_due_holds_back_the_later_ones_of_its_incident(stores: Stores) -> None:
    store_pages(
        stores.alerts, page(1, due_s=60), page(2), page(3, ERRORS), page(4, ERRORS, due_s=60)
    )
    assert ids(stores.alerts.due(NOON, most=10)) == ids([page(3, ERRORS)])
    minute_later = NOON + timedelta(seconds=60)
    assert ids(stores.alerts.due(minute_later, most=10)) == ids([page(1), page(3, ERRORS)])


def test_an_incident_of_several_rules_has_one_line(stores: Stores) -> None:
    store_pages(stores.alerts, page(1, COSTS, "shared"), page(2, ERRORS, "shared"))
    assert ids(stores.alerts.due(NOON, most=10)) == ids([page(1)])


def test_the_oldest_are_due_first_and_no_more_than_asked_for(stores: Stores) -> None:
    store_pages(stores.alerts, *(page(n, incident=f"i-{n}") for n in (4, 2, 3, 1)))
    assert ids(stores.alerts.due(NOON, most=2)) == ids([page(1), page(2)])


def test_a_failed_attempt_waits_and_is_counted(open_stores: OpenStores) -> None:
    alerts = open_stores().alerts
    store_pages(alerts, page(1), page(2))
    until = NOON + timedelta(seconds=30)
    alerts.settle(page(1), Later("503 Service Unavailable", 30.0), until)
    assert list(alerts.due(until - timedelta(seconds=1), most=10)) == []
    (again,) = open_stores().alerts.due(until, most=10)
    said = "503 Service Unavailable"
    assert again == replace(
        page(1), attempts=1, last_status=said, not_before=until, cause="unclear"
    )
    alerts.settle(again, Later("timeout"), until)
    assert alerts.due(until, most=10)[0].attempts == 2
    assert list(alerts.history(10)) == []


def test_accepted_and_dead_pages_leave_the_outbox_for_the_history(
    open_stores: OpenStores,
) -> None:
    alerts = open_stores().alerts
    store_pages(alerts, page(1), page(2, ERRORS), page(3))
    first, second = NOON + timedelta(seconds=10), NOON + timedelta(seconds=20)
    alerts.settle(page(1), Accepted(202), first)
    alerts.settle(page(2, ERRORS), Dead("400 Event object is invalid"), second)
    assert list(alerts.waiting()) == [page(3)]
    dead, accepted = open_stores().alerts.history(10)
    assert accepted[1:] == (Accepted(202), first)
    assert dead[1:] == (Dead("400 Event object is invalid"), second)
    assert (accepted[0].id, accepted[0].attempts, accepted[0].last_status) == (page(1).id, 1, "202")
    assert list(alerts.history(1)) == [dead]


def test_the_history_keeps_the_latest_pages_of_all_rules(
    monkeypatch: pytest.MonkeyPatch, open_stores: OpenStores
) -> None:
    monkeypatch.setattr(outbox, "HISTORY_KEPT", 3)
    alerts = open_stores().alerts
    pages = [page(n, rule) for n, rule in enumerate([ERRORS, COSTS, COSTS, ERRORS, COSTS])]
    store_pages(alerts, *pages)
    for minute, number in enumerate([1, 0, 2, 3, 4]):
        alerts.settle(pages[number], Accepted(202), NOON + timedelta(minutes=minute))
    assert [kept.id for kept, _, _ in alerts.history(10)] == ids([pages[4], pages[3], pages[2]])


def test_settling_a_page_that_has_left_changes_nothing(stores: Stores) -> None:
    store_pages(stores.alerts, page(1))
    stores.alerts.settle(page(1), Accepted(202), NOON)
    before = list(stores.alerts.history(10))
    for outcome in (Later("timeout"), Dead("404"), Accepted(200)):
        stores.alerts.settle(page(1), outcome, NOON + timedelta(minutes=1))
    assert list(stores.alerts.waiting()) == []
    assert list(stores.alerts.history(10)) == before


def test_settling_a_page_leaves_the_record_and_its_version(stores: Stores) -> None:
    saved = stores.alerts.save(record(), [page(1)])
    stores.alerts.settle(page(1), Accepted(202), NOON)
    assert stores.alerts.save(saved, []).version == 2


def test_many_pages_of_one_rule_are_stored_together(stores: Stores) -> None:
    pages = [page(n, incident=f"i-{n}") for n in range(60)]
    stores.alerts.save(RuleRecord(COSTS), pages)
    assert list(stores.alerts.due(NOON, most=100)) == pages
