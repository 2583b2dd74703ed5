"""Shows what surrounds an alert: its values over time, who contributes, events, what changed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, cast

from shared.alerting.fast import FastCondition
from shared.alerting.history import Step
from shared.alerting.reading import finite, read_samples
from shared.alerting.rule import Condition, Rule, bind
from shared.errors import AgentmeterError
from shared.events.columns import COLUMNS
from shared.ports import Table, UsageLog
from shared.store_ports import AlertStore
from shared.usecases.evaluation.announce import CHANGES
from shared.usecases.evaluation.evaluate import QUERIES_AT_ONCE
from shared.usecases.evaluation.page_context import SOURCE, SUMMARY, narrowed
from shared.usecases.explaining.find_alert import Subject
from shared.usecases.explaining.unit import unit_of
from shared.usecases.explaining.why_sentence import sent

POINTS = 24
"""How many times a main condition is asked anew: each is a query."""
BEFORE, AFTER = timedelta(minutes=15), timedelta(minutes=10)
LONGEST = timedelta(hours=6)
SLICE = timedelta(seconds=15)
EVENTS_SHOWN = 5
EPISODES_SHOWN = 5
EVENT_COLUMNS = (
    *("TimeGenerated", "Name", "EventId", "Source", "TeamId", "AgentId", "AgentType", "MissionId"),
    *("Provider", "Model", "Operation", "Status", "ErrorType", "DurationS", "CostUsd"),
)
_BY_COLUMN = {column.name: column.key for column in COLUMNS}

Shown = dict[str, object]
Point = tuple[datetime, float | None]


class Finder(Protocol):
    """Finds the alert that a person means."""

    def find(self, id: str) -> Subject:
        """Return it. Raises NotFound where nothing has this id or name."""
        ...


@dataclass(frozen=True, slots=True)
class Around:
    """The time around the latest episode. fired_at, ended_at: None where it did not."""

    start: datetime
    end: datetime
    fired_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True)
class Context:
    """Reads the stores and the log; changes nothing."""

    subjects: Finder
    alerts: AlertStore
    log: UsageLog

    def show(self, id: str, now: datetime) -> Shown:
        """Return what surrounds the alert, as JSON values; a part without an answer says why.

        Raises:
            NotFound: nothing has this id or name.
        """
        subject = self.subjects.find(id)
        if subject.rule is None:
            return {
                "chart": None,
                "contributors": None,
                "events": None,
                **self._from_stores(subject, now),
            }
        rule, condition = subject.rule, _condition(subject, subject.rule)
        around = _around(subject, condition, now)
        return {
            "chart": _part(lambda: self._chart(subject, condition, around)),
            "contributors": _part(lambda: self._contributors(rule, around)),
            "events": _part(lambda: self._events(rule, subject, around)),
            **self._from_stores(subject, now, around),
        }

    def _chart(self, subject: Subject, condition: Condition, around: Around) -> Shown:
        points = (
            self._slices(condition.tallied, condition.query, subject, around)
            if condition.tallied
            else self._asked(condition, subject, around)
        )
        unit = unit_of(condition)
        return {
            "look": condition.name,
            "condition": str(condition.comparison),
            "limit": float(condition.comparison.threshold),
            "resolve": float(condition.resolve.threshold) if condition.resolve else None,
            "unit": {"before": unit.before, "after": unit.after},
            "points": [{"at": at.isoformat(), "value": value} for at, value in points],
        }

    def _asked(self, condition: Condition, subject: Subject, around: Around) -> list[Point]:
        """Ask the rule's own query at times that are evenly spread."""
        step = max((around.end - around.start) / POINTS, timedelta(minutes=1))
        count = min(POINTS, (around.end - around.start) // step + 1)
        times = [around.end - n * step for n in reversed(range(count))]

        def value(at: datetime) -> float | None:
            end = at - condition.offset
            start = end - condition.window
            table = self.log.query(
                bind(condition.query, start, end, condition.calendar), start, end
            )
            return _value(table, subject.labels)

        with ThreadPoolExecutor(QUERIES_AT_ONCE) as pool:
            return list(zip(times, pool.map(value, times), strict=True))

    def _slices(
        self, condition: FastCondition, query: str, subject: Subject, around: Around
    ) -> list[Point]:
        """Ask for what the fast condition counts, in slices of 15 s."""
        table = self.log.query(bind(query, around.start, around.end), around.start, around.end)
        rows = _own(table, subject.labels)
        points = ((cast("datetime", row["At"]), _judged(condition, row)) for row in rows)
        return sorted(points, key=lambda point: point[0])

    def _contributors(self, rule: Rule, around: Around) -> Shown | None:
        if not rule.contributors:
            return None
        end = around.fired_at or around.end
        start = end - rule.conditions[0].window
        table = self.log.query(bind(rule.contributors, start, end, rule.calendar), start, end)
        rows = [[_json(cell) for cell in row] for row in table.rows[:10]]
        return {"columns": list(table.columns), "rows": rows}

    def _events(self, rule: Rule, subject: Subject, around: Around) -> list[Shown] | None:
        """Return a few of the events that the contributors are summed up from."""
        head, summarized, _ = rule.contributors.strip().partition(SUMMARY)
        if not summarized or not head.startswith(SOURCE):
            return None
        end = (around.fired_at or around.end) + timedelta(minutes=1)
        start = end - rule.conditions[0].window
        latest = (
            *narrowed(subject.labels),
            f"| top {EVENTS_SHOWN} by TimeGenerated desc",
            f"| project {', '.join(EVENT_COLUMNS)}",
        )
        query = bind("\n".join((head, *latest)), start, end, rule.calendar)
        table = self.log.query(query, start, end)
        return [_event(dict(zip(table.columns, row, strict=True))) for row in table.rows]

    def _from_stores(self, subject: Subject, now: datetime, around: Around | None = None) -> Shown:
        """Return what the stores know: what changed, and the episodes before."""
        start = around.start if around else now - LONGEST
        changes = {
            (one.page.created_at, one.page.summary): one.page.reason
            for one in sent(self.alerts, CHANGES)
            if one.page.created_at >= start
        }
        return {
            "fired_at": _iso(around and around.fired_at),
            "ended_at": _iso(around and around.ended_at),
            "marks": [
                {"at": at.isoformat(), "kind": kind.split()[0], "text": text.partition(": ")[2]}
                for (at, text), kind in sorted(changes.items())
            ],
            "before": list(_episodes(subject))[:EPISODES_SHOWN],
        }


def _part(find: Callable[[], object]) -> Shown:
    """Return {value} of a part, or {error}: one without an answer takes no other along."""
    try:
        return {"value": find(), "error": ""}
    except AgentmeterError as exc:
        return {"value": None, "error": str(exc)}


def _condition(subject: Subject, rule: Rule) -> Condition:
    """Return the condition that fired, else the main one."""
    steps = (step for step in reversed(subject.own_steps) if step.state in ("firing", "pending"))
    name = next((step.texts.get("look") for step in steps), None)
    return next(
        (condition for condition in rule.conditions if condition.name == name), rule.conditions[0]
    )


def _around(subject: Subject, condition: Condition, now: datetime) -> Around:
    """Return the time from a while before the last episode until it was over, or now."""
    fired = _latest(subject.own_steps, "firing")
    if fired is None:
        return Around(now - max(2 * condition.window, BEFORE), now, None, None)
    is_over = subject.alert is None or subject.alert.phase != "firing"
    ended = _latest(subject.own_steps, "resolved") if is_over else None
    ended = ended if ended and ended >= fired else None
    start = fired - max(2 * condition.window, BEFORE)
    end = min(now, ended + AFTER if ended else now, start + LONGEST)
    return Around(start, end, fired, ended)


def _latest(steps: Sequence[Step], state: str) -> datetime | None:
    return next((s.at for s in reversed(steps) if (s.kind, s.state) == ("transition", state)), None)


def _value(table: Table, labels: Mapping[str, str]) -> float | None:
    """Return the value of the alert's own series."""
    samples = read_samples(table.columns, table.rows).values()
    return next((finite(one.value) for one in samples if one.labels == labels), None)


def _own(table: Table, labels: Mapping[str, str]) -> Iterator[Mapping[str, object]]:
    """Yield the rows of the alert's own series."""
    for cells in table.rows:
        row = dict(zip(table.columns, cells, strict=True))
        if all(row.get(name, value) == value for name, value in labels.items()):
            yield row


def _judged(condition: FastCondition, row: Mapping[str, object]) -> float | None:
    """Return the value of a slice in the unit of the limit."""
    if condition.measured == "value":
        return cast("float | None", row["Value"])
    bad, all_ = (float(cast("float | None", row[name]) or 0) for name in ("Bad", "All"))
    if condition.rate and condition.rate.per_s:
        return bad * condition.rate.per_s / SLICE.total_seconds()
    share = bad / all_ if all_ else None
    return share if share is None or condition.rate else 100 * share


def _episodes(subject: Subject) -> Iterator[Shown]:
    """Yield the episodes before the latest, the last first, each with what people said of it."""
    fired = [s for s in subject.own_steps if (s.kind, s.state) == ("transition", "firing")]
    for step in reversed(fired[:-1]):
        same = [other for other in subject.own_steps if other.episode == step.episode]
        verdict = next((other.state for other in reversed(same) if other.kind == "verdict"), None)
        yield {
            "fired_at": step.at.isoformat(),
            "ended_at": _iso(_latest(same, "resolved")),
            "value": step.numbers.get("value"),
            "verdict": verdict,
        }


def _event(row: Mapping[str, object]) -> Shown:
    """Return the event under the names that its sender knows; what it has not is left out."""
    named = {_BY_COLUMN.get(name, name): value for name, value in row.items()}
    at = cast("datetime", named.pop("TimeGenerated"))
    shown: Shown = {"at": at.isoformat(), "id": named.pop("id"), "type": named.pop("Name")}
    return shown | {name: value for name, value in named.items() if value not in (None, "")}


def _json(cell: object) -> object:
    return cell.isoformat() if isinstance(cell, datetime) else cell


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
