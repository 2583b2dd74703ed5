"""By which price a name is priced: borrowed ones, moving names, a router's model and fee."""

from decimal import Decimal

import pytest

from shared.pricing.price import load
from tests.priced import LIST, MILLION, SHIPPED, cost, day
from tests.pricing import entry

ENTRIES = entry("price", provider="azure", model="grok-4", input=3, output=15)


@pytest.mark.parametrize(
    ("provider", "model", "missing"),
    [
        pytest.param("azure", "grok-4", ("seller",), id="another maker on azure"),
        pytest.param("azure", "gpt-oss-120b", ("seller",), id="open weights on azure"),
        pytest.param("azure", "kimi-k2.6", ("seller",), id="open model on azure"),
        pytest.param("azure", "gpt-4.1", (), id="openai on azure"),
        pytest.param("azure", "claude-sonnet-4-5", (), id="anthropic on azure"),
        pytest.param("vertex_ai", "claude-3-5-sonnet@20240620", (), id="anthropic on google"),
        pytest.param("groq", "openai/gpt-oss-120b", (), id="its own price"),
    ],
)
def test_a_borrowed_price_is_an_estimate(
    provider: str, model: str, missing: tuple[str, ...]
) -> None:
    found = cost(LIST, provider=provider, model=model)

    assert (found.status, found.missing) == ("estimated" if missing else "known", missing)


def test_a_price_of_your_own_is_not_borrowed() -> None:
    assert cost(load(ENTRIES), provider="azure", model="grok-4").missing == ()


@pytest.mark.parametrize(
    ("model", "usd"),
    [
        ("gpt-oss-120b", "0.75"),
        ("DeepSeek-V3.2", "2.26"),
        ("Llama-4-Maverick-17B-128E-Instruct-FP8", "1.25"),
        ("grok-3-mini", "1.52"),
        ("Kimi-K2.6", "4.95"),
        ("Mistral-Large-3", "2"),
        ("FW-GLM-5.1", "6.38"),
    ],
)
def test_azure_has_its_own_price_of_open_models(model: str, usd: str) -> None:
    found = cost(provider="azure.ai.inference", model=model)

    assert (found.usd, found.missing) == (Decimal(usd), ())


@pytest.mark.parametrize(
    ("model", "at", "usd", "missing"),
    [
        ("mistral-large-latest", "2025-07-01", "8", ()),
        ("mistral-large-latest", "2025-12-01", "8", ()),
        ("mistral-large-latest", "2025-12-02", "2", ()),
        ("mistral-large-latest", "2026-10-29", "2", ("alias",)),
        ("magistral-medium-latest", "2026-05-22", "7", ("alias",)),
        ("magistral-medium-latest", "2026-10-21", "9", ()),
        ("mistral-large-2411", "2026-06-01", "8", ()),
        ("ministral-8b-latest", "2026-06-01", "0.3", ()),
    ],
)
def test_a_moving_name_costs_what_it_stands_for(
    model: str, at: str, usd: str, missing: tuple[str, ...]
) -> None:
    found = cost(SHIPPED, day(at), provider="mistral", model=model)

    assert (found.usd, found.missing) == (Decimal(usd), missing)


@pytest.mark.parametrize(
    ("model", "at", "usd", "missing"),
    [
        ("deepseek-chat", "2026-04-23", "0.7", ()),
        ("deepseek-chat", "2026-04-24", "0.42", ()),
        ("deepseek-reasoner", "2026-06-01", "0.42", ()),
        ("deepseek-reasoner", "2026-07-25", "0.42", ("alias",)),
        ("deepseek-v4-flash", "2026-06-01", "0.42", ()),
        ("deepseek-v4-pro", "2026-06-01", "1.305", ()),
    ],
)
@pytest.mark.parametrize("hour", [2, 12])
def test_a_name_outlives_its_entries(
    model: str, at: str, usd: str, missing: tuple[str, ...], hour: int
) -> None:
    found = cost(SHIPPED, day(at).replace(hour=hour), provider="deepseek", model=model)

    assert (found.usd, found.missing) == (Decimal(usd), missing)


@pytest.mark.parametrize(
    ("provider", "model", "missing"),
    [
        pytest.param("mistral", "codestral-latest", ("alias",), id="no version"),
        pytest.param("google", "gemini-flash-latest", ("alias",), id="no version, google"),
        pytest.param("anthropic", "claude-3-5-sonnet-latest", (), id="of one version"),
        pytest.param("x-ai", "grok-4-latest", (), id="of one version, xai"),
        pytest.param("mistral", "mistral-small-latest", (), id="a model of the list"),
    ],
)
def test_a_moving_name_without_entries_is_doubted(
    provider: str, model: str, missing: tuple[str, ...]
) -> None:
    assert cost(LIST, provider=provider, model=model).missing == missing


def test_the_answer_says_what_a_moving_name_stands_for() -> None:
    found = cost(provider="google", model="gemini-flash-latest", response_model="gemini-3.8-flash")

    assert found.status == "known"


def test_an_aliass_target_may_be_your_own_price() -> None:
    text = entry("alias", provider="openai", name="house-latest", model="gpt-4o") + entry(
        "price", provider="openai", model="gpt-4o", input=1, output=2
    )

    assert cost(load(text), model="house-latest").usd == 3
    assert cost(load(text), day("2025-12-31"), model="house-latest").usd is None


@pytest.mark.parametrize("cached", [0, 400])
def test_a_router_asks_its_fee_of_all_input(cached: int) -> None:
    used = {"input_tokens": 1000, "output_tokens": 100, "cache_read_tokens": cached}
    routed = {"provider": "azure", "response_model": "gpt-5-mini-2025-08-07"}

    found = cost(**routed, **used, model="model-router", deployment="model-router")
    plain = cost(**routed, **used, model="gpt-5-mini")

    assert found.usd is not None
    assert plain.usd is not None
    assert found.usd - plain.usd == Decimal("0.00014")
    assert "fee" in found.source


def test_a_router_in_a_deployment_asks_its_fee() -> None:
    text = entry("deployment", name="chat", model="model-router", sku="data-zone") + entry(
        "fee", provider="azure", model="model-router", input="0.14"
    )
    used = {"input_tokens": MILLION, "output_tokens": 0}

    found = cost(load(text), provider="azure", model="chat", response_model="gpt-4o", **used)

    assert found.usd == Decimal("2.89")  # 2.50 in a data zone, and the fee as it is


def test_a_router_that_does_not_say_its_model_is_unknown() -> None:
    found = cost(provider="azure", model="model-router")

    assert (found.usd, found.status) == (None, "unknown")


@pytest.mark.parametrize(
    ("provider", "model", "source"),
    [
        ("vertex.anthropic.messages", "claude-sonnet-4-5@20250929", "google/"),
        ("bedrock.anthropic.messages", "anthropic.claude-sonnet-4-5-20250929-v1:0", "aws/"),
        ("azure.anthropic.messages", "claude-sonnet-4-5", "azure/"),
        ("cloudflare-ai-gateway", "openai/gpt-4o", "openai/"),
    ],
)
def test_the_api_behind_a_providers_name_is_cut(provider: str, model: str, source: str) -> None:
    assert cost(LIST, provider=provider, model=model).source.startswith(source)
