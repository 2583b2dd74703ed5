"""The shapes of what the API answers about costs, for the OpenAPI document, and its parameters."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from functions.cost_question import COMPARED, FORMATS, MOST_ROWS, NOT, ORDERS
from functions.openapi.answers import Shape
from functions.openapi.operation import Parameter
from shared.usecases.explaining.dearest import WORK_SORTS
from shared.usecases.spending.bill import Trend
from shared.usecases.spending.buckets import WIDTHS
from shared.usecases.spending.calls import CALL_SORTS, FARTHEST
from shared.usecases.spending.question import SPLIT_BY
from shared.usecases.spending.spent_query import SORTS

Moment = Annotated[AwareDatetime, Field(examples=["2026-01-31T12:00:00Z"])]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$", examples=["2026-01-31"])]
PeriodName = Annotated[str, Field(examples=["this_month", "last_week", "7d"])]
Zone = Annotated[str, Field(examples=["Europe/Berlin"])]
Dimension = Literal[tuple(SPLIT_BY)]
Usd = float | None


class Measures(Shape):
    """What calls amount to, as they stand after all corrections."""

    calls: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    estimated_calls: int
    unpriced_calls: int


class Series(Shape):
    """The same for each bucket."""

    cost_usd: list[Usd]
    calls: list[int]
    input_tokens: list[int]
    output_tokens: list[int]
    cache_read_tokens: list[int]
    cache_write_tokens: list[int]
    reasoning_tokens: list[int]
    estimated_calls: list[int]
    unpriced_calls: list[int]


class Figures(Measures):
    """What follows from the measures. missions: how many the calls named, null of the rest.

    previous_usd to trend: with `compare=previous`. series: with `bucket`.
    """

    share_percent: float | None
    missions: int | None
    cost_per_call_usd: Usd
    cost_per_1k_tokens_usd: Usd
    cost_per_mission_usd: Usd
    previous_usd: Usd = None
    previous_calls: int | None = None
    change_usd: Usd = None
    change_percent: float | None = None
    trend: Trend | None = None
    series: Series | None = None


class CostRow(Figures):
    """What one team, model, … spent, under the names that `by` asked for; null: calls named none.

    cost_usd: of the calls that have a price; null if none has.
    """

    team: str | None = None
    agent_type: str | None = None
    agent: str | None = None
    mission: str | None = None
    provider: str | None = None
    model: str | None = None
    tenant: str | None = None
    environment: str | None = None
    conversation: str | None = None
    user: str | None = None
    deployment: str | None = None
    tier: str | None = None
    cost_status: str | None = None
    cost_usd: Usd


class Rest(Figures):
    """All rows that are not listed, in one. groups: how many they are."""

    groups: int
    cost_usd: Usd


class Unpriced(Shape):
    """Calls of one model that have no price. add: the entry of config/prices.toml that would."""

    provider: str
    model: str
    calls: int
    input_tokens: int
    output_tokens: int
    first_seen: AwareDatetime
    last_seen: AwareDatetime
    missing: list[str]
    add: str | None


class Unread(Shape):
    """Spans and log records of one instrumentation scope that count tokens in unknown words."""

    scope: str
    spans: int


class Bounds(Shape):
    """A period: from, up to and without to."""

    start: AwareDatetime = Field(alias="from")
    end: AwareDatetime = Field(alias="to")


class Costs(Figures):
    """What a period cost. groups: how many rows there are in all. next: the offset of those that
    follow. forecast_usd: of the whole period at its pace so far, while it goes on. unpriced: the
    100 most called models without a price. unread: scopes whose spans miss from all of it, however
    it was narrowed."""

    start: AwareDatetime = Field(alias="from")
    end: AwareDatetime = Field(alias="to")
    timezone: str
    by: str
    total_usd: Usd
    forecast_usd: Usd
    previous: Bounds | None = None
    buckets: list[AwareDatetime] | None = None
    rows: list[CostRow]
    rest: Rest | None
    groups: int
    next: int | None
    unpriced: list[Unpriced]
    unread: list[Unread]


class Call(Shape):
    """A row of the log: a model call, or `calls` equal ones. What it did not name is null."""

    at: AwareDatetime
    id: str
    source: str
    team: str | None
    agent_type: str | None
    agent: str | None
    mission: str | None
    conversation: str | None
    provider: str
    model: str
    status: str
    error_type: str | None
    calls: int
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    duration_s: float | None
    cost_usd: Usd
    cost_status: str
    missing: list[str]
    trace: str | None


class Calls(Bounds):
    """The calls that a cost is made of. count: how many rows there are in all."""

    calls: list[Call]
    count: int
    next: int | None


def _rows(sorts: object, top: str, most: int) -> tuple[Parameter, ...]:
    return (
        Parameter("sort", "What rows are sorted by, the largest first.", sorts),
        Parameter("order", "`asc`: the smallest first.", Literal[ORDERS]),
        Parameter("top", top, Annotated[int, Field(ge=1, le=most)]),
        Parameter("offset", "Skip so many rows.", Annotated[int, Field(ge=0, le=MOST_ROWS)]),
    )


WHEN = (
    Parameter("from", "Since when; 24 hours before `to` if left out.", Moment | Day),
    Parameter("to", "Until when; now if left out.", Moment | Day),
    Parameter(
        "period",
        "In place of both: `today`, `yesterday`, `this_week`, `last_week`, … `_month`, "
        "`_quarter`, `_year`, or a span up to now, such as `24h`, `7d`, `4w`.",
        PeriodName,
    ),
    Parameter("timezone", "Where days begin at midnight; UTC if left out.", Zone),
)
FILTERS: tuple[Parameter, ...] = tuple(
    Parameter(prefix + name, text.format(name=name.replace("_", " ")))
    for prefix, text in (
        (
            "",
            "Only calls of this {name}, or of several: `a,b`; `(none)`: of none.",
        ),
        (NOT, "No call of this {name}, likewise."),
    )
    for name in SPLIT_BY
)
ASK: tuple[Parameter, ...] = (
    Parameter("by", "What to split costs by: two at most, with a comma between.", Dimension),
    *WHEN,
    Parameter("bucket", "Split each row over time, too.", Literal[WIDTHS]),
    Parameter("compare", "Compare with the period before.", Literal[COMPARED]),
    *_rows(Literal[tuple(SORTS)], "So many rows; 1,000 if left out. The rest is one.", MOST_ROWS),
    Parameter("format", "`Accept: text/csv` does the same.", Literal[FORMATS]),
    *FILTERS,
)
LISTED = f"So many; 100 if left out, and {FARTHEST:,} in all."
ASK_CALLS: tuple[Parameter, ...] = (
    *WHEN,
    *_rows(Literal[tuple(CALL_SORTS)], LISTED, 1_000),
    *FILTERS,
)
ASK_WORK: tuple[Parameter, ...] = (
    *WHEN,
    *_rows(Literal[tuple(WORK_SORTS)], LISTED, 1_000),
    *FILTERS,
)
