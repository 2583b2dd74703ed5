"""The outbox: one attempt each, in order, never given up while it may yet be taken."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from shared.adapters.memory import MemoryAlerts
from shared.alerting.page import Accepted, Action, Dead, Delivery, Later, Page
from shared.alerting.record import RuleRecord
from shared.usecases.deliver import Deliver

START = datetime(2026, 1, 5, tzinfo=UTC)
TAKEN = Accepted(202)
BUSY = Later("HTTP 503")


@dataclass
class FakeRoad:
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
    alerts.save(RuleRecord("Errors/critical"), pages)
    return alerts


def waits(answers: list[Delivery]) -> list[float]:
    """Return the seconds between one attempt and the next."""
    alerts, road = outbox(page()), FakeRoad(list(answers))
    roads: Mapping[str, FakeRoad] = {"r": road}
    now, waited = START, list[float]()
    for _ in answers:
        (attempt,) = Deliver(alerts, roads).run(now).attempts
        waited.append((attempt.next_at - now).total_seconds())
        assert Deliver(alerts, roads).run(attempt.next_at - timedelta(seconds=0.1)).attempts == ()
        now = attempt.next_at
    return waited


def test_a_page_that_is_taken_leaves_the_outbox() -> None:
    alerts, road = outbox(page()), FakeRoad()
    report = Deliver(alerts, {"r": road}).run(START)
    assert (report.accepted, report.later, report.dead) == (1, 0, 0)
    assert alerts.waiting() == []
    assert [outcome for _, outcome, _ in alerts.history(9)] == [TAKEN]
    assert Deliver(alerts, {"r": road}).run(START).attempts == ()


def test_a_page_is_tried_again_within_a_minute_however_long_it_waits() -> None:
    assert waits([BUSY] * 50) == [5, 15, 30] + [60] * 47


def test_what_the_other_side_asks_for_is_honoured_within_reason() -> None:
    assert waits([Later("HTTP 429", 90), Later("HTTP 429", 1), Later("HTTP 429", 1e9)]) == [
        90,
        1,
        3600,
    ]


def test_a_dead_page_is_settled_and_counted() -> None:
    alerts = outbox(page())
    report = Deliver(alerts, {"r": FakeRoad([Dead("HTTP 400")])}).run(START)
    assert report.dead == 1
    assert [outcome for _, outcome, _ in alerts.history(9)] == [Dead("HTTP 400")]


def test_a_resolve_waits_for_its_trigger() -> None:
    alerts = outbox(page(1), page(2, action="resolve"))
    road = FakeRoad([BUSY])
    deliver = Deliver(alerts, {"r": road})
    deliver.run(START)
    deliver.run(START)
    assert [p.id for p in road.sent] == ["0001"]
    deliver.run(START + timedelta(minutes=1))
    deliver.run(START + timedelta(minutes=1))
    assert [p.action for p in road.sent] == ["trigger", "trigger", "resolve"]


def test_a_page_that_is_not_taken_stops_no_other() -> None:
    alerts = outbox(page(1, "a"), page(2, "b"), page(3, "c", route="elsewhere"))
    report = Deliver(alerts, {"r": FakeRoad([BUSY]), "elsewhere": FakeRoad()}).run(START)
    assert (report.accepted, report.later) == (2, 1)


def test_a_page_of_a_receiver_that_is_no_more_waits_and_says_so() -> None:
    alerts = outbox(page(route="gone"))
    assert Deliver(alerts, {"r": FakeRoad()}).run(START).later == 1
    (waiting,) = alerts.waiting()
    assert waiting.last_status == "No receiver is named gone. Put it back into config/routes.toml."
    road = FakeRoad()
    Deliver(alerts, {"gone": road}).run(START + timedelta(minutes=1))
    assert len(road.sent) == 1
