"""The local host at work on its queues and timers, step by step and in threads."""

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import azure.functions as func
import pytest

from standin.functions_host.host import LocalHost
from standin.functions_host.keys import Keys
from standin.functions_host.queues import Depth, Message
from tests.fakes import FakeClock
from tests.host_sample import HOST_JSON, KEY, Seen, sample_host

# pyright: reportUnknownMemberType=false
# Because the library leaves **kwargs of its decorators untyped.

LIMIT_S = 5.0


def bodies(seen: Seen) -> list[bytes]:
    return [body for _, body, _ in seen.messages]


def test_drain_handles_all_that_is_visible_and_counts_it() -> None:
    seen = Seen()
    host = sample_host(seen, FakeClock())
    for number in range(10):
        host.enqueue("WORK-items", str(number))
    assert host.drain() == 10
    assert bodies(seen) == [str(number).encode() for number in range(10)]
    assert host.queues.counts()["work-items"] == Depth(0, 0, None)
    assert host.drain() == 0
    host.close()


def test_a_failed_message_comes_again_after_its_visibility_timeout() -> None:
    seen, clock = Seen(fail_with=ValueError("no")), FakeClock()
    host = sample_host(seen, clock)
    host.enqueue("work-items", "one")
    assert host.drain() == 1
    clock.advance(seconds=29)
    assert host.drain() == 0
    seen.fail_with = None
    clock.advance(seconds=1)
    assert host.drain() == 1
    assert [count for _, _, count in seen.messages] == [1, 2]
    host.close()


def test_a_message_that_fails_maxdequeuecount_times_goes_to_the_poison_queue(
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen, clock = Seen(fail_with=ValueError("never")), FakeClock()
    host = sample_host(seen, clock)
    host.enqueue("work-items", "bad")
    for _ in range(5):
        host.drain()
        clock.advance(seconds=30)
    assert [count for _, _, count in seen.messages] == [1, 2, 3]
    (poisoned,) = host.queues.peek("work-items-poison")
    assert (poisoned.body, poisoned.dequeue_count) == (b"bad", 0)
    assert "has reached MaxDequeueCount of 3" in caplog.text
    assert len([r for r in caplog.records if r.levelno == logging.ERROR]) == 3
    host.close()


def test_work_that_was_accepted_outlives_the_process(tmp_path: Path) -> None:
    clock = FakeClock()
    before = sample_host(Seen(), clock, tmp_path / "host.db")
    before.enqueue("work-items", "kept")
    before.close()
    seen = Seen()
    after = sample_host(seen, clock, tmp_path / "host.db")
    assert after.drain() == 1
    assert bodies(seen) == [b"kept"]
    after.close()


def test_a_crash_at_work_delays_the_message_ten_minutes_and_counts(tmp_path: Path) -> None:
    clock = FakeClock()
    dead = sample_host(Seen(), clock, tmp_path / "host.db")
    dead.enqueue("work-items", "one")
    assert len(dead.queues.lease("work-items", 1)) == 1  # and it dies here, holding the lease
    seen = Seen()
    next_one = sample_host(seen, clock, tmp_path / "host.db")
    clock.advance(minutes=9, seconds=59)
    assert next_one.drain() == 0
    clock.advance(seconds=1)
    assert next_one.drain() == 1
    assert [count for _, _, count in seen.messages] == [2]
    next_one.close()
    dead.close()


def test_a_crash_loop_poisons_a_good_message_before_it_runs_again() -> None:
    seen, clock = Seen(), FakeClock()
    host = sample_host(seen, clock)
    host.enqueue("work-items", "one")
    for _ in range(3):
        host.queues.lease("work-items", 1)
        clock.advance(minutes=10)
    host.drain()
    assert seen.messages == []
    assert len(host.queues.peek("work-items-poison")) == 1
    host.close()


def test_a_redelivered_message_runs_twice() -> None:
    seen = Seen()
    host = sample_host(seen, FakeClock())
    host.enqueue("work-items", "twice")
    host.queues.redeliver("work-items", 1)
    assert host.drain() == 2
    assert [(m[0], m[2]) for m in seen.messages] == [
        (seen.messages[0][0], 1),
        (seen.messages[0][0], 2),
    ]
    host.close()


def test_members_of_a_json_object_replace_the_metadata() -> None:
    seen = Seen()
    host = sample_host(seen, FakeClock())
    host.enqueue("work-items", '{"ID": "mine", "dequeuecount": 7, "list": ["id"]}')
    host.enqueue("work-items", '{"v": 1, "events": [{"id": "inner"}]}')
    assert host.drain() == 2
    first, second = seen.messages
    assert (first[0], first[2]) == ("mine", 7)
    assert second[0] != "inner"
    assert second[2] == 1
    host.close()


def test_a_member_that_is_no_count_fails_the_message_before_the_function(
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen = Seen()
    host = sample_host(seen, FakeClock())
    host.enqueue("work-items", '{"dequeueCount": "abc"}')
    host.drain()
    assert seen.messages == []
    assert "cannot convert value of field 'DequeueCount' in trigger metadata" in caplog.text
    host.close()


def test_bytes_that_are_no_text_fail_before_the_function_and_end_in_poison() -> None:
    seen, clock = Seen(), FakeClock()
    host = sample_host(seen, clock)
    host.enqueue("work-items", b"\xff\x00")
    for _ in range(10):
        host.drain()
        clock.advance(minutes=11)
    assert seen.messages == []
    assert [m.body for m in host.queues.peek("work-items-poison")] == [b"\xff\x00"]
    host.close()


def test_a_message_that_an_operator_made_up_has_no_id_and_no_count() -> None:
    seen = Seen()
    host = sample_host(seen, FakeClock())
    assert host.run("do_work", "hi")
    assert seen.messages == [("", b"hi", 0)]
    host.close()


def test_a_coroutine_may_eat_plain_text_and_return_its_output() -> None:
    app = func.FunctionApp()

    @app.queue_trigger(arg_name="msg", queue_name="in", connection="C")
    @app.queue_output(arg_name="$return", queue_name="Out", connection="C")
    async def shout(msg: str) -> str:
        await asyncio.sleep(0)
        return msg.upper()

    host = LocalHost(
        app,
        host_json=HOST_JSON,
        settings={},
        state=None,
        keys=Keys(None, KEY, KEY),
        clock=FakeClock(),
    )
    host.enqueue("in", "quiet")
    assert host.drain() == 1
    assert [message.body for message in host.queues.peek("out")] == [b"QUIET"]
    host.close()


def test_tick_names_the_timers_that_ran() -> None:
    seen, clock = Seen(), FakeClock()
    host = sample_host(seen, clock)
    assert host.tick(clock.now()) == []
    assert host.tick(clock.advance(minutes=1)) == ["look"]
    assert [tick.past_due for tick in seen.ticks] == [False]
    host.close()


def test_a_timer_missed_while_the_host_was_down_is_past_due_once(tmp_path: Path) -> None:
    clock = FakeClock()
    before = sample_host(Seen(), clock, tmp_path / "host.db")
    before.tick(clock.now())
    before.close()
    seen = Seen()
    after = sample_host(seen, clock, tmp_path / "host.db")
    clock.advance(hours=2, seconds=5)
    assert [after.tick(clock.now()), after.tick(clock.now())] == [["look"], []]
    assert [tick.past_due for tick in seen.ticks] == [True]
    after.close()


def test_the_started_host_works_on_several_messages_at_once_and_stops_clean() -> None:
    seen = Seen()
    host = sample_host(seen, FakeClock(), shut=True)
    for number in range(9):
        host.enqueue("work-items", str(number))
    host.start()
    until(lambda: seen.at_work == 4)
    pause(0.2)
    # A batch of 4 is at work; the next is leased when no more than 2 (newBatchThreshold) are.
    assert host.queues.counts()["work-items"].visible == 5
    seen.gate.set()
    until(lambda: len(seen.messages) == 9 and not host.queues.peek("work-items"))
    host.close()
    assert 4 <= seen.most_at_work <= 6


def test_an_idle_started_host_notices_a_put_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("standin.functions_host.listener.FIRST_WAIT_S", 12 * LIMIT_S)
    seen = Seen()
    host = sample_host(seen, FakeClock())
    host.start()
    pause(0.2)  # By now it has seen that there is nothing; its next look is in a minute.
    host.enqueue("work-items", "now")
    until(lambda: len(seen.messages) == 1)
    host.close()


def test_stop_lets_a_message_at_work_end() -> None:
    seen = Seen()
    host = sample_host(seen, FakeClock(), shut=True)
    host.enqueue("work-items", "slow")
    host.start()
    until(lambda: seen.at_work == 1)
    threading.Timer(0.1, seen.gate.set).start()
    host.stop()
    assert host.queues.peek("work-items") == []
    host.close()


def test_a_long_run_keeps_its_lease() -> None:
    seen, clock = Seen(), FakeClock()
    host = sample_host(seen, clock, shut=True)
    host.enqueue("work-items", "long")
    host.start()
    until(lambda: seen.at_work == 1)
    for _ in range(2):
        (held,) = host.queues.peek("work-items")
        clock.advance(minutes=6)
        until(lambda was=held: host.queues.peek("work-items")[0].visible_at > was.visible_at)
    seen.gate.set()
    host.close()
    assert [count for _, _, count in seen.messages] == [1]


def pause(seconds: float) -> None:
    threading.Event().wait(seconds)


def until(holds: Callable[[], bool]) -> None:
    """Wait until it holds, in small steps; fail when it does not within the limit."""
    for _ in range(int(LIMIT_S / 0.005)):
        if holds():
            return
        pause(0.005)
    raise AssertionError("It did not happen in time.")


def test_a_queue_that_cannot_be_read_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    seen = Seen()
    host = sample_host(seen, FakeClock())
    lease, failures = host.queues.lease, iter([sqlite3.OperationalError("disk I/O error")])

    def failing(queue: str, most: int) -> list[Message]:
        for failure in failures:
            raise failure
        return lease(queue, most)

    host.queues.lease = failing
    host.start()
    host.enqueue("work-items", "one")
    until(lambda: bodies(seen) == [b"one"])
    host.close()
    assert "queue work-items cannot be read, trying again" in caplog.text
