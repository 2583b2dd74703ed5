from __future__ import annotations

import threading
import time
from decimal import Decimal
from email.utils import formatdate

import pytest

from agentmeter_client import Limits, Meter
from conftest import KEY, MakeMeter
from endpoint import (
    HANG_UP,
    HANG_UP_AFTER_TAKING,
    Endpoint,
    Reply,
    Request,
    balanced,
    held_port,
    send,
    serving,
)


def test_an_event_arrives_as_the_api_wants_it(endpoint: Endpoint, meter: Meter) -> None:
    meter.revenue("pro", Decimal("49.90"), team_id="search", count=2)
    assert meter.flush(5)
    [request] = endpoint.requests
    assert request.path == "/api/events"
    assert request.headers["x-functions-key"] == KEY
    assert request.headers["content-encoding"] == "gzip"
    assert request.headers["content-type"] == "application/cloudevents-batch+json"
    [event] = request.events
    assert event["data"] == {
        "team_id": "search",
        "count": 2,
        "pricing_tier": "pro",
        "amount_usd": "49.90",
    }
    assert {name: event[name] for name in ("specversion", "source", "type")} == {
        "specversion": "1.0",
        "source": "tests",
        "type": "revenue",
    }
    assert event["time"].endswith("+00:00")


def test_events_leave_by_themselves_over_one_connection(endpoint: Endpoint, meter: Meter) -> None:
    for _ in range(3):
        send(meter)
        deadline = time.monotonic() + 5
        while meter.stats().waiting and time.monotonic() < deadline:
            threading.Event().wait(0.01)
    assert len(endpoint.of("task.operation")) == 3
    assert len(endpoint.requests) == 3
    assert len({request.connection for request in endpoint.requests}) == 1


def test_an_idle_connection_that_the_other_side_ended_is_no_failure(
    endpoint: Endpoint, meter: Meter
) -> None:
    endpoint.script.extend([Reply(202, then_close=True)] * 3)
    for _ in range(3):
        send(meter)
        assert meter.flush(5)
        threading.Event().wait(0.02)
    assert (meter.stats().sent, meter.stats().failures) == (3, 0)


def test_what_is_refused_is_counted_and_logged(
    endpoint: Endpoint, meter: Meter, caplog: pytest.LogCaptureFixture
) -> None:
    send(meter, 3)
    send(meter, 1, "poison")
    send(meter, 3)
    assert meter.flush(5)
    assert len(endpoint.of("task.operation")) == 6
    assert (meter.stats().sent, meter.stats().refused) == (6, 1)
    assert "refused 1 of 7 events; the first: bad" in caplog.text


def test_a_batch_of_nothing_but_refused_events_is_not_repeated(
    endpoint: Endpoint, meter: Meter
) -> None:
    send(meter, 2, "poison")
    assert meter.flush(5)
    assert (len(endpoint.requests), meter.stats().refused) == (1, 2)


@pytest.mark.parametrize("value", [float("nan"), object(), 10**400])
def test_what_json_cannot_say_does_not_stop_its_neighbours(
    endpoint: Endpoint, meter: Meter, value: float
) -> None:
    send(meter)
    meter.task_queue("high", value)
    meter.task("half a surrogate \ud800")
    assert meter.flush(5)
    assert len(endpoint.of("task.operation")) == 2
    assert balanced(meter)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_batch_that_is_not_taken_as_a_whole_is_split(
    endpoint: Endpoint, meter: Meter, status: int
) -> None:
    def limited(request: Request) -> Reply:
        ours = [event["data"]["operation"] for event in request.events]
        if len(ours) > 3 or "too big" in ours:
            return Reply(status)
        return endpoint.take(request)

    endpoint.behave = limited
    send(meter, 5)
    send(meter, 1, "too big")
    send(meter, 5)
    assert meter.flush(5)
    assert len(endpoint.of("task.operation")) == 10
    assert (meter.stats().sent, meter.stats().refused) == (10, 1)


def test_requests_stay_under_the_limit_of_bytes(endpoint: Endpoint, make_meter: MakeMeter) -> None:
    meter = make_meter(Limits(batch_bytes=10_000, max_age_s=0.05))
    for n in range(20):
        meter.error("planner", "Timeout", message=f"{n}" * 3000)
    assert meter.flush(5)
    assert len(endpoint.of("error")) == 20
    assert max(len(request.events) for request in endpoint.requests) <= 3


@pytest.mark.parametrize("trouble", [Reply(503), Reply(429), Reply(408), Reply(500), HANG_UP])
def test_what_was_not_taken_is_sent_again_unchanged(
    endpoint: Endpoint, meter: Meter, trouble: Reply
) -> None:
    endpoint.script.extend([trouble] * 3)
    send(meter, 2)
    meter.flush(5)
    assert len(endpoint.of("task.operation")) == 2
    assert len({str(request.events) for request in endpoint.requests}) == 1
    assert meter.stats().sent == 2
    assert meter.stats().failures >= 2


def test_a_lost_answer_counts_once(endpoint: Endpoint, meter: Meter) -> None:
    endpoint.script.append(HANG_UP_AFTER_TAKING)
    send(meter, 4)
    assert meter.flush(5)
    assert len(endpoint.of("task.operation")) == 4
    assert set(endpoint.arrivals.values()) == {2}


@pytest.mark.parametrize("dated", [False, True])
def test_retry_after_is_waited_for_even_by_flush(
    endpoint: Endpoint, meter: Meter, dated: bool
) -> None:
    asked = formatdate(time.time() + 2, usegmt=True) if dated else "1"  # noqa: TID251 - HTTP's own
    endpoint.script.append(Reply(429, headers=(("Retry-After", asked),)))
    began = time.monotonic()
    send(meter)
    assert not meter.flush(0.2)
    assert meter.flush(5)
    assert time.monotonic() - began >= 0.9


def test_a_slow_answer_is_given_up_and_blocks_no_one(
    endpoint: Endpoint, make_meter: MakeMeter
) -> None:
    meter = make_meter(Limits(timeout_s=1, max_age_s=0.02, backoff_s=0.01))
    endpoint.script.append(Reply(202, wait_s=3))
    send(meter)
    while not endpoint.requests:
        threading.Event().wait(0.01)
    began = time.monotonic()
    send(meter, 1000)
    assert time.monotonic() - began < 0.8
    assert meter.flush(5)
    assert len(endpoint.of("task.operation")) == 1001


@pytest.mark.parametrize("status", [200, 301, 401, 403, 404])
def test_what_an_operator_can_fix_loses_nothing(
    endpoint: Endpoint, meter: Meter, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint.script.extend([Reply(status, headers=(("Location", "http://127.0.0.1:9/"),))] * 2)
    send(meter)
    meter.flush(0.05)
    assert meter.flush(5)
    assert len(endpoint.of("task.operation")) == 1
    assert "will not take events until this is fixed" in caplog.text


def test_when_memory_is_full_the_oldest_gives_way_and_is_counted(
    endpoint: Endpoint, make_meter: MakeMeter, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint.behave = lambda request: Reply(503)
    meter = make_meter(Limits(max_queue=100, max_age_s=0.05, backoff_s=0.01, longest_backoff_s=0.1))
    for n in range(2500):
        meter.task_queue("high", n)
    endpoint.behave = endpoint.take
    assert meter.flush(5)
    stats = meter.stats()
    arrived = [data["value"] for data in endpoint.of("task.queue")]
    assert arrived[-100:] == list(range(2400, 2500))
    assert arrived == sorted(arrived)
    assert stats.dropped == 2500 - len(arrived) > 0
    assert "events for want of room" in caplog.text
    assert balanced(meter)


def test_a_small_queue_is_sent_before_it_is_full(endpoint: Endpoint, make_meter: MakeMeter) -> None:
    meter = make_meter(Limits(max_queue=100, max_age_s=30))
    send(meter, 50)
    deadline = time.monotonic() + 5
    while meter.stats().sent < 50 and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    assert meter.stats().sent == 50


def test_a_proxy_of_the_environment_is_used(
    endpoint: Endpoint, make_meter: MakeMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", endpoint.url.replace("//", "//user:p%40ss@"))
    meter = make_meter(url="http://agentmeter.example")
    send(meter)
    assert meter.flush(5)
    [request] = endpoint.requests
    assert request.path == "http://agentmeter.example:80/api/events"
    assert request.headers["proxy-authorization"] == "Basic dXNlcjpwQHNz"
    assert request.headers["host"].startswith("agentmeter.example")


def test_a_hundred_thousand_events_wait_for_an_endpoint_that_is_away(
    make_meter: MakeMeter,
) -> None:
    threads = list[threading.Thread]()
    with held_port() as port:
        meter = make_meter(
            Limits(max_queue=100_000, max_age_s=0.02, backoff_s=0.05, longest_backoff_s=0.1),
            url=f"http://127.0.0.1:{port}",
        )
        for _ in range(8):
            threads.append(threading.Thread(target=send, args=(meter, 12_500)))
            threads[-1].start()
        for thread in threads:
            thread.join()
        with serving(port) as back:
            assert meter.flush(30)
            assert len(back.of("task.operation")) == 100_000
            assert set(back.arrivals.values()) == {1}
    assert meter.stats().sent == 100_000
    assert balanced(meter)
