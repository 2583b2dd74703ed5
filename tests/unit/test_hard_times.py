"""Timers that are late, restarts at the worst moment, and very many incidents at once."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

from shared.alerting.outgoing import PER_MINUTE
from shared.alerting.page import Accepted, Page
from shared.usecases.evaluation.deliver import LEASE, Deliver
from shared.usecases.evaluation.evaluate import Evaluate
from tests.evaluating import ROUTES, Rows, World, rule
from tests.fakes import FakeReceivers

INCIDENTS = 130


@dataclass
class Pager:
    """Takes every page."""

    taken: list[Page] = field(default_factory=list[Page])

    def send(self, page: Page) -> Accepted:
        self.taken.append(page)
        return Accepted(202)


def delivering(world: World, pager: Pager) -> Deliver:
    """Return a process that sends what the store holds."""
    return Deliver(world.alerts, FakeReceivers(dict.fromkeys(ROUTES.receivers, pager)))


def acts(pages: list[Page]) -> list[str]:
    return [page.action for page in pages]


def test_an_hour_without_timers_opens_and_closes_one_incident() -> None:
    world = World(rule())
    world.ticks(5, Errors=12)
    world.now += timedelta(hours=1)
    assert acts(world.ticks(3, Errors=12)) == []
    assert acts(world.ticks(1, Errors=0)) == ["resolve"]


def test_trouble_that_began_while_timers_were_gone_pages_soon() -> None:
    world = World(rule())
    world.ticks(1, Errors=0)
    world.now += timedelta(hours=1)
    assert acts(world.ticks(3, Errors=12)) == ["trigger"]


def test_a_restart_between_decision_and_delivery_loses_no_page() -> None:
    world, pager = World(rule(hold="PT0S")), Pager()
    world.ticks(1, Errors=12)
    world.evaluate = Evaluate(
        lambda: world.rules, world.log, world.alerts, lambda: ROUTES, "prod", ""
    )
    assert acts(world.ticks(2, Errors=12)) == []
    delivering(world, pager).run(world.now)
    assert acts(pager.taken) == ["trigger"]


def test_a_process_that_dies_while_it_sends_loses_no_page() -> None:
    world, pager = World(rule(hold="PT0S")), Pager()
    (page,) = world.ticks(1, Errors=12)
    world.alerts.lease(page, "a process that dies now", world.now, world.now + LEASE)
    delivering(world, pager).run(world.now)
    assert pager.taken == []
    delivering(world, pager).run(world.now + LEASE)
    assert acts(pager.taken) == ["trigger"]


def series(value: float) -> Rows:
    return [(f"s{number:03}", value) for number in range(INCIDENTS)]


def test_very_many_incidents_open_and_close_once_each() -> None:
    world, pager = World(rule(hold="PT0S", per_series=True)), Pager()
    world.log.columns = ("Source", "value")
    for value, minutes in ((12, 6), (0, 6)):
        for _ in range(minutes):
            before = len(pager.taken)
            world.tick(Errors=series(value))
            delivering(world, pager).run(world.now)
            assert len(pager.taken) - before <= PER_MINUTE
    opened = [page.dedup_key for page in pager.taken if page.action == "trigger"]
    closed = [page.dedup_key for page in pager.taken if page.action == "resolve"]
    assert len(opened) == len(set(opened)) == INCIDENTS
    assert sorted(closed) == sorted(opened)
    assert world.alerts.waiting() == []


def test_two_who_send_at_once_send_each_page_once() -> None:
    world = World(rule(hold="PT0S", per_series=True))
    world.log.columns = ("Source", "value")
    world.tick(Errors=series(12)[:30])
    seen = world.alerts.due(world.now, 99)
    first = [world.alerts.lease(page, "one", world.now, world.now + LEASE) for page in seen]
    second = [world.alerts.lease(page, "two", world.now, world.now + LEASE) for page in seen]
    assert (len([page for page in first if page]), [page for page in second if page]) == (30, [])
    late = replace(seen[0], lease="two")
    world.alerts.settle(late, Accepted(202), world.now)
    assert len(world.alerts.waiting()) == 30
