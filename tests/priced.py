"""What calls cost by the price book that ships, and by the list alone."""

from datetime import UTC, date, datetime
from pathlib import Path

from shared.pricing.cost import Cost
from shared.pricing.price import Prices, load
from tests.pricing import call

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SHIPPED = load((Path(__file__).parents[1] / "config" / "prices.toml").read_text())
LIST = load("")
MILLION = 1_000_000


def cost(prices: Prices = SHIPPED, at: datetime = NOW, /, **given: object) -> Cost:
    """Return what the call costs, valid unless the fields say otherwise."""
    return prices.price(call(**given), at)


def day(text: str) -> datetime:
    """Return the first moment of the day in UTC."""
    return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
