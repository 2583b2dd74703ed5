"""What one model call cost, and how sure that is."""

from decimal import Decimal
from typing import Literal, NamedTuple

CostStatus = Literal["known", "estimated", "unknown", "overridden", "reported"]


class Cost(NamedTuple):
    """An amount of US dollars, never rounded, with its standing.

    usd: None when the status is "unknown": a new model must not look free.
    status: known (list price), estimated (a part is missing or guessed, named in `missing`),
        unknown (no price), overridden (config/prices.toml), reported (the event's own cost_usd).
    source: where the rate comes from, for a person to read.
    missing: the parts that have no rate, such as ("audio_input_tokens",).
    """

    usd: Decimal | None
    status: CostStatus
    source: str
    missing: tuple[str, ...] = ()
