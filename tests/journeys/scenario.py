"""Small scenarios for replay: events by the minute, the rules that ship, what came of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from replay.outcome import outcome
from replay.plan import Plan
from replay.recording import Recorded
from replay.run import replay
from replay.world import Config
from shared.adapters.config.config_folder import read_routes, rules_of
from shared.alerting.comparison import parse_comparison
from shared.alerting.grouping import Routes
from shared.alerting.rule import Rule
from tests.factories import event

CONFIG = Path(__file__).parents[2] / "config"
START = datetime(2026, 1, 5, tzinfo=UTC)
RULES = {rule.key: rule for rule in rules_of(CONFIG / "rules")}
QUEUE = "HighTaskQueueBacklog/warning"
POOL = "LowDatabaseConnections/warning"
ERRORS = "HighErrorRate/critical"
FAILURES = "LLMAPIFailureRate/critical"
Json = dict[str, Any]

_numbers = count()


@cache
def routes() -> Routes:
    """Return the routes that ship."""
    return read_routes(CONFIG)


def graver(rule: str, over: int) -> Rule:
    """Return that rule once more: critical, over a threshold of its own, without [fast]."""
    change = {"severity": "critical", "condition": parse_comparison(f"> {over}"), "fast": None}
    return RULES[rule].model_copy(update=change)


def at(second: float, kind: str, **data: object) -> Json:
    """Return an event of that second."""
    time = (START + timedelta(seconds=second)).isoformat()
    return event(kind, next(_numbers), **data) | {"time": time}


def queue(values: Sequence[float | None], source: str = "a") -> list[Json]:
    """Return a sample of the queue for each minute, half a minute before its tick; None: none."""
    return list(_samples("task.queue", values, source))


def pool(values: Sequence[float | None], source: str = "a") -> list[Json]:
    """Return the idle connections of a source for each minute, as queue()."""
    return list(_samples("db.pool", values, source))


def _samples(kind: str, values: Sequence[float | None], source: str) -> Iterator[Json]:
    for minute, value in enumerate(values):
        if value is not None:
            yield at(60 * minute - 30, kind, value=value) | {"source": source}


def errors(a_minute: Sequence[int]) -> list[Json]:
    """Return so many errors for each minute, in four lots."""
    lots = [(60 * m - 60 + 15 * lot + 10, n) for m, n in enumerate(a_minute) for lot in range(4)]
    shares = [(second, (n + index % 4) // 4) for index, (second, n) in enumerate(lots)]
    return [at(second, "error", count=n) for second, n in shares if n]


@dataclass(frozen=True)
class Found:
    """What a replay wrote."""

    output: Mapping[str, Any]
    failed: Mapping[str, str]
    refused: Sequence[str]

    def states(self, alert: str = "", **labels: str) -> list[tuple[float, str]]:
        """Return (minute, state) of the timeline, of one alert or series where named."""
        return [
            (entry["t"] / 60, entry["state"])
            for entry in self.output["timeline"]
            if alert in ("", f"{entry['alert']}/{entry['severity']}")
            and labels.items() <= entry["labels"].items()
        ]

    def calls(self, alert: str = "") -> list[tuple[float, str, int]]:
        """Return (minute, action, status) of the calls of PagerDuty."""
        return [
            (call["t"] / 60, call["action"], call["status"])
            for call in self.output["pagerduty"]
            if alert in ("", f"{call['alert']}/{call['severity']}")
        ]

    def reasons(self) -> list[str]:
        """Return why each call was made."""
        return [call["reason"] for call in self.output["pagerduty"]]


def run(
    events: Sequence[Json],
    *rules: str | Rule,
    minutes: float,
    prices: str = "",
    by: Routes | None = None,
    **plan: object,
) -> Found:
    """Replay the events by these rules, without [fast] and offset unless the plan says so.

    by: routes other than those that ship.
    """
    stated: Json = {"start": START, "duration_s": 60 * minutes, "offset_s": 0, "fast": False}
    checked = Plan.model_validate(stated | plan)
    chosen = [RULES[rule] if isinstance(rule, str) else rule for rule in rules]
    recorded = [
        Recorded(number, to_json(one), datetime.fromisoformat(one["time"]))
        for number, one in enumerate(events, start=1)
    ]
    recorded.sort(key=lambda one: one.at)
    happened = replay(checked, Config(chosen, by or routes(), prices), recorded, lambda _: None)
    refused = [f"{one.number}: {one.why}" for one in happened.refused]
    return Found(outcome(checked, happened), happened.failed, refused)
