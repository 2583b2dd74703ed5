"""What a period cost: rows, the rest of them, and what follows from their sums."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, cast

from shared.usecases.spending.period import Period
from shared.usecases.spending.question import Question
from shared.usecases.spending.spent_query import MEASURES, PRICED_TOKENS, SUMS

DISPLAYED_DIGITS = 12
"""Amounts are shown to the trillionth of a dollar: what is below is the noise of doubles."""
MICROSECOND = timedelta(microseconds=1)
FORECAST_FROM = 0.1
"""A forecast is made once this part of the period has passed."""

Trend = Literal["new", "gone", "up", "down", "same"]


@dataclass(frozen=True, slots=True)
class Amount:
    """What some calls come to. usd: of those that have a price; None where no call has one.

    measures: as MEASURES. priced_tokens: input and output of the calls in usd.
    """

    usd: Decimal | None
    measures: Mapping[str, int]
    priced_tokens: int = 0

    @property
    def per_call_usd(self) -> Decimal | None:
        """Return the cost of a call that has a price."""
        return _each(self.usd, self.measures["calls"] - self.measures["unpriced_calls"])

    @property
    def per_1k_tokens_usd(self) -> Decimal | None:
        """Return the cost of a thousand tokens, input and output, of calls that have a price."""
        cost = _each(self.usd, self.priced_tokens)
        return None if cost is None else 1000 * cost


@dataclass(frozen=True, slots=True)
class Missions:
    """The missions that calls named, and what those calls cost."""

    count: int = 0
    usd: Decimal = Decimal(0)

    @property
    def each_usd(self) -> Decimal | None:
        """Return the cost of a mission."""
        return _each(self.usd, self.count)


@dataclass(frozen=True, slots=True)
class Spending:
    """What one team, model, … spent. values: in the order of `by`, None where calls named none.

    before: of the period before, None where none is compared with. series: one for each bucket.
    missions: None of the rest.
    """

    values: tuple[str | None, ...]
    now: Amount
    before: Amount | None
    series: tuple[Amount, ...]
    missions: Missions | None

    @property
    def change_usd(self) -> Decimal | None:
        """Return how much more than before; None where either is unknown."""
        if self.before is None or self.now.usd is None or self.before.usd is None:
            return None
        return self.now.usd - self.before.usd

    @property
    def change_percent(self) -> Decimal | None:
        """Return the change in per cent of what it was before; None where that was nothing."""
        change = self.change_usd
        return None if change is None else _each(100 * change, self.before and self.before.usd)

    @property
    def trend(self) -> Trend | None:
        """Return which way it went: new and gone by calls, the others by cost."""
        if self.before is None:
            return None
        if not self.before.measures["calls"]:
            return "new"
        if not self.now.measures["calls"]:
            return "gone"
        change = self.change_usd or 0
        return "same" if not change else "up" if change > 0 else "down"


@dataclass(frozen=True, slots=True)
class Unpriced:
    """Calls of one model that have no price.

    missing: what of the call is not known, such as ("usage",).
    add: the entry of config/prices.toml that would price them, its figures left to fill in; None
        where no price would help.
    """

    provider: str
    model: str
    calls: int
    input_tokens: int
    output_tokens: int
    first_seen: datetime
    last_seen: datetime
    missing: tuple[str, ...]
    add: str | None


@dataclass(frozen=True, slots=True)
class Bill:
    """The answer to a question. rows: those that were asked for. rest: all others in one.

    groups: how many rows there are in all. buckets: where each begins. forecast_usd: of the whole
    period at its pace so far, None where that is over, has hardly begun, or nothing is known.
    unread: instrumentation scope → how many of its spans count tokens in unknown words, and miss.
    """

    question: Question
    rows: tuple[Spending, ...]
    rest: Spending | None
    total: Spending
    groups: int
    buckets: tuple[datetime, ...]
    forecast_usd: Decimal | None
    unpriced: tuple[Unpriced, ...]
    unread: Mapping[str, int]

    @property
    def next(self) -> int | None:
        """Return the offset of the rows that follow; None where there are no more."""
        after = self.question.offset + len(self.rows)
        return after if self.rows and after < self.groups else None

    def share_percent(self, row: Spending) -> Decimal | None:
        """Return the row's part of all that is known."""
        usd = row.now.usd
        return None if usd is None else _each(100 * usd, self.total.now.usd)


def amount(rows: Iterable[Mapping[str, object]]) -> Amount:
    """Add up rows of sums; a group without one priced call has no cost: it is not free."""
    sums: dict[str, float] = dict.fromkeys(SUMS, 0)
    for row in rows:
        for name in sums:
            sums[name] += cast("float | None", row[name]) or 0
    measures = {name: int(sums[name]) for name in MEASURES}
    is_unpriced = measures["unpriced_calls"] >= measures["calls"] > 0
    usd = Decimal(int(sums["Micros"])).scaleb(-6) + dollars(sums["Rest"])
    return Amount(None if is_unpriced else usd, measures, int(sums[PRICED_TOKENS]))


def dollars(amount: object) -> Decimal:
    """Return the shortest decimal that is this double, without its noise."""
    return Decimal(repr(round(float(cast("float | None", amount) or 0), DISPLAYED_DIGITS)))


def forecast(total: Amount, period: Period, now: datetime) -> Decimal | None:
    """Return the cost of the whole period at its pace so far."""
    passed, length = (item // MICROSECOND for item in (period.passed(now), period.length))
    if total.usd is None or passed == length or passed < FORECAST_FROM * length:
        return None
    return total.usd * length / passed


def _each(usd: Decimal | None, count: Decimal | int | None) -> Decimal | None:
    return usd / count if usd is not None and count else None
