"""What callers cannot do to pricing: fill its memory, make it raise, or cost less than nothing."""

import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import genai_prices.data_snapshot
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from shared.pricing.cost import Cost
from shared.pricing.price import MAX_TARIFFS, Prices, load
from shared.pricing.resolve import MAX_NAME
from shared.units import Usage
from tests.pricing import call

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LIST = load("")


def cost(prices: Prices = LIST, /, **given: object) -> Cost:
    return prices.price(call(**given), NOW)


def remembered(prices: Prices) -> int:
    return vars(prices)["_tariff"].cache_info().currsize


def test_names_of_any_length_cost_no_memory() -> None:
    prices = load("")
    found = [cost(prices, model=f"{'x' * MAX_NAME}{number}") for number in range(10)]

    assert {each.status for each in found} == {"unknown"}
    assert str(MAX_NAME) in found[0].source
    assert remembered(prices) == 0


def test_a_flood_of_names_grows_nothing_without_bound() -> None:
    prices = load("")
    for number in range(MAX_TARIFFS + 100):
        cost(prices, provider="nobody", model=f"model-{number}")

    assert remembered(prices) == MAX_TARIFFS


def test_nothing_process_wide_of_the_price_list_is_touched() -> None:
    before = process_wide()

    cost(load(""), provider="nobody", model="no-such-model")
    cost(load(""), model="gpt-4.1")

    assert process_wide() == before


def process_wide() -> tuple[object, object]:
    state = vars(genai_prices.data_snapshot)
    return state["_custom_snapshot"], state["_bundled_snapshot"].cache_info()


def test_the_price_list_is_not_loaded_before_the_first_call() -> None:
    """It takes a quarter of a second, which a cold start does not have."""
    code = (
        "import sys; from shared.pricing.price import load; load('');"
        "sys.exit('genai_prices' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0  # noqa: S603  # our own words


PARTS = ("openai/", "azure/", "models/", "@20240620", "arn:aws:bedrock:", "/", "gpt-35", "gpt-4o")
NAME = st.one_of(
    st.text(min_size=1, max_size=300),
    st.lists(st.sampled_from(PARTS), min_size=1, max_size=6).map("".join),
)
PROVIDER = st.one_of(NAME, st.sampled_from(["openai", "azure", "aws", "google", "litellm"]))


@settings(max_examples=150, deadline=None)
@drawn(PROVIDER, NAME, st.none() | NAME, st.none() | NAME, st.none() | NAME)
def test_no_name_makes_it_raise(
    provider: str, model: str, response_model: str | None, deployment: str | None, tier: str | None
) -> None:
    found = cost(
        provider=provider,
        model=model,
        response_model=response_model,
        deployment=deployment,
        service_tier=tier,
    )

    assert (found.usd is None) == (found.status == "unknown")


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """Any usage whose parts fit their totals."""
    tokens = draw(st.integers(0, 2_000_000)), draw(st.integers(0, 100_000))
    read = draw(st.integers(0, tokens[0]))
    written = draw(st.integers(0, tokens[0] - read))
    return Usage(
        input_tokens=tokens[0],
        output_tokens=tokens[1],
        cache_read_tokens=read,
        cache_write_tokens=written,
        cache_write_1h_tokens=draw(st.integers(0, written)),
        reasoning_tokens=draw(st.integers(0, tokens[1])),
        audio_input_tokens=draw(st.integers(0, tokens[0])),
        audio_output_tokens=draw(st.integers(0, tokens[1])),
        web_searches=draw(st.integers(0, 5)),
    )


AUDIBLE = [("openai", "gpt-realtime"), ("google", "gemini-2.5-flash"), ("openai", "gpt-4o")]


@settings(max_examples=150, deadline=None)
@drawn(usages(), st.sampled_from(AUDIBLE))
def test_no_usage_costs_less_than_nothing_or_more_than_its_dearest_class(
    used: Usage, sold: tuple[str, str]
) -> None:
    found = cost(provider=sold[0], model=sold[1], usage=used)

    dearest = Decimal(64) / 1_000_000  # audio out of gpt-realtime
    tokens = used.input_tokens + used.output_tokens
    if found.usd is not None:
        assert 0 <= found.usd <= tokens * dearest + used.web_searches * Decimal("0.035")
