"""Runs recorded events through the pipeline, tick after tick, as fast as the machine can."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from replay.costs import Bill, bill
from replay.pager import Attempt
from replay.plan import Plan
from replay.recording import Recorded, Refused
from replay.world import Config, World
from shared.alerting.record import Transition
from shared.usecases.evaluation.run_report import RuleReport


@dataclass(frozen=True, slots=True)
class Step:
    """A moment of the replay, with what was posted since the one before, and when.

    ticks: False before the first tick, where events are history.
    """

    at: datetime
    posts: Sequence[tuple[datetime, Sequence[Recorded]]]
    ticks: bool = True


@dataclass(frozen=True, slots=True)
class Change:
    """What became of an alert. rule: the rule's key."""

    rule: str
    transition: Transition


@dataclass(frozen=True, slots=True)
class Happened:
    """What a replay found.

    posted: how many events were; refused: those of them that were not taken.
    failed: rule → why it could not be evaluated, where the plan did not ask for that.
    """

    changes: Sequence[Change]
    attempts: Sequence[Attempt]
    bill: Bill
    posted: int
    refused: Sequence[Refused]
    failed: Mapping[str, str]


def replay(
    plan: Plan, config: Config, events: Sequence[Recorded], ticked: Callable[[int], None]
) -> Happened:
    """Run the plan over the events, which are in the order of their times.

    ticked: is called with 1 after each tick.
    """
    plan = plan.at_the_pace_of(config.rules)
    world = World(config, plan)
    try:
        return _run(world, plan, list(steps(plan, events)), ticked)
    finally:
        world.close()


def _run(
    world: World, plan: Plan, planned: Sequence[Step], ticked: Callable[[int], None]
) -> Happened:
    refused: list[Refused] = []
    reports: list[RuleReport] = []
    failed: dict[str, str] = {}
    restarts = sorted(restart.at for restart in plan.restarts)
    for step in planned:
        while restarts and restarts[0] <= plan.seconds(step.at):
            world.restart()
            restarts.pop(0)
        for at, events in step.posts:
            refused += world.take(events, at)
        world.work(step.at)
        if step.ticks:
            news = world.tick()
            reports += news
            failed |= {one.rule: one.error for one in news if is_failed(one, plan, step.at)}
            ticked(1)
    return Happened(
        changes=[Change(report.rule, step) for report in reports for step in report.transitions],
        attempts=world.pager.attempts,
        bill=bill(world.monitor),
        posted=sum(len(events) for step in planned for _, events in step.posts),
        refused=refused,
        failed=failed,
    )


def steps(plan: Plan, events: Sequence[Recorded]) -> Iterator[Step]:
    """Yield the moments of a plan: those of its history that have events, then every tick.

    What is posted up to a tick is there when it runs, or on its way.
    """
    posts = [
        (at, tuple(some))
        for at, some in groupby(events, key=lambda event: plan.posted_at(event.at))
    ]
    due = {
        number: tuple(some)
        for number, some in groupby(posts, key=lambda post: plan.tick_of(post[0]))
    }
    for number, some in due.items():
        if number < 0:
            yield Step(plan.tick_at(number), some, ticks=False)
    for number in range(plan.ticks):
        yield Step(plan.tick_at(number), due.get(number, ()))


def is_failed(report: RuleReport, plan: Plan, now: datetime) -> bool:
    """Return whether the rule failed now, and not because the plan wants it."""
    if report.outcome == "query failed":
        return bool(report.planned) and not plan.query_fails(report.rule.rpartition("/")[0], now)
    return report.outcome in ("failed", "not stored")
