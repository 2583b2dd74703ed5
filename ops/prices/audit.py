"""Holds our prices against those of two independent sources, model by model.

audit.csv has what each source said of a model on its day, in US dollars per million tokens: input,
output, cache read and cache write, "-" where it said nothing; and where the sources and we differ,
the vendor's own figures and where they can be looked up.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal

from shared.events.types import LlmCall
from shared.pricing.cost import Cost
from shared.pricing.entry import plain
from shared.pricing.price import Prices
from shared.units import Usage

Verdict = Literal["agrees", "settled", "doubt", "unknown", "open"]
Figures = tuple[Decimal | None, ...]
"""Input, output, cache read, cache write; None where nothing is said."""

SOURCES: Mapping[str, tuple[str, datetime]] = {
    "litellm": (
        "LiteLLM 1.106.2, model_prices_and_context_window_backup.json",
        datetime(2026, 10, 21, 12, tzinfo=UTC),
    ),
    "models_dev": (
        "models.dev, providers/*/models/*.toml at f3fc692",
        datetime(2026, 7, 2, 12, tzinfo=UTC),
    ),
}
"""Column of the table → what it was taken from, and the day of that. Off-peak at noon UTC."""

TABLE = Path(__file__).with_name("audit.csv")
SAME = Decimal("0.000001")
SIZE = 1_000


@dataclass(frozen=True, slots=True)
class Audited:
    """A model with what the sources and we say of it.

    ours: on the day of the newest source. status, missing: of a call that uses text alone.
    """

    seller: str
    model: str
    told: Mapping[str, Figures]
    ours: Figures | None
    status: str
    missing: Sequence[str]
    vendor: Figures
    vendor_source: str
    verdict: Verdict


def audit(prices: Prices) -> Iterator[Audited]:
    """Yield every model of the table with its verdict.

    agrees: every figure of both is ours. settled: they differ, and ours are the vendor's by what
    the row names. doubt: our cost is an estimate that names why. unknown: we have no price. open:
    none of these.
    """
    with TABLE.open(newline="") as table:
        for row in csv.DictReader(table):
            yield _audited(prices, row)


def figures(text: str) -> Figures:
    """Read "2.5 10 1.25 -"; nothing of an empty text."""
    return tuple(None if word == "-" else Decimal(word) for word in text.split())


def written(rates: Figures) -> str:
    """Write what figures() reads."""
    return " ".join("-" if rate is None else plain(rate) for rate in rates)


def _audited(prices: Prices, row: Mapping[str, str]) -> Audited:
    seller, model = row["seller"], row["model"]
    newest = max(day for _, day in SOURCES.values())
    cost = prices.price(_call(seller, model, Usage(input_tokens=1, output_tokens=1)), newest)
    told = {name: figures(row[name]) for name in SOURCES}
    vendor, ours = figures(row["vendor"]), our_figures(prices, seller, model, newest)
    alike = all(
        _agree(told[name], our_figures(prices, seller, model, day))
        for name, (_, day) in SOURCES.items()
    )
    return Audited(
        seller=seller,
        model=model,
        told=told,
        ours=ours,
        status=cost.status,
        missing=cost.missing,
        vendor=vendor,
        vendor_source=row["vendor_source"],
        verdict=_verdict(cost, alike, settled=bool(vendor) and _agree(vendor, ours)),
    )


def _verdict(cost: Cost, alike: bool, settled: bool) -> Verdict:
    if cost.status == "unknown":
        return "unknown"
    if cost.status == "estimated" and {*cost.missing} - {"output_tokens"}:
        return "doubt"
    return "agrees" if alike else "settled" if settled else "open"


def our_figures(prices: Prices, seller: str, model: str, at: datetime) -> Figures | None:
    """Return what we charge for a million tokens of each kind, in small calls; None for nothing.

    None too for a part without a rate of its own. A fee by the request is left out.
    """
    silent = {"audio_input_tokens": 0, "audio_output_tokens": 0}

    def cost(**counts: int) -> Cost:
        return prices.price(_call(seller, model, Usage.model_validate(counts | silent)), at)

    once, more = cost(input_tokens=1).usd, cost(input_tokens=SIZE + 1).usd
    if once is None or more is None:
        return None
    per_token = (more - once) / SIZE
    fee = once - per_token
    answer = cost(input_tokens=1, output_tokens=SIZE).usd
    parts = (
        _part(cost(input_tokens=SIZE, **{field: SIZE}), field, fee)
        for field in ("cache_read_tokens", "cache_write_tokens")
    )
    output = None if answer is None else (answer - once) * SIZE
    return (per_token * SIZE * SIZE, output, *parts)


def _part(cost: Cost, field: str, fee: Decimal) -> Decimal | None:
    return None if field in cost.missing or cost.usd is None else (cost.usd - fee) * SIZE


def _call(seller: str, model: str, usage: Usage) -> LlmCall:
    return LlmCall(provider=seller, model=model, status="success", usage=usage)


def _agree(stated: Figures, ours: Figures | None) -> bool:
    """Return whether every figure that both have is the same."""
    return ours is not None and all(
        one is None or other is None or abs(one - other) < SAME
        for one, other in zip(stated, ours, strict=True)
    )
