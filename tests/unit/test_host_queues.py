"""Queues of the local host: leases, counts, poison, faults, and what survives."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.errors import TooLarge
from standin.functions_host.queues import Depth, Queues
from tests.fakes import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def queues(clock: FakeClock) -> Iterator[Queues]:
    opened = Queues(None, clock)
    yield opened
    opened.close()


def test_a_leased_message_is_hidden_for_ten_minutes_and_then_comes_again_counted(
    queues: Queues, clock: FakeClock
) -> None:
    queues.put("Jobs", "one")
    (first,) = queues.lease("jobs", 32)
    clock.advance(minutes=9, seconds=59)
    assert queues.lease("jobs", 32) == []
    clock.advance(seconds=1)
    (second,) = queues.lease("jobs", 32)
    assert (first.id, first.dequeue_count) == (second.id, 1)
    assert second.dequeue_count == 2
    assert second.body == b"one"


def test_leases_of_a_dead_process_can_be_ended_and_the_message_is_counted_on(
    queues: Queues,
) -> None:
    queues.put("jobs", "one")
    (held,) = queues.lease("jobs", 1)
    queues.end_leases()
    (again,) = queues.lease("jobs", 1)
    assert (again.id, again.dequeue_count) == (held.id, 2)
    assert not queues.delete(held)


def test_only_the_present_holder_can_delete_a_message(queues: Queues, clock: FakeClock) -> None:
    queues.put("jobs", "one")
    (late,) = queues.lease("jobs", 1)
    clock.advance(minutes=10)
    (present,) = queues.lease("jobs", 1)
    assert not queues.delete(late)
    assert not queues.renew(late)
    assert queues.delete(present)
    assert queues.peek("jobs") == []


def test_a_renewed_lease_lasts_ten_minutes_from_then(queues: Queues, clock: FakeClock) -> None:
    queues.put("jobs", "one")
    (held,) = queues.lease("jobs", 1)
    clock.advance(minutes=6)
    assert queues.renew(held)
    clock.advance(minutes=6)
    assert queues.lease("jobs", 1) == []
    assert queues.delete(held)


def test_messages_come_oldest_first_and_no_more_than_asked_for(queues: Queues) -> None:
    for number in range(12):
        queues.put("jobs", str(number))
    assert [message.body for message in queues.lease("jobs", 11)] == [
        str(number).encode() for number in range(11)
    ]


def test_a_message_takes_48_kib_because_64_go_over_the_wire_in_base64(queues: Queues) -> None:
    longest = b"x" * 49_152
    assert len(base64.b64encode(longest)) == 65_536
    queues.put("jobs", longest)
    with pytest.raises(TooLarge, match="49153 bytes for queue jobs"):
        queues.put("jobs", longest + b"x")
    assert len(queues.peek("jobs")) == 1


def test_a_message_is_gone_after_seven_days(queues: Queues, clock: FakeClock) -> None:
    queues.put("jobs", "one")
    clock.advance(days=6, hours=23)
    assert len(queues.peek("jobs")) == 1
    clock.advance(hours=1)
    assert queues.peek("jobs") == []
    assert queues.lease("jobs", 1) == []
    assert queues.counts() == {"jobs": Depth(0, 0, None)}


def test_a_poisoned_message_is_a_new_one(queues: Queues) -> None:
    queues.put("jobs", "bad")
    (held,) = queues.lease("jobs", 1)
    queues.poison(held)
    (poisoned,) = queues.peek("jobs-poison")
    assert (poisoned.body, poisoned.dequeue_count) == (b"bad", 0)
    assert poisoned.id != held.id
    assert queues.peek("jobs") == []


def test_counts_say_visible_from_hidden_and_the_oldest_age(
    queues: Queues, clock: FakeClock
) -> None:
    for text in ("one", "two", "three"):
        queues.put("jobs", text)
    clock.advance(seconds=90)
    queues.lease("jobs", 1)
    assert queues.counts() == {"jobs": Depth(visible=2, invisible=1, oldest_age_s=90.0)}
    assert queues.names() == ["jobs"]


def test_an_operator_can_move_a_poisoned_message_back_unless_another_holds_it(
    queues: Queues,
) -> None:
    queues.put("jobs-poison", "again")
    (waiting,) = queues.peek("jobs-poison")
    taken = queues.take("jobs-poison", waiting.id, [("jobs", "again"), ("jobs-poison", "rest")])
    assert taken is not None
    assert taken.body == b"again"
    assert queues.take("jobs-poison", waiting.id, [("jobs", "twice")]) is None
    assert [message.body for message in queues.peek("jobs-poison")] == [b"rest"]
    (held,) = queues.lease("jobs", 1)
    assert queues.take("jobs", held.id) is None


def test_the_redeliver_fault_brings_a_deleted_message_once_more(queues: Queues) -> None:
    queues.put("jobs", "one")
    queues.redeliver("jobs", 1)
    (first,) = queues.lease("jobs", 1)
    assert not queues.delete(first)
    (second,) = queues.lease("jobs", 1)
    assert (second.id, second.dequeue_count) == (first.id, 2)
    assert queues.delete(second)
    assert queues.lease("jobs", 1) == []


def test_messages_and_leases_survive_a_restart(tmp_path: Path, clock: FakeClock) -> None:
    before = Queues(tmp_path / "deep" / "host.db", clock)
    before.put("jobs", b"\x00\xff")
    before.put("jobs", "two")
    before.lease("jobs", 1)
    after = Queues(tmp_path / "deep" / "host.db", clock)
    assert [message.body for message in after.lease("jobs", 32)] == [b"two"]
    clock.advance(minutes=10)
    assert [(m.body, m.dequeue_count) for m in after.lease("jobs", 1)] == [(b"\x00\xff", 2)]
    before.close()
    after.close()
