import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from shared.errors import GiveUp, RetryLater
from shared.events.envelope import judge
from shared.events.message import decode, pack
from shared.usecases.processing.processed import Processed
from shared.usecases.processing.requeue import LAST_DELIVERY, PATIENCE, Patient
from tests.factories import event
from tests.fakes import START

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
def test_what_time_does_not_mend_is_given_up(fault: Exception) -> None:
    with pytest.raises(type(fault)):
        failing(fault).run(text(), LAST_DELIVERY, START)


def test_after_a_week_a_person_must_look() -> None:
    assert failing(BUSY).run(text(), LAST_DELIVERY, START + PATIENCE).again
    with pytest.raises(RetryLater):
        failing(BUSY).run(text(), LAST_DELIVERY, START + PATIENCE + timedelta(seconds=1))


def test_the_last_delivery_is_the_hosts() -> None:
    assert HOST["extensions"]["queues"]["maxDequeueCount"] == LAST_DELIVERY
