"""What every store of silences promises."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.alerting.muting import Matcher, Silence
from shared.alerting.recurrence import Recurrence
from tests.contract.stores import OpenStores, Stores

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SATURDAYS = Recurrence.model_validate(
    {"days": ["sat"], "from": "22:00", "to": "02:30", "zone": "Europe/Berlin"}
)


def silence(id: str = "a", after: timedelta = timedelta(0), lasts: timedelta = HOUR) -> Silence:
    """Return a silence with something in every field."""
    return Silence(
        *(id, (Matcher("alertname", "High.*", True), Matcher("severity", "info", False, False))),
        *(NOON + after, NOON + after + lasts, "Ünal", "deploying “checkout”"),
        recurrence=SATURDAYS,
    )


def test_silences_come_back_as_they_were_added_by_their_start(open_stores: OpenStores) -> None:
    assert list(open_stores().silences.all()) == []
    later, sooner = silence("a", HOUR), replace(silence("b"), recurrence=None)
    for each in (later, sooner):
        open_stores().silences.add(each)
    assert list(open_stores().silences.all()) == [sooner, later]


def test_a_silence_that_is_added_again_is_replaced(stores: Stores) -> None:
    stores.silences.add(silence())
    stores.silences.add(replace(silence(), comment="still"))
    assert [each.comment for each in stores.silences.all()] == ["still"]


@pytest.mark.parametrize(
    ("minutes", "starts", "ends"),
    [
        pytest.param(30, NOON, NOON + HOUR / 2, id="at-work"),
        pytest.param(-30, NOON - HOUR / 2, NOON - HOUR / 2, id="not-begun"),
        pytest.param(90, NOON, NOON + HOUR, id="over"),
    ],
)
def test_ending(open_stores: OpenStores, minutes: int, starts: datetime, ends: datetime) -> None:
    open_stores().silences.add(silence())
    now = open_stores().silences.end("a", NOON + timedelta(minutes=minutes))
    assert now == replace(silence(), starts_at=starts, ends_at=ends)
    assert list(open_stores().silences.all()) == [now]


@pytest.mark.parametrize("id", ["b", "", "../a", "o'clock", "ü"])
def test_there_is_nothing_to_end_by_another_id(stores: Stores, id: str) -> None:
    stores.silences.add(silence())
    assert stores.silences.end(id, NOON) is None
    assert list(stores.silences.all()) == [silence()]


def test_of_many_that_end_it_at_once_the_first_moment_stands(open_stores: OpenStores) -> None:
    open_stores().silences.add(silence())
    instances = [open_stores() for _ in range(4)]

    def end(number: int) -> Silence | None:
        return instances[number].silences.end("a", NOON + timedelta(minutes=10))

    with ThreadPoolExecutor(4) as threads:
        answers = set(threads.map(end, range(4)))
    assert answers == {replace(silence(), ends_at=NOON + timedelta(minutes=10))}


def test_forget_drops_those_that_are_long_over(stores: Stores) -> None:
    for hours in (1, 2, 3):
        stores.silences.add(silence(str(hours), lasts=hours * HOUR))
    assert stores.silences.forget(NOON + 2 * HOUR) == 1
    assert stores.silences.forget(NOON + 2 * HOUR) == 0
    assert [each.id for each in stores.silences.all()] == ["2", "3"]
