"""The outbox: one attempt each, in order, never given up while it may yet be taken."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.alerting.page import Accepted, Action, Delivery, Later, Page
from shared.alerting.record import RuleRecord
from shared.usecases.evaluation.deliver import Deliver
from tests.fakes import FakeReceivers
from tests.in_memory import MemoryAlerts

START = datetime(2026, 1, 5, tzinfo=UTC)
TAKEN = Accepted(202)
BUSY = Later("HTTP 503")


@dataclass
class FakeReceiver:
    """Answers what it is told to, and then takes everything."""

    answers: list[Delivery] = field(default_factory=list[Delivery])
    sent: list[Page] = field(default_factory=list[Page])

    def send(self, page: Page) -> Delivery:
        self.sent.append(page)
        return self.answers.pop(0) if self.answers else TAKEN


def page(number: int = 1, key: str = "a", action: Action = "trigger", route: str = "r") -> Page:
    return Page(
        id=f"{number:04}",
        rule="Errors/critical",
        dedup_key=key,
        route=route,
        action=action,
        severity="critical",
        summary="errors",
        body={},
        created_at=START,
        not_before=START,
        reason="first",
    )


def outbox(*pages: Page) -> MemoryAlerts:
    alerts = MemoryAlerts()
    record = RuleRecord("Errors/critical")
    for start in range(0, len(pages), 90):
        record = alerts.save(record, pages[start : start + 90])
    return alerts


def waits(answers: list[Delivery]) -> list[float]:
    """Return the seconds between one attempt and the next."""
    alerts, receiver = outbox(page()), FakeReceiver(list(answers))
    receivers: Mapping[str, FakeReceiver] = {"r": receiver}
    now, waited = START, list[float]()
    for _ in answers:
        (attempt,) = Deliver(alerts, FakeReceivers(receivers)).run(now).attempts
        waited.append((attempt.next_at - now).total_seconds())
        assert (
            Deliver(alerts, FakeReceivers(receivers))
            .run(attempt.next_at - timedelta(seconds=0.1))
            .attempts
            == ()
        )
        now = attempt.next_at
    return waited


def test_a_page_that_is_taken_leaves_the_outbox() -> None:
    alerts, receiver = outbox(page()), FakeReceiver()
    report = Deliver(alerts, FakeReceivers({"r": receiver})).run(START)
    assert (report.accepted, report.later) == (1, 0)
    assert alerts.waiting() == []
    assert [outcome for _, outcome, _ in alerts.history(9)] == [TAKEN]
    assert Deliver(alerts, FakeReceivers({"r": receiver})).run(START).attempts == ()


def test_a_page_is_tried_again_within_a_minute_however_long_it_waits() -> None:
    assert waits([BUSY] * 50) == [5, 15, 30] + [60] * 47


def test_what_the_other_side_asks_for_is_honoured_within_reason() -> None:
    assert waits([Later("HTTP 429", 90), Later("HTTP 429", 1), Later("HTTP 429", 1e9)]) == [
        90,
        1,
        3600,
    ]


NO_KEY = Later("There is no routing key.", cause="repair")


def test_pages_that_wait_for_a_repair_go_last() -> None:
    flood = [replace(page(n, f"k{n}"), cause="repair") for n in range(120)]
    receiver = FakeReceiver([TAKEN, *([NO_KEY] * 200)])
    Deliver(outbox(*flood, page(200, "new")), FakeReceivers({"r": receiver})).run(START)
    assert "0200" in {one.id for one in receiver.sent[:8]}  # pages go out in threads


def test_a_fault_of_ours_at_a_page_stops_no_other() -> None:
    class Broken(FakeReceiver):
        def send(self, page: Page) -> Delivery:
            raise KeyError(page.id)

    alerts = outbox(page(1, "a"), page(2, "b", route="fine"))
    report = Deliver(alerts, FakeReceivers({"r": Broken(), "fine": FakeReceiver()})).run(START)
    assert report.accepted == 1
    assert [one.id for one in alerts.waiting()] == ["0001"]


@pytest.mark.parametrize("answer", [Later("HTTP 429", 30, "busy"), NO_KEY])
def test_what_surely_did_not_arrive_is_dropped_when_over(answer: Later) -> None:
    alerts, receiver = outbox(page(1)), FakeReceiver([answer])
    deliver = Deliver(alerts, FakeReceivers({"r": receiver}))
    deliver.run(START)
    alerts.save(alerts.load("Errors/critical"), [page(2, action="resolve")])
    deliver.run(START + timedelta(minutes=2))
    assert [one.id for one in receiver.sent] == ["0001"]
    assert alerts.waiting() == []


def test_a_doubt_outlasts_a_later_refusal() -> None:
    alerts, receiver = outbox(page(1)), FakeReceiver([BUSY, Later("HTTP 429", 30, "busy")])
    deliver = Deliver(alerts, FakeReceivers({"r": receiver}))
    deliver.run(START)
    deliver.run(START + timedelta(minutes=1))
    alerts.save(alerts.load("Errors/critical"), [page(2, action="resolve")])
    for minutes in (3, 4):
        deliver.run(START + timedelta(minutes=minutes))
    assert [one.action for one in receiver.sent] == ["trigger"] * 3 + ["resolve"]


def test_a_resolve_waits_for_its_trigger() -> None:
    alerts, receiver = outbox(page(1)), FakeReceiver([BUSY])
    deliver = Deliver(alerts, FakeReceivers({"r": receiver}))
    deliver.run(START)
    alerts.save(alerts.load("Errors/critical"), [page(2, action="resolve")])
    deliver.run(START)
    assert [p.id for p in receiver.sent] == ["0001"]
    deliver.run(START + timedelta(minutes=1))
    deliver.run(START + timedelta(minutes=2))
    assert [p.action for p in receiver.sent] == ["trigger", "trigger", "resolve"]


def test_a_resolve_goes_out_five_seconds_after_its_trigger_was_taken() -> None:
    alerts, receiver = outbox(page(1)), FakeReceiver()
    deliver = Deliver(alerts, FakeReceivers({"r": receiver}))
    deliver.run(START)
    alerts.save(
        alerts.load("Errors/critical"), [page(2, action="resolve"), page(3, "b", "resolve")]
    )
    deliver.run(START + timedelta(seconds=4.9))
    assert [p.id for p in receiver.sent] == ["0001", "0003"]
    deliver.run(START + timedelta(seconds=5))
    assert [p.id for p in receiver.sent] == ["0001", "0003", "0002"]


def test_what_is_over_before_anyone_was_sent_is_dropped_and_said() -> None:
    update = replace(page(2), reason="new alerts added")
    alerts = outbox(page(1), update, page(3, action="resolve"), page(4, "b"))
    receiver = FakeReceiver()
    report = Deliver(alerts, FakeReceivers({"r": receiver})).run(START)
    assert [p.id for p in receiver.sent] == ["0004"]
    assert alerts.waiting() == []
    said = [(p.id, p.attempts, p.last_status) for p, _, _ in alerts.history(9) if p.id != "0004"]
    assert sorted(said) == [(f"000{n}", 0, "resolved before notified") for n in (1, 2, 3)]
    assert (len(report.attempts), report.accepted) == (4, 1)


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(
            replace(page(1), tried_at=START, attempts=1, doubts=1), id="it-may-have-arrived"
        ),
        pytest.param(replace(page(1), tried_at=START, doubts=1), id="its-sender-vanished"),
        pytest.param(replace(page(1), reason="new alerts added"), id="they-know-of-the-incident"),
        pytest.param(replace(page(1), action="resolve"), id="it-is-a-resolve"),
    ],
)
def test_what_another_may_have_heard_of_is_never_dropped(first: Page) -> None:
    alerts, receiver = outbox(first, page(2, action="resolve")), FakeReceiver()
    deliver = Deliver(alerts, FakeReceivers({"r": receiver}))
    deliver.run(START)
    deliver.run(START + timedelta(minutes=1))
    assert [p.id for p in receiver.sent] == ["0001", "0002"]


def test_a_receiver_takes_a_hundred_attempts_a_minute_and_others_are_not_held_up() -> None:
    flood = [page(n, f"k{n}") for n in range(150)]
    receivers = {"r": FakeReceiver(), "twin": FakeReceiver(), "other": FakeReceiver()}
    receivers["twin"] = receivers["r"]
    alerts = outbox(*flood, page(200, "t", route="twin"), page(201, "o", route="other"))
    deliver = Deliver(alerts, FakeReceivers(receivers))
    for seconds in (0, 20, 40, 59):
        deliver.run(START + timedelta(seconds=seconds))
    assert (len(receivers["r"].sent), len(receivers["other"].sent)) == (100, 1)
    deliver.run(START + timedelta(seconds=60))
    assert len(receivers["r"].sent) == 151


def test_a_dead_receiver_does_not_hold_up_a_run() -> None:
    receiver, other = FakeReceiver([BUSY] * 90), FakeReceiver()
    pages = [page(n, f"k{n}") for n in range(80)]
    alerts = outbox(*pages, page(99, "o", route="other"))
    Deliver(alerts, FakeReceivers({"r": receiver, "other": other})).run(START)
    assert 8 <= len(receiver.sent) <= 8 + 3
    assert len(other.sent) == 1
    assert len(alerts.waiting()) == 80
    Deliver(alerts, FakeReceivers({"r": FakeReceiver(), "other": other})).run(
        START + timedelta(minutes=1)
    )
    assert alerts.waiting() == []


def test_a_page_whose_sender_vanished_is_sent_again_once_its_lease_is_over() -> None:
    alerts, receiver = outbox(page(1)), FakeReceiver()
    deliver = Deliver(alerts, FakeReceivers({"r": receiver}))
    assert alerts.lease(page(1), "gone", START, START + timedelta(minutes=3))
    deliver.run(START + timedelta(minutes=2))
    assert receiver.sent == []
    deliver.run(START + timedelta(minutes=3))
    assert len(receiver.sent) == 1
    assert alerts.waiting() == []


def test_of_two_that_deliver_at_once_one_sends() -> None:
    alerts, receiver = outbox(page(1)), FakeReceiver()

    class Slow(FakeReceiver):
        def send(self, page: Page) -> Delivery:
            Deliver(alerts, FakeReceivers({"r": receiver})).run(START)
            return super().send(page)

    slow = Slow()
    Deliver(alerts, FakeReceivers({"r": slow})).run(START)
    assert (len(slow.sent), len(receiver.sent)) == (1, 0)


def test_a_page_that_is_not_taken_stops_no_other() -> None:
    alerts = outbox(page(1, "a"), page(2, "b"), page(3, "c", route="elsewhere"))
    report = Deliver(
        alerts, FakeReceivers({"r": FakeReceiver([BUSY]), "elsewhere": FakeReceiver()})
    ).run(START)
    assert (report.accepted, report.later) == (2, 1)


def test_a_page_of_a_receiver_that_is_no_more_waits_and_says_so() -> None:
    alerts = outbox(page(route="gone"))
    assert Deliver(alerts, FakeReceivers({"r": FakeReceiver()})).run(START).later == 1
    (waiting,) = alerts.waiting()
    assert waiting.last_status == "No receiver is named gone."
    receiver = FakeReceiver()
    Deliver(alerts, FakeReceivers({"gone": receiver})).run(START + timedelta(minutes=1))
    assert len(receiver.sent) == 1
