"""Prices as the providers publish them, against ours: the table is written from their pages."""

import csv
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from shared.events.types import LlmCall
from shared.pricing.price import Prices, load
from shared.units import Usage

HERE = Path(__file__).parent
SHIPPED = HERE.parents[1] / "config" / "prices.toml"
CENT_BILLIONTH = Decimal("1e-9")

DEPLOYMENTS = "".join(
    f"""
[[deployment]]
name = "{name}"
model = "{model}"
sku = "{sku}"
from = 2025-01-01
source = "the table of published prices"
"""
    for name, model, sku in (
        ("zone-4o", "gpt-4o", "data-zone"),
        ("zone-41", "gpt-4.1", "DataZoneStandard"),
        ("zone-o1", "o1", "data-zone"),
        ("regional-o3", "o3", "regional"),
        ("batch-4o", "gpt-4o", "GlobalBatch"),
        ("reserved-4o", "gpt-4o", "ProvisionedManaged"),
    )
)


def rows() -> list[dict[str, str]]:
    with (HERE / "published_prices.csv").open(newline="") as table:
        return list(csv.DictReader(table))


ROWS = [
    pytest.param(row, id=f"line {line}: {row['provider']} {row['model']}")
    for line, row in enumerate(rows(), start=2)
]


@pytest.fixture(scope="module")
def prices() -> Prices:
    return load(SHIPPED.read_text() + DEPLOYMENTS)


@pytest.mark.parametrize("row", ROWS)
def test_a_published_price_is_ours(prices: Prices, row: dict[str, str]) -> None:
    call = LlmCall(
        provider=row["provider"],
        model=row["model"],
        status="success",
        service_tier=row["service_tier"] or None,
        deployment=row["deployment"] or None,
        response_model=row["response_model"] or None,
        count=int(row["count"]),
        usage=Usage(**{part: int(row[part]) for part in Usage.model_fields}),
    )

    cost = prices.price(call, datetime.fromisoformat(row["at"]))

    assert (cost.status, cost.missing) == (row["status"], ())
    assert cost.usd is not None
    assert abs(cost.usd - Decimal(row["usd"])) < CENT_BILLIONTH, (cost, row["published"])


def test_the_table_is_as_broad_as_it_claims() -> None:
    table = rows()

    assert len(table) >= 100
    assert len({row["provider"] for row in table}) >= 10
    assert all(row["source"] and row["published"] for row in table)
