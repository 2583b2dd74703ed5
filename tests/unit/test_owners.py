"""An incident is closed by what opened it, even if much is edited meanwhile."""

from dataclasses import dataclass, field, replace

import pytest

from shared.alerting.page import Accepted, Later, Page
from shared.usecases.evaluation.deliver import Deliver
from tests.evaluating import ROUTES, World, rule
from tests.fakes import FakeReceivers

ERRORS = rule(hold="PT0S")


@dataclass
class FakeOwners:
    """Opens incidents by `key`; reaches those of `known`."""

    key: str = "a"
    known: set[str] = field(default_factory=lambda: {"a"})

    def owner(self, route: str) -> str:
        del route
        return f"pagerduty:{self.key} KEY " if self.key else ""

    def reaches(self, owner: str, route: str) -> bool:
        del route
        return owner.partition(" ")[0].removeprefix("pagerduty:") in self.known

    def rotate(self, key: str, *known: str) -> None:
        self.key, self.known = key, {key, *known}


def world_of(owners: FakeOwners) -> World:
    world = World(ERRORS)
    world.evaluate = replace(world.evaluate, owners=owners)
    return world


def acts(pages: list[Page]) -> list[tuple[str, str]]:
    """Return what each page does, at which key."""
    return [(page.action, page.owner.partition(" ")[0].partition(":")[2]) for page in pages]


def test_an_incident_stays_with_the_key_that_opened_it() -> None:
    owners = FakeOwners()
    world = world_of(owners)
    opened = world.ticks(2, Errors=12)
    owners.rotate("b", "a")
    closed = world.ticks(1, Errors=0)
    assert acts(opened + closed) == [("trigger", "a"), ("resolve", "a")]
    assert acts(world.ticks(2, Errors=12)) == [("trigger", "b")]


def test_news_of_an_open_incident_goes_to_its_key() -> None:
    owners = FakeOwners()
    world = world_of(owners)
    world.ticks(1, Errors=12)
    owners.rotate("b", "a")
    assert acts(world.ticks(241, Errors=12)) == [("trigger", "a")]


def test_an_incident_whose_key_is_gone_opens_anew() -> None:
    owners = FakeOwners()
    world = world_of(owners)
    world.ticks(2, Errors=12)
    owners.rotate("b")
    assert acts(world.ticks(3, Errors=12)) == [("resolve", "a"), ("trigger", "b")]
    assert acts(world.ticks(1, Errors=0)) == [("resolve", "b")]


@pytest.mark.parametrize("known", [(), ("a",)], ids=["gone", "kept"])
def test_without_any_key_an_incident_stays_as_it_is(known: tuple[str, ...]) -> None:
    owners = FakeOwners()
    world = world_of(owners)
    world.ticks(2, Errors=12)
    owners.key, owners.known = "", set(known)
    assert world.ticks(5, Errors=12) == []
    assert acts(world.ticks(1, Errors=0)) == [("resolve", "a")]


def test_a_renamed_deployment_closes_what_it_opened() -> None:
    world = World(ERRORS)
    (opened,) = world.ticks(1, Errors=12)
    world.evaluate = replace(world.evaluate, deployment="renamed")
    pages = [*world.ticks(241, Errors=12), *world.ticks(1, Errors=0)]
    assert {page.dedup_key for page in pages} == {opened.dedup_key}
    (anew,) = world.ticks(1, Errors=12)
    assert anew.dedup_key == "agentmeter/renamed/Errors/critical"


class Refusing:
    """Refuses everything until it is repaired."""

    outcome = Later("HTTP 401", cause="repair")
    repaired = False

    def send(self, page: Page) -> Accepted | Later:
        del page
        return Accepted(202) if self.repaired else self.outcome


@pytest.mark.parametrize("cause", ["repair", "busy"])
def test_what_was_never_taken_and_is_over_is_dropped(cause: str) -> None:
    world, pager = World(ERRORS), Refusing()
    pager.outcome = Later("HTTP 4xx", cause=cause)  # type: ignore[arg-type]
    deliver = Deliver(world.alerts, FakeReceivers({"critical": pager}))
    world.ticks(1, Errors=12)
    deliver.run(world.now)
    world.ticks(1, Errors=0)
    pager.repaired = True
    report = deliver.run(world.now)
    assert (report.accepted, world.alerts.waiting()) == (0, [])


def test_a_wrong_key_that_is_replaced_pages_once() -> None:
    owners, pager = FakeOwners(), Refusing()
    world = world_of(owners)
    deliver = Deliver(world.alerts, FakeReceivers({"critical": pager}))
    world.ticks(1, Errors=12)
    deliver.run(world.now)
    owners.rotate("b")
    pager.repaired = True
    world.ticks(2, Errors=12)
    report = deliver.run(world.now)
    assert [
        acts([item.page]) for item in report.attempts if isinstance(item.outcome, Accepted)
    ] == [[("trigger", "b")]]
    assert world.alerts.waiting() == []


@pytest.mark.parametrize(("before", "after"), [("warning", "critical"), ("critical", "warning")])
def test_an_edited_severity_leaves_no_gap(before: str, after: str) -> None:
    world = World(rule(severity=before, hold="PT3M"))
    opened = world.ticks(5, Errors=12)
    world.rules[:] = [rule(severity=after, hold="PT3M")]
    moved = [(page.rule, page.action) for page in world.ticks(3, Errors=12)]
    assert [page.rule for page in opened] == [f"Errors/{before}"]
    assert moved == [(f"Errors/{after}", "trigger"), (f"Errors/{before}", "resolve")]
    (closed,) = world.ticks(1, Errors=0)
    assert (closed.rule, closed.action) == (f"Errors/{after}", "resolve")


def test_an_edited_severity_takes_over_a_pending_alert() -> None:
    world = World(rule(severity="warning", hold="PT3M"))
    world.ticks(2, Errors=12)
    world.rules[:] = [rule(severity="critical", hold="PT3M")]
    pages = world.ticks(2, Errors=12)
    assert [(page.rule, page.action) for page in pages] == [("Errors/critical", "trigger")]
    assert world.record("Errors/warning").series == {}


def test_another_threshold_is_no_heir_but_ends_nothing_early() -> None:
    world = World(rule(severity="warning", hold="PT2M"))
    world.ticks(4, Errors=12)
    world.rules[:] = [rule(severity="critical", hold="PT2M", condition="> 11")]
    pages = [(page.rule, page.action) for page in world.ticks(4, Errors=12)]
    assert pages == [("Errors/critical", "trigger"), ("Errors/warning", "resolve")]


def test_trouble_that_ended_with_the_edit_is_resolved() -> None:
    world = World(rule(severity="warning", hold="PT0S"))
    world.ticks(2, Errors=12)
    world.rules[:] = [rule(severity="critical", hold="PT0S", condition="> 20")]
    pages = [(page.rule, page.action) for page in world.ticks(3, Errors=12)]
    assert pages == [("Errors/warning", "resolve")]


def test_routes_are_those_of_the_moment() -> None:
    world, routes = World(ERRORS), [ROUTES]
    world.evaluate = replace(world.evaluate, routes=lambda: routes[0])
    patient = ROUTES.receivers["critical"].model_copy(
        update={"group_wait": ROUTES.receivers["critical"].group_interval}
    )
    routes[0] = ROUTES.model_copy(update={"receivers": {**ROUTES.receivers, "critical": patient}})
    assert world.ticks(3, Errors=12) == []
    routes[0] = ROUTES
    assert len(world.ticks(1, Errors=12)) == 1
