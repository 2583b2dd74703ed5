"""What one model call costs, and how sure that is."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import genai_prices.data_snapshot
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from shared.events.types import LlmCall, Usage
from shared.pricing.cost import Cost
from shared.pricing.price import MAX_TARIFFS, Prices, load
from shared.pricing.resolve import MAX_NAME

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LIST = load("")


def call(**given: object) -> LlmCall:
    """A call of gpt-4o that used a million tokens each way, but for what is given."""
    usage = {name: given.pop(name) for name in Usage.model_fields if name in given}
    told = usage or {"input_tokens": 1_000_000, "output_tokens": 1_000_000}
    standard = {"provider": "openai", "model": "gpt-4o", "status": "success", "usage": told}
    return LlmCall.model_validate(standard | given)


def cost(**given: object) -> Cost:
    return cost_by(LIST, NOW, **given)


def cost_by(prices: Prices, at: datetime, /, **given: object) -> Cost:
    return prices.price(call(**given), at)


def usd(text: str) -> Decimal:
    return Decimal(text)


@pytest.mark.parametrize(
    ("model", "provider", "expected"),
    [
        pytest.param("gpt-4", "openai", "90", id="gpt-4 at 30 and 60"),
        pytest.param("claude-3-5-sonnet-20241022", "anthropic", "18", id="sonnet at 3 and 15"),
    ],
)
def test_a_list_price_is_known(model: str, provider: str, expected: str) -> None:
    found = cost(model=model, provider=provider)

    assert (found.usd, found.status, found.missing) == (usd(expected), "known", ())
    assert model in found.source
    assert "genai-prices" in found.source


def test_reasoning_is_a_part_of_output_and_is_not_added() -> None:
    plain = cost(input_tokens=10, output_tokens=100)

    assert cost(input_tokens=10, output_tokens=100, reasoning_tokens=90) == plain


def test_where_reasoning_has_a_rate_of_its_own_it_replaces_the_output_s() -> None:
    found = cost(
        provider="perplexity",
        model="sonar-deep-research",
        output_tokens=1_000_000,
        reasoning_tokens=400_000,
    )

    assert found.usd == usd("6.0")  # 600,000 at 8 and 400,000 at 3


def test_a_fee_per_request_is_asked_for_every_call() -> None:
    one = cost(provider="perplexity", model="sonar-pro", input_tokens=1000)
    ten = cost(provider="perplexity", model="sonar-pro", input_tokens=10_000, count=10)

    assert one.usd == usd("0.017")  # 0.003 of tokens and 0.014
    assert ten.usd == usd("0.17")


@pytest.mark.parametrize(
    ("given", "expected", "missing"),
    [
        pytest.param(
            {"model": "gpt-4o-2024-05-13", "input_tokens": 1_000_000, "cache_read_tokens": 500_000},
            "5",
            "cache_read_tokens",
            id="cache read at the rate of plain input",
        ),
        pytest.param(
            {"input_tokens": 1_000_000, "cache_write_tokens": 500_000},
            "2.5",
            "cache_write_tokens",
            id="cache write at the rate of plain input",
        ),
        pytest.param(
            {
                "provider": "aws",
                "model": "anthropic.claude-sonnet-4-20250514-v1:0",
                "input_tokens": 1_000_000,
                "cache_write_tokens": 1_000_000,
                "cache_write_1h_tokens": 1_000_000,
            },
            "3.75",
            "cache_write_1h_tokens",
            id="an hour in the cache at the rate of five minutes",
        ),
        pytest.param(
            {"input_tokens": 1_000_000, "audio_input_tokens": 400_000},
            "2.5",
            "audio_input_tokens",
            id="audio in at the rate of text",
        ),
        pytest.param(
            {"output_tokens": 1_000_000, "audio_output_tokens": 400_000},
            "10",
            "audio_output_tokens",
            id="audio out at the rate of text",
        ),
        pytest.param(
            {"model": "gpt-4", "input_tokens": 1_000_000, "web_searches": 5},
            "30",
            "web_searches",
            id="searches at nothing",
        ),
        pytest.param(
            {"model": "text-embedding-3-small", "input_tokens": 1_000_000, "output_tokens": 1},
            "0.02",
            "output_tokens",
            id="output of an embedding at nothing",
        ),
        pytest.param(
            {"provider": "google", "model": "gemini-2.5-flash-image", "output_tokens": 1_000_000},
            "2.5",
            "image_output_tokens",
            id="images at the rate of text",
        ),
    ],
)
def test_a_class_without_a_rate_is_estimated_and_named(
    given: dict[str, object], expected: str, missing: str
) -> None:
    found = cost(**given)

    assert (found.usd, found.status, found.missing) == (usd(expected), "estimated", (missing,))


def test_cached_audio_is_a_guess_unless_the_totals_leave_one_reading() -> None:
    gemini = {"provider": "google", "model": "gemini-2.5-flash"}

    either = cost(**gemini, input_tokens=1000, audio_input_tokens=500, cache_read_tokens=200)
    all_audio = cost(**gemini, input_tokens=1000, audio_input_tokens=1000, cache_read_tokens=200)

    same_rate = cost(input_tokens=1000, audio_input_tokens=500, cache_read_tokens=200)

    assert same_rate.missing == ("audio_input_tokens",)
    assert either.status == "estimated"
    assert either.missing == ("audio_cache_read_tokens",)
    assert either.usd == usd("0.000596")  # 300 text at 0.30, 500 audio at 1, 200 cached at 0.03
    assert all_audio.status == "known"
    assert all_audio.usd == usd("0.00082")  # 800 audio at 1, 200 cached audio at 0.10


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"provider": "nobody"}, id="provider"),
        pytest.param({"model": "gpt-99"}, id="model"),
        pytest.param({"model": "moderation"}, id="listed without any price"),
        pytest.param({"provider": "github-copilot"}, id="listed without a price, by a reseller"),
        pytest.param({"model": "whisper-1"}, id="priced by the hour of audio"),
    ],
)
def test_what_has_no_price_has_no_cost(given: dict[str, object]) -> None:
    found = cost(**given)

    assert (found.usd, found.status) == (None, "unknown")
    assert "no price" in found.source


def test_a_free_model_is_known_to_cost_nothing() -> None:
    found = cost(provider="openrouter", model="deepseek/deepseek-r1:free")

    assert (found.usd, found.status) == (0, "known")


def test_nothing_but_a_class_without_a_rate_is_unknown_and_not_free() -> None:
    found = cost(model="gpt-4", web_searches=3)

    assert (found.usd, found.status, found.missing) == (None, "unknown", ("web_searches",))


@pytest.mark.parametrize("usage", [None, {}, {"input_tokens": 0, "output_tokens": 0}])
@pytest.mark.parametrize("status", ["success", "ok", "200", "timeout", "50"])
def test_a_call_without_usage_has_no_cost(usage: object, status: str) -> None:
    found = cost(usage=usage, status=status)

    assert (found.usd, found.status, found.missing) == (None, "unknown", ("usage",))


@pytest.mark.parametrize("status", ["error", "Failed", "rate_limited", "429", "500"])
def test_a_failed_call_without_usage_is_assumed_not_billed_and_says_so(status: str) -> None:
    found = cost(usage=None, status=status)

    assert (found.usd, found.status, found.missing) == (0, "estimated", ("usage",))
    assert "assumed" in found.source


def test_a_failed_call_that_tells_its_usage_is_billed() -> None:
    assert cost(status="error") == cost()


@pytest.mark.parametrize("tier", ["flex", "scale", "turbo", "reserved"])
def test_a_tier_without_a_price_is_estimated_at_the_standard_price(tier: str) -> None:
    found = cost(service_tier=tier)

    assert (found.usd, found.status) == (cost().usd, "estimated")
    assert found.missing == ("service_tier",)


@pytest.mark.parametrize(
    "tier", ["default", "standard", "auto", "Standard", "ON_DEMAND", "on_demand"]
)
def test_names_of_the_standard_tier_change_nothing(tier: str) -> None:
    assert cost(service_tier=tier) == cost()


@pytest.mark.parametrize(
    ("tier", "expected"), [("batch", "6.25"), ("Batch", "6.25"), ("PRIORITY", "21.25")]
)
def test_a_tier_with_a_price_is_known(tier: str, expected: str) -> None:
    found = cost(service_tier=tier)

    assert (found.usd, found.status) == (usd(expected), "known")
    assert f"{tier.lower()} tier" in found.source


def test_a_tier_is_priced_from_the_day_its_price_is_listed() -> None:
    listed = datetime(2026, 10, 14, tzinfo=UTC)

    before = cost_by(LIST, listed - timedelta(microseconds=1), service_tier="batch")
    after = cost_by(LIST, listed, service_tier="batch")

    assert (before.status, before.missing) == ("estimated", ("service_tier",))
    assert after.status == "known"


def test_a_guest_model_has_no_tier_of_its_host() -> None:
    found = cost(provider="azure", service_tier="batch")

    assert (found.usd, found.missing) == (cost().usd, ("service_tier",))


def test_the_price_is_that_of_the_moment_whatever_the_zone() -> None:
    utc = datetime(2025, 6, 9, 23, 30, tzinfo=UTC)
    tokyo = timezone(timedelta(hours=9))

    assert cost_by(LIST, utc, model="o3").usd == usd("50")
    assert cost_by(LIST, utc.astimezone(tokyo), model="o3").usd == usd("50")
    assert cost_by(LIST, utc + timedelta(hours=1), model="o3").usd == usd("10")


def test_a_context_tier_is_judged_by_one_call_of_many() -> None:
    gemini = {"provider": "google", "model": "gemini-2.5-pro"}

    one = cost(**gemini, input_tokens=400_000)
    two = cost(**gemini, input_tokens=400_000, count=2)
    a_token_more = cost(**gemini, input_tokens=400_001, count=2)

    assert one.usd == usd("1")
    assert two.usd == usd("0.5")
    assert a_token_more.usd == usd("1.0000025")


def test_the_event_s_own_cost_counts_only_where_it_is_trusted() -> None:
    trusting = load('trusted_providers = ["OpenRouter", "x_ai"]')

    reported = cost_by(trusting, NOW, provider="openrouter", model="anything", cost_usd="0.25")
    ignored = cost_by(trusting, NOW, cost_usd="0.25")

    assert (reported.usd, reported.status) == (usd("0.25"), "reported")
    assert ignored == cost()
    assert cost_by(trusting, NOW, provider="xai", model="grok-4", cost_usd="1").status == "reported"


def test_a_reported_cost_of_nothing_is_never_believed() -> None:
    """Instrumentations write 0 where they do not know."""
    trusting = load('trusted_providers = ["openai"]')

    assert cost_by(trusting, NOW, cost_usd="0") == cost()


def test_trust_wins_over_the_list() -> None:
    trusting = load('trusted_providers = ["openai"]')

    assert cost_by(trusting, NOW, cost_usd="0.5").usd == usd("0.5")


def remembered(prices: Prices) -> int:
    return vars(prices)["_tariff"].cache_info().currsize


def test_names_of_any_length_cost_no_memory() -> None:
    prices = load("")
    found = [cost_by(prices, NOW, model=f"{'x' * MAX_NAME}{number}") for number in range(10)]

    assert {each.status for each in found} == {"unknown"}
    assert str(MAX_NAME) in found[0].source
    assert remembered(prices) == 0


def test_a_flood_of_names_grows_nothing_without_bound() -> None:
    prices = load("")
    for number in range(MAX_TARIFFS + 100):
        cost_by(prices, NOW, provider="nobody", model=f"model-{number}")

    assert remembered(prices) == MAX_TARIFFS


def test_nothing_process_wide_of_the_price_list_is_touched() -> None:
    before = process_wide()

    cost_by(load(""), NOW, provider="nobody", model="no-such-model")
    cost_by(load(""), NOW, model="gpt-4.1")

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
