"""Our compiled rates against genai-prices' own arithmetic, over every model that it lists."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from genai_prices import Usage as ListUsage
from genai_prices.data import providers
from genai_prices.types import ModelInfo, Provider, StartDateConstraint

from shared.events.types import LlmCall
from shared.pricing.price import Prices, load
from shared.pricing.tariff import VOICE
from shared.units import Usage

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TIMES_OF_DAY = (timedelta(hours=2), timedelta(hours=5), timedelta(hours=20))
TIERS = ("batch", "flex", "priority", "fast")
NAMES = {
    "audio_input_tokens": "input_audio_tokens",
    "audio_output_tokens": "output_audio_tokens",
    "reasoning_tokens": "output_reasoning_tokens",
}

TEXT = Usage(input_tokens=12_345, output_tokens=678)
EVERYTHING = Usage(
    input_tokens=54_321,
    output_tokens=4_321,
    cache_read_tokens=23_456,
    cache_write_tokens=3_456,
    cache_write_1h_tokens=1_234,
    reasoning_tokens=2_345,
    web_searches=3,
)
AUDIO = Usage(
    input_tokens=9_876, output_tokens=876, audio_input_tokens=5_432, audio_output_tokens=543
)
LONG = Usage(input_tokens=1_000_001, output_tokens=10_001, cache_read_tokens=300_001)

Case = tuple[datetime, str | None, Usage]


def cases(model: ModelInfo) -> Iterator[Case]:
    """Every kind of usage now, and where prices are dated or tiered, every date and tier."""
    for used in (TEXT, EVERYTHING, AUDIO, LONG):
        yield NOW, None, used
    for at in moments(model):
        yield at, None, EVERYTHING
    for tier in TIERS if model.price_variants else ():
        yield NOW, tier, EVERYTHING
        yield NOW, tier, LONG


def moments(model: ModelInfo) -> Iterator[datetime]:
    for price in model.prices if isinstance(model.prices, list) else ():
        if isinstance(price.constraint, StartDateConstraint):
            start = datetime.combine(price.constraint.start_date, datetime.min.time(), UTC)
            yield from (start - timedelta(microseconds=1), start)
        elif price.constraint:
            midnight = NOW.replace(hour=0)
            yield from (midnight + after for after in TIMES_OF_DAY)
            yield from (
                datetime.combine(NOW, end) for end in vars(price.constraint).values() if end
            )


def context(provider: Provider, tier: str | None) -> dict[str, str] | None:
    """Tell genai-prices of a tier by the key that the provider's prices are listed under."""
    if tier is None:
        return None
    if tier == "fast" and provider.id == "anthropic":
        return {"speed": tier}
    return {"processing" if tier == "batch" else "service_tier": tier}


class Comparison:
    """Asks both for the same price, and notes where they differ."""

    def __init__(self) -> None:
        self.ours: Prices = load("")
        self.count = 0
        self.differences: list[str] = []

    def of(self, provider: Provider, model: ModelInfo, case: Case, name: str | None = None) -> None:
        at, tier, used = case
        counts = {NAMES.get(part, part): n for part, n in used.model_dump().items() if n}
        theirs = model.calc_price(
            ListUsage(**counts),
            provider,
            genai_request_timestamp=at,
            price_context=context(provider, tier),
        ).total_price
        call = LlmCall(
            provider=provider.id,
            model=name or model.id,
            status="success",
            usage=used,
            service_tier=tier,
        )
        ours = self.ours.price(call, at)
        self.count += 1
        # What they call 0 for want of a price has no price here.
        if ours.usd != theirs and not (ours.status == "unknown" and theirs == 0):
            self.differences.append(f"{provider.id} {model.id} {case}: {ours} against {theirs}")


def test_compiled_rates_equal_the_list_s_own_arithmetic_for_every_model() -> None:
    comparison = Comparison()

    for provider in providers:
        for model in provider.models:
            for case in cases(model):
                comparison.of(provider, model, case)

    assert comparison.differences == []
    assert comparison.count > 4 * 2_330


def test_zeros_that_are_reported_change_no_price() -> None:
    prices = load("")
    silent = Usage(input_tokens=12_345, output_tokens=678)
    zeros = Usage.model_validate(silent.model_dump())

    for provider in providers:
        for model in provider.models:
            named = {"provider": provider.id, "model": model.id, "status": "success"}
            calls = [LlmCall.model_validate({**named, "usage": used}) for used in (silent, zeros)]
            unstated, priced = (prices.price(each, NOW) for each in calls)
            assert unstated.usd == priced.usd, (provider, model)
            assert {*unstated.missing} - {*priced.missing} <= {*VOICE}, (provider, model)


def test_models_of_others_cost_what_the_list_says_of_their_host() -> None:
    comparison = Comparison()
    hosts = [provider for provider in providers if provider.fallback_model_providers]

    for host in hosts:
        guests = [p for p in providers if p.id in (host.fallback_model_providers or ())]
        for name in (model.id for guest in guests for model in guest.models):
            if model := host.find_model(name, all_providers=providers):
                comparison.of(host, model, (NOW, None, EVERYTHING), name)
                comparison.of(host, model, (NOW, "batch", TEXT), name)

    assert comparison.count > 100
    assert comparison.differences == []


def test_a_class_that_the_list_charges_as_plain_input_is_named() -> None:
    prices = load("")

    for provider in providers:
        for model in provider.models:
            listed = prices_in_force(model)
            call = LlmCall(provider=provider.id, model=model.id, status="success", usage=EVERYTHING)
            cost = prices.price(call, NOW)
            if "input_mtok" in listed and cost.usd:
                is_named = "cache_read_tokens" in cost.missing
                assert is_named == ("cache_read_mtok" not in listed), (provider.id, model.id, cost)


def prices_in_force(model: ModelInfo) -> set[str]:
    return {key for key, rate in vars(model.get_prices(NOW)).items() if rate is not None}
