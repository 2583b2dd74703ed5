"""Model calls in a stand-in, and what they cost by plain arithmetic: the truth of costs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from shared.ports import Table
from standin.monitor.store import MonitorStore
from tests.fakes import START, FakeClock
from tests.monitor import event

NAMES: Mapping[str, Sequence[str]] = {
    "team": ("Zürich", "東京 🗼", 'it\'s "odd", \\x', "red", ""),
    "agent": tuple(f"agent-{n}" for n in range(40)),
    "model": ("gpt-4", "claude-sonnet-4-5", "house-blend"),
    "mission": ("", *(f"m{n}" for n in range(12))),
    "type": ("planner", "coder"),
}
STATUSES = ("known", "known", "known", "estimated", "unknown")
COLUMNS = {"agent_type": "type", "cost_status": "status"}


@dataclass(frozen=True)
class Paid:
    """A call as it stands after corrections. names: as NAMES."""

    at: datetime
    names: Mapping[str, str]
    status: str
    usd: Decimal | None
    count: int
    tokens: tuple[int, int]

    def name(self, dimension: str) -> str:
        """Return what it names of a dimension."""
        return (
            self.status
            if dimension == "cost_status"
            else self.names[COLUMNS.get(dimension, dimension)]
        )


class Ledger:
    """A log of calls over so many days before now, some corrected later, and the truth of it."""

    def __init__(self, seed: int, calls: int, days: int, now: datetime = START) -> None:
        self._random = Random(seed)
        self.store = MonitorStore(None, FakeClock(now))
        self.paid: list[Paid] = []
        span_s = days * 86_400
        rows: list[dict[str, Any]] = []
        for number in range(calls):
            at = now - timedelta(seconds=self._random.uniform(0, span_s))
            rows += self._call(number, at, now)
        for start in range(0, len(rows), 500):
            assert self.store.track(rows[start : start + 500]).status == 200

    def _call(self, number: int, at: datetime, now: datetime) -> Iterable[dict[str, Any]]:
        choose = self._random.choice
        names = {name: choose(values) for name, values in NAMES.items()}
        status, count = choose(STATUSES), choose((1, 1, 3))
        usd = None if status == "unknown" else Decimal(self._random.randrange(10**7)).scaleb(-8)
        tokens = self._random.randrange(5_000), self._random.randrange(900)
        yield self._row("llm.call", number, at, now, names, status, usd, count, tokens)
        if self._random.random() < 0.1:  # repriced, twice at times
            for revision in range(1, choose((2, 3))):
                old, status = usd, choose(("overridden", "unknown"))
                usd = (
                    None
                    if status == "unknown"
                    else Decimal(self._random.randrange(10**6)).scaleb(-6)
                )
                yield self._correction(number, at, now, names, (old, usd), status, revision, count)
        self.paid.append(Paid(at, names, status, usd, count, tokens))

    def _row(
        self,
        kind: str,
        number: int,
        at: datetime,
        now: datetime,
        names: Mapping[str, str],
        status: str,
        usd: Decimal | None,
        count: int,
        tokens: tuple[int, int],
    ) -> dict[str, Any]:
        text = {k: v for k, v in names.items() if v} | {"cost": status}
        text |= {"id": f"{number}", "source": "ledger", "provider": "house"}
        numbers = {"count": count, "in": tokens[0], "out": tokens[1]}
        numbers |= {} if usd is None else {"usd": float(usd)}
        return event(text | late(at, now), numbers, taken(at, now), kind)

    def _correction(
        self,
        number: int,
        at: datetime,
        now: datetime,
        names: Mapping[str, str],
        amounts: tuple[Decimal | None, Decimal | None],
        status: str,
        revision: int,
        count: int,
    ) -> dict[str, Any]:
        old, new = amounts
        text = {k: v for k, v in names.items() if v} | {"cost": status, "source": "ledger"}
        text |= {"id": f"{number}~{revision}", "adjusts": f"{number}"}
        text |= {} if new is None else {"new_cost_usd": str(new)}
        numbers = {"count": 0, "adjusted_count": count, "revision": revision}
        numbers |= {"usd": float((new or 0) - (old or 0))}
        return event(text | late(at, now), numbers, taken(at, now), "cost.adjustment")

    def query(self, kql: str, start: datetime, end: datetime) -> Table:
        """Answer as the UsageLog does."""
        answer = self.store.query(kql, start, end)
        return Table(answer.columns, answer.rows)


def taken(at: datetime, now: datetime) -> datetime:
    """Return the nearest time that Azure takes."""
    return max(at, now - timedelta(hours=47))


def late(at: datetime, now: datetime) -> dict[str, str]:
    """Return what a row names that stands at another time than its own."""
    return {} if taken(at, now) == at else {"occurred_at": at.isoformat()}


def usd_of(calls: Iterable[Paid]) -> Decimal | None:
    """Return what the calls cost; None where there are some and none has a price."""
    listed = list(calls)
    known = [one.usd for one in listed if one.usd is not None]
    return sum(known, Decimal(0)) if known or not listed else None
