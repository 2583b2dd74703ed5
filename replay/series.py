"""Events as compact series: a kind, its data, and a line of values at even steps."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, JsonValue
from pydantic_core import to_json

from replay.recording import Recorded
from shared.alerting.rule import Duration

MOST_VALUES = 100_000
_NUMBER = r"-?\d+(?:\.\d+)?"
_TERM = re.compile(rf"(?P<first>{_NUMBER}|_)(?:(?P<step>[+-]\d+(?:\.\d+)?)?x(?P<more>\d{{1,6}}))?")


def expand(line: str) -> tuple[float | None, ...]:
    """Return the values that a line stands for, as promtool reads it; None for a gap.

    `5` is one value, `5x3` is 5 and three more, `5+10x3` is 5 15 25 35, `_x3` is four gaps.
    Raises:
        ValueError: a word is none of these; it is named, with the remedy.
    """
    return tuple(value for word in line.split() for value in _term(word))


def _term(word: str) -> Iterator[float | None]:
    found = _TERM.fullmatch(word)
    if not found:
        raise ValueError(f"{word!r} is no value; write one such as 5, 5x3, 5+10x3, _ or _x3")
    count = 1 + int(found["more"] or 0)
    if count > MOST_VALUES:
        raise ValueError(f"{word!r} stands for over {MOST_VALUES:,} values; write fewer")
    if found["first"] == "_":
        return iter([None] * count)
    first, step = float(found["first"]), float(found["step"] or 0)
    return (first + n * step for n in range(count))


def _checked(line: str) -> str:
    expand(line)
    return line


def _even(step: timedelta) -> timedelta:
    if not step:
        raise ValueError("no time passes between two values; write one such as PT15S")
    return step


def _as_json(said: object) -> object:
    """Return what TOML says as JSON has it: its amounts are read as Decimals."""
    if isinstance(said, Decimal):
        return float(said)
    if isinstance(said, dict):
        return {name: _as_json(v) for name, v in cast("dict[str, object]", said).items()}
    if isinstance(said, list):
        return [_as_json(item) for item in cast("list[object]", said)]
    return said


JsonObject = Annotated[Mapping[str, JsonValue], BeforeValidator(_as_json)]


class Series(BaseModel, frozen=True, extra="forbid"):
    """Events of one kind: one for each value.

    values: a line as expand() reads it; a count of 0 is no event. field: the place in `data` that
    takes the value, with dots between names. from_: of the first value, from the start on.
    """

    type: str
    values: Annotated[str, AfterValidator(_checked)]
    field: str = "count"
    data: JsonObject = {}
    source: str = "series"
    every: Annotated[Duration, AfterValidator(_even)] = timedelta(minutes=1)
    from_: Duration = Field(timedelta(0), alias="from")

    def events(self, start: datetime, name: str) -> Iterator[tuple[datetime, dict[str, object]]]:
        """Yield each event with its time. name: makes ids unique among series."""
        for number, value in enumerate(expand(self.values)):
            if value is None or (value, self.field) == (0, "count"):
                continue
            at = start + self.from_ + number * self.every
            yield (
                at,
                {
                    "specversion": "1.0",
                    "id": f"{name}-{number}",
                    "source": self.source,
                    "type": self.type,
                    "time": at.isoformat(),
                    "data": _with(self.data, self.field.split("."), value),
                },
            )


def record(series: Sequence[Series], start: datetime) -> list[Recorded]:
    """Return the events of all series in the order of their times."""
    events = [
        event for n, one in enumerate(series, start=1) for event in one.events(start, f"series-{n}")
    ]
    events.sort(key=lambda event: event[0])
    return [Recorded(n, to_json(one), at) for n, (at, one) in enumerate(events, start=1)]


def _with(data: Mapping[str, JsonValue], path: Sequence[str], value: float) -> dict[str, object]:
    """Return the data with the value at that place; a whole number is written as one."""
    name, *rest = path
    if not rest:
        return {**data, name: int(value) if value.is_integer() else value}
    inner = data.get(name)
    return {**data, name: _with(inner if isinstance(inner, dict) else {}, rest, value)}
