import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from shared.errors import GiveUp, RetryLater
from shared.events.envelope import judge
from shared.events.message import after_deliveries, decode, pack
from shared.usecases.processing.give_back import GiveBack
from shared.usecases.processing.processed import Processed
from shared.usecases.processing.requeue import LAST_DELIVERY, PATIENCE, Patient
from tests.factories import event
from tests.fakes import START
from tests.in_memory import MemorySeries

HOST = json.loads((Path(__file__).parent.parent.parent / "host.json").read_text(encoding="utf-8"))
BUSY = RetryLater("Azure Monitor is busy.")


def text() -> str:
    events, _ = judge([event()], START)
    return pack(events, START)[0]


def failing(fault: Exception) -> Patient:
    def process(_text: str, _delivery: int, _now: datetime) -> Processed:
        raise fault

    return Patient(process)


def works(_text: str, _delivery: int, _now: datetime) -> Processed:
    return Processed(1, 0)


def test_what_works_is_left_alone() -> None:
    assert Patient(works).run(text(), LAST_DELIVERY, START) == Processed(1, 0)


@pytest.mark.parametrize("delivery", range(1, LAST_DELIVERY))
def test_the_host_itself_tries_again_first(delivery: int) -> None:
    with pytest.raises(RetryLater):
        failing(BUSY).run(text(), delivery, START)


def test_before_the_host_gives_up_the_message_goes_back_and_remembers_its_tries() -> None:
    given = text()
    (back,) = failing(BUSY).run(given, LAST_DELIVERY, START).again
    assert decode(back) == decode(given).model_copy(update={"attempts": LAST_DELIVERY})
    (twice,) = failing(BUSY).run(back, LAST_DELIVERY, START).again
    assert decode(twice).attempts == 2 * LAST_DELIVERY


@pytest.mark.parametrize("fault", [GiveUp("unreadable"), ZeroDivisionError("a fault of ours")])
def test_what_time_does_not_fix_is_given_up(fault: Exception) -> None:
    with pytest.raises(type(fault)):
        failing(fault).run(text(), LAST_DELIVERY, START)


def test_after_a_week_a_person_must_look() -> None:
    assert failing(BUSY).run(text(), LAST_DELIVERY, START + PATIENCE).again
    with pytest.raises(RetryLater):
        failing(BUSY).run(text(), LAST_DELIVERY, START + PATIENCE + timedelta(seconds=1))


def test_the_last_delivery_is_the_hosts() -> None:
    assert HOST["extensions"]["queues"]["maxDequeueCount"] == LAST_DELIVERY


@pytest.mark.parametrize("why", ["", "HTTP 503."])
def test_in_an_outage_only_new_messages_are_processed(why: str) -> None:
    series, given = MemorySeries(), text()
    back = GiveBack(works, series, lambda: why)
    put_back = after_deliveries(decode(given), LAST_DELIVERY)
    assert back.run(given, 1, START) == Processed(1, 0)
    assert back.run(given, 2, START) == Processed(1, 0), "it vanished before it was counted"
    series.apply(f"{decode(given).batch} totals", (), START)
    for message, delivery in ((given, 2), (put_back, 1)):
        if why:
            with pytest.raises(RetryLater, match="HTTP 503"):
                back.run(message, delivery, START)
        else:
            assert back.run(message, delivery, START) == Processed(1, 0)
