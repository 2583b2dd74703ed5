"""A model call as it stands in the log with all its corrections, and the row of the next one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import cast

from pydantic import ValidationError

from shared.events.columns import ADJUSTMENT, ATTEMPT, COLUMNS, columns_of
from shared.events.identity import adjustment_id
from shared.events.types import LlmCall
from shared.pricing.cost import Cost
from shared.pricing.entry import plain
from shared.rows import EventRow
from shared.units import Usage
from shared.usecases.processing.exporting import OLDEST

OWN = {"response_id", "doubts"}
"""What is of one call, and no name to sum up by."""
COPIED = (
    "subject",
    *(one.key for one in columns_of(LlmCall) if one.type == "string" and one.key not in OWN),
)
"""What an adjustment says of its call, so that a sum by it has both."""

_KEYS = {
    *("id", "source", "occurred_at", "cost_status", "cost_usd", "count", *Usage.model_fields),
    *("adjusts", "new_cost_usd", "revision", "doubts", "stated_cost_usd", *COPIED),
}
READ = tuple(column for column in COLUMNS if column.key in _KEYS)
"""The columns that a row of the log must come with, besides those of ROW_COLUMNS."""
ROW_COLUMNS = ("At", "Name", "OperationId", "ParentId")

LogRow = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Booked:
    """What a call costs by the log. revision: how many corrections there were."""

    usd: Decimal | None
    status: str
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Recorded:
    """A call in the log.

    at: the time that its cost is counted at. happened_at: the time that it is priced at; another
    where the sender dated it ahead.
    """

    id: str
    source: str
    call: LlmCall
    at: datetime
    happened_at: datetime
    booked: Booked
    text: Mapping[str, str]
    operation_id: str
    parent_id: str


@dataclass(frozen=True, slots=True)
class Repriced:
    """A call, and what it costs by the prices of now."""

    recorded: Recorded
    cost: Cost

    @property
    def differs(self) -> bool:
        """Return whether the log must be corrected; it keeps amounts as doubles."""
        old, new = self.recorded.booked, self.cost
        amounts = [None if usd is None else float(usd) for usd in (old.usd, new.usd)]
        return (old.status, amounts[0]) != (new.status, amounts[1])


@dataclass(frozen=True, slots=True)
class Note:
    """What the audit trail says of a correction. run_at: orders two runs that did not see each
    other's rows yet."""

    reason: str
    who: str
    run_at: datetime


def read_log(rows: Iterable[LogRow]) -> tuple[list[Recorded], int]:
    """Return the calls of the rows with their corrections, and how many rows are none of ours."""
    calls: list[LogRow] = []
    last: dict[tuple[object, object], LogRow] = {}
    for row in rows:
        if row["Name"] != ADJUSTMENT:
            calls.append(row)
            continue
        key = (row["Source"], row["Adjusts"])
        if key not in last or _int(row["Revision"]) > _int(last[key]["Revision"]):
            last[key] = row
    found = [_recorded(row, last.get((row["Source"], row["EventId"]))) for row in calls]
    read = [one for one in found if one is not None]
    return read, len(found) - len(read)


def _recorded(row: LogRow, correction: LogRow | None) -> Recorded | None:
    """Return the call, None where another program wrote a row of that name and other fields."""
    stated = {column.key: row[column.name] for column in READ}
    text = {key: str(stated[key]) for key in COPIED if stated[key]}
    try:
        call = _call(stated, text)
    except ValidationError:
        return None
    at = cast("datetime", row["At"])
    occurred_at = str(stated["occurred_at"] or "")
    return Recorded(
        id=str(stated["id"]),
        source=str(stated["source"]),
        call=call,
        at=at,
        happened_at=datetime.fromisoformat(occurred_at) if occurred_at else at,
        booked=_booked(row) if correction is None else _corrected(correction),
        text=text,
        operation_id=str(row["OperationId"] or ""),
        parent_id=str(row["ParentId"] or ""),
    )


def _call(stated: Mapping[str, object], text: Mapping[str, str]) -> LlmCall:
    """Return the call as it was sent, in all that its price depends on.

    Rows of before 2026-12 say what the provider stated only where it was believed: as their cost.
    """
    usage = {name: stated[name] for name in Usage.model_fields if stated[name] is not None}
    fields: dict[str, object] = {key: text[key] for key in text if key in LlmCall.model_fields}
    reported = _usd(stated["cost_usd"]) if stated["cost_status"] == "reported" else None
    fields["doubts"] = tuple(filter(None, str(stated["doubts"] or "").split(",")))
    return LlmCall.model_validate(
        {
            **fields,
            "count": stated["count"],
            "usage": usage or None,
            "cost_usd": _usd(stated["stated_cost_usd"]) or reported,
        }
    )


def _booked(row: LogRow) -> Booked:
    return Booked(_usd(row["CostUsd"]), str(row["CostStatus"]))


def _corrected(row: LogRow) -> Booked:
    new = str(row["NewCostUsd"])
    return Booked(Decimal(new) if new else None, str(row["CostStatus"]), _int(row["Revision"]))


def adjustment(repriced: Repriced, note: Note, now: datetime) -> EventRow:
    """Return the row that, added to those before, makes the call cost what it should.

    now: Azure takes no row that is older than two days; an older one stands at the oldest time
    that it takes, and names its own.
    """
    recorded, cost = repriced.recorded, repriced.cost
    old, revision = recorded.booked, recorded.booked.revision + 1
    time = max(recorded.at, now - OLDEST)
    text = {
        **recorded.text,
        "id": adjustment_id(recorded.source, recorded.id, revision),
        "source": recorded.source,
        "adjusts": recorded.id,
        "occurred_at": "" if time == recorded.at else recorded.at.astimezone(UTC).isoformat(),
        "old_cost_status": old.status,
        "old_cost_usd": "" if old.usd is None else plain(old.usd),
        "new_cost_usd": "" if cost.usd is None else plain(cost.usd),
        "cost_status": cost.status,
        "cost_source": cost.source,
        "cost_missing": ",".join(cost.missing),
        "reason": note.reason,
        "who": note.who,
    }
    numbers = {
        "count": 0.0,
        "adjusted_count": float(recorded.call.count),
        "revision": float(revision),
        "cost_usd": float((cost.usd or 0) - (old.usd or 0)),
        ATTEMPT: float(int(note.run_at.timestamp())),
    }
    filled = {key: value for key, value in text.items() if value}
    return EventRow(*(ADJUSTMENT, time, filled, numbers, recorded.operation_id, recorded.parent_id))


def _usd(value: object) -> Decimal | None:
    """Return the shortest decimal that is this double."""
    return None if value is None else Decimal(repr(value))


def _int(value: object) -> int:
    return int(cast("int | None", value) or 0)
