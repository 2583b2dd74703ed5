"""Rules over what has been: rows of the log, minute by minute, through the state machine."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby

from replay.pager import Attempt
from replay.plan import Plan
from replay.rules import through_pagerduty
from replay.run import is_failed
from replay.world import Config, World
from shared.alerting.record import RuleRecord, Transition
from shared.rows import EventRow
from shared.usecases.evaluation.run_report import RuleReport

Key = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class Episode:
    """An alert from the moment when a condition was first true until it ended; it fired in between.

    peak: the value furthest beyond the threshold in the minutes in which it fired, of the condition
    that made it fire. told_at: when a page about it was taken; None where an incident was open
    already. ended_at: None: it goes on.
    """

    rule: str
    labels: Mapping[str, str]
    since: datetime
    fired_at: datetime
    look: str = ""
    peak: float | None = None
    told_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(slots=True)
class Past:
    """What a set of rules would have done. failed: rule → why it could not be evaluated."""

    episodes: list[Episode] = field(default_factory=list[Episode])
    pages: list[Attempt] = field(default_factory=list[Attempt])
    failed: dict[str, str] = field(default_factory=dict[str, str])

    def triggers(self, rule: str) -> int:
        """Return how many incidents the rule would open, with their updates and reminders."""
        return sum(one.page.rule == rule for one in self.pages if one.page.action == "trigger")


class Follower:
    """Takes one set of rules through the minutes; several can follow the same rows."""

    def __init__(self, config: Config, plan: Plan) -> None:
        self._plan = plan
        self._below = {
            (rule.key, condition.name)
            for rule in config.rules
            for condition in rule.conditions
            if condition.comparison.direction == "below"
        }
        self._world = World(replace(config, routes=through_pagerduty(config.routes)), plan)
        self._pending: dict[Key, datetime] = {}
        self._open: dict[Key, Episode] = {}
        self.past = Past()

    def minute(self, at: datetime, rows: Sequence[EventRow], *, ticks: bool) -> None:
        """Add the rows that are there by then, and do what the timer does unless it is history."""
        self._world.clock.at = at
        self._world.load(rows)
        self._world.work(at)
        if not ticks:
            return
        reports = self._world.tick()
        self.past.failed |= {r.rule: r.error for r in reports if is_failed(r, self._plan, at)}
        for report in reports:
            self._note(report)
        for record in self._world.alerts.load_all():
            self._note_peaks(record)

    def finish(self) -> Past:
        """Return what was found and let go of everything."""
        self.past.pages = [one for one in self._world.pager.attempts if one.status == 202]
        self.past.episodes += self._open.values()
        self.past.episodes = [_with_page(one, self.past.pages) for one in self.past.episodes]
        self.past.episodes.sort(key=lambda one: (one.fired_at, one.rule))
        self._world.close()
        return self.past

    def _note(self, report: RuleReport) -> None:
        """Begin and end episodes."""
        for step in report.transitions:
            key = (report.rule, tuple(sorted(step.series.items())))
            if step.state == "pending":
                self._pending[key] = step.at
            elif step.state == "firing":
                since = self._pending.pop(key, step.at)
                self._open[key] = Episode(report.rule, step.series, since, step.at)
            else:
                self._end(key, step)

    def _end(self, key: Key, step: Transition) -> None:
        self._pending.pop(key, None)
        if episode := self._open.pop(key, None):
            self.past.episodes.append(replace(episode, ended_at=step.at))

    def _note_peaks(self, record: RuleRecord) -> None:
        """Remember the values of alerts that fire, where they are worse than before."""
        for alert in record.firing.values():
            key = (record.rule, tuple(sorted(alert.labels.items())))
            episode = self._open.get(key)
            if episode and alert.value is not None and episode.look in ("", alert.by):
                worse = min if (record.rule, alert.by) in self._below else max
                peak = alert.value if episode.peak is None else worse(episode.peak, alert.value)
                self._open[key] = replace(episode, look=alert.by, peak=peak)


def _with_page(episode: Episode, pages: Sequence[Attempt]) -> Episode:
    """Return the episode with the first trigger that it could be in."""
    at = (
        one.at
        for one in pages
        if (one.page.rule, one.page.action) == (episode.rule, "trigger")
        and one.at >= episode.fired_at
        and (episode.ended_at is None or one.at <= episode.ended_at)
    )
    return replace(episode, told_at=next(at, None))


def follow(
    plan: Plan,
    followers: Sequence[Follower],
    rows: Iterable[EventRow],
    ticked: Callable[[int], None],
) -> list[Past]:
    """Take all followers through the plan's minutes; rows: in the order of their times.

    ticked: is called with 1 after each minute of the plan.
    """
    for at, some, ticks in _minutes(plan, rows):
        for follower in followers:
            follower.minute(at, some, ticks=ticks)
        if ticks:
            ticked(1)
    return [follower.finish() for follower in followers]


def _minutes(
    plan: Plan, rows: Iterable[EventRow]
) -> Iterator[tuple[datetime, Sequence[EventRow], bool]]:
    """Yield the minutes of history that have rows, then each of the plan, with their rows."""
    done = 0
    for number, some in groupby(rows, key=lambda row: plan.tick_of(row.time)):
        if number >= plan.ticks:
            break
        yield from ((plan.tick_at(n), (), True) for n in range(done, number))
        yield plan.tick_at(number), tuple(some), number >= 0
        done = max(done, number + 1)
    yield from ((plan.tick_at(n), (), True) for n in range(done, plan.ticks))
