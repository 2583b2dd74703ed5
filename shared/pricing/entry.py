"""Writes what a person copies: an exact amount, and the entry of prices.toml that is missing."""

import json
from collections.abc import Collection
from datetime import date
from decimal import Decimal

from shared.pricing.names import seller_of
from shared.pricing.rates import is_of_tokens
from shared.pricing.resolve import MAX_NAME
from shared.units import UNITS


def plain(amount: Decimal) -> str:
    """Write the amount exactly, without an exponent and without zeros at its end."""
    text = f"{amount:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) if amount else "0"


def price_entry(
    provider: str, model: str, first_day: date, missing: Collection[str] = ()
) -> str | None:
    """Return the [[price]] that would price such calls, its figures and source left to fill in.

    missing: the parts of the usage that have no rate; empty where nothing has one.
    No figure stands in: until they are filled in, `ops check` refuses the entry with its line.
    None: no entry would help, because the names are too long or blank, or no usage was stated.
    """
    seller, bare = seller_of(provider, model)
    bare = bare.strip().lower()
    if "usage" in missing or not (0 < len(bare) <= MAX_NAME and 0 < len(seller) <= MAX_NAME):
        return None
    wanted = [unit.rate for field, unit in UNITS.items() if field in missing]
    rates = (
        f"{name} =   # US dollars per {'million tokens' if is_of_tokens(name) else 'thousand'}"
        for name in wanted or ("input", "output")
    )
    return "\n".join(
        (
            "[[price]]",
            f"provider = {_toml(seller)}",
            f"model = {_toml(bare)}",
            f"from = {first_day.isoformat()}",
            'source = ""   # where the figures can be looked up',
            *rates,
        )
    )


def _toml(text: str) -> str:
    """Write a TOML string; JSON's form is one, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
