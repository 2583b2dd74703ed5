"""What every store of alerts promises of pages that several instances want to send."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.alerting.page import Accepted, Dead, Dropped, Later, Page
from tests.contract.alert_pages import ERRORS, NOON, page, store_pages
from tests.contract.stores import OpenStores, Stores


def test_a_page_that_is_taken_is_no_one_elses_until_then(open_stores: OpenStores) -> None:
    alerts, others = open_stores().alerts, open_stores().alerts
    store_pages(alerts, page(1))
    until = NOON + timedelta(minutes=3)
    taken = alerts.lease(page(1), "mine", NOON, until)
    assert taken == replace(page(1), lease="mine", tried_at=NOON, not_before=until, doubts=1)
    assert others.lease(page(1), "theirs", NOON, until) is None
    assert list(others.due(until - timedelta(seconds=1), most=10)) == []
    assert list(others.due(until, most=10)) == [taken]


def test_of_many_that_take_a_page_at_once_one_has_it(open_stores: OpenStores) -> None:
    store_pages(open_stores().alerts, page(1))
    instances = [open_stores() for _ in range(4)]

    def take(number: int) -> Page | None:
        until = NOON + timedelta(minutes=3)
        return instances[number].alerts.lease(page(1), f"token-{number}", NOON, until)

    with ThreadPoolExecutor(4) as threads:
        taken = [each for each in threads.map(take, range(4)) if each]
    assert taken == list(open_stores().alerts.waiting())


@pytest.mark.parametrize("outcome", [Accepted(202), Later("timeout"), Dead("404")])
def test_who_lost_the_page_to_another_settles_nothing(
    stores: Stores, outcome: Accepted | Later | Dead
) -> None:
    store_pages(stores.alerts, page(1))
    slow = stores.alerts.lease(page(1), "slow", NOON, NOON + timedelta(minutes=3))
    assert slow
    fast = stores.alerts.lease(slow, "fast", slow.not_before, NOON + timedelta(minutes=6))
    assert fast
    stores.alerts.settle(slow, outcome, NOON + timedelta(minutes=4))
    assert list(stores.alerts.waiting()) == [fast]
    stores.alerts.settle(fast, Accepted(202), NOON + timedelta(minutes=4))
    assert list(stores.alerts.waiting()) == []
    assert [each.lease for each, _, _ in stores.alerts.history(9)] == ["fast"]


def test_a_page_that_was_tried_or_has_left_since_it_was_read_is_not_taken(stores: Stores) -> None:
    store_pages(stores.alerts, page(1), page(2, ERRORS))
    stores.alerts.settle(page(1), Later("timeout"), NOON)
    stores.alerts.settle(page(2, ERRORS), Accepted(202), NOON)
    for each in (page(1), page(2, ERRORS)):
        assert stores.alerts.lease(each, "mine", NOON, NOON + timedelta(minutes=3)) is None


def test_a_dropped_page_leaves_without_an_attempt(open_stores: OpenStores) -> None:
    store_pages(open_stores().alerts, page(1))
    open_stores().alerts.settle(page(1), Dropped("resolved before notified"), NOON)
    ((dropped, outcome, _),) = open_stores().alerts.history(9)
    assert outcome == Dropped("resolved before notified")
    assert (dropped.attempts, dropped.last_status) == (0, "resolved before notified")
