"""What one model call costs, and how sure that is."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from shared.pricing.cost import Cost
from shared.pricing.price import Prices, load
from tests.pricing import call

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LIST = load("")


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


def test_a_failed_call_that_says_its_usage_is_billed() -> None:
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
    agreed = cost_by(trusting, NOW, cost_usd=str(cost().usd))

    assert (reported.usd, reported.status) == (usd("0.25"), "reported")
    assert ignored == cost()._replace(status="estimated", missing=("cost_usd",))
    assert agreed == cost()
    assert cost_by(trusting, NOW, provider="xai", model="grok-4", cost_usd="1").status == "reported"


def test_a_reported_cost_of_nothing_is_never_believed() -> None:
    """Instrumentations write 0 where they do not know."""
    trusting = load('trusted_providers = ["openai"]')

    assert cost_by(trusting, NOW, cost_usd="0") == cost()


def test_trust_wins_over_the_list() -> None:
    trusting = load('trusted_providers = ["openai"]')

    assert cost_by(trusting, NOW, cost_usd="0.5").usd == usd("0.5")
