"""Names as instrumentations send them, and what they are in the price list."""

from datetime import UTC, datetime

import pytest

from shared.events.providers import provider_of
from shared.events.types import LlmCall
from shared.pricing.names import spellings, tier_of
from shared.pricing.price import load
from shared.units import Usage

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LIST = load("")
USAGE = Usage(input_tokens=1_000_000, output_tokens=1_000_000)


def price(provider: str, model: str, response_model: str | None = None) -> str | None:
    call = LlmCall(
        provider=provider,
        model=model,
        response_model=response_model,
        status="success",
        usage=USAGE,
    )
    usd = LIST.price(call, NOW).usd
    return None if usd is None else f"{usd:.4f}"


@pytest.mark.parametrize(
    ("provider", "expected"),
    [
        *((name, "azure") for name in ("azure_openai", "azure.ai.openai", "az.ai.inference")),
        *((name, "azure") for name in ("azure.ai.inference", "azure_ai", "microsoft.foundry")),
        *((name, "azure") for name in ("az.ai.openai", "Azure", "Azure OpenAI", "AzureOpenAI")),
        *((name, "google") for name in ("gcp.gen_ai", "gcp.gemini", "gcp.vertex_ai", "VertexAI")),
        *((name, "google") for name in ("vertex_ai", "google_genai", "google-gla", "gemini")),
        *((name, "x-ai") for name in ("x_ai", "xai", "x-ai", "grok")),
        *((name, "aws") for name in ("aws.bedrock", "AWS", "bedrock", "amazon-bedrock")),
        *((name, "mistral") for name in ("mistral_ai", "MistralAI", "mistral")),
        *((name, "moonshotai") for name in ("moonshot_ai", "moonshot", "moonshotai")),
        *((name, "fireworks") for name in ("fireworks_ai", "fireworks-ai")),
        *((name, "together") for name in ("together_ai", "Together AI", "togetherai")),
        *((name, "openai") for name in ("OpenAI", " openai ", "openai.chat", "openai.responses")),
        *((name, "anthropic") for name in ("Anthropic", "anthropic.messages")),
        ("ibm.watsonx.ai", "watsonx"),
        ("Perplexity", "perplexity"),
        ("nobody_knows.this", "nobody-knows-this"),
    ],
)
def test_a_provider_s_spelling_stands_for_it(provider: str, expected: str) -> None:
    assert provider_of(provider) == expected


@pytest.mark.parametrize(
    ("provider", "model", "expected"),
    [
        pytest.param("openai", "gpt-4o", "12.5000", id="as listed"),
        pytest.param("openai", " gpt-4o ", "12.5000", id="blanks"),
        pytest.param("openai", "GPT-4o", "12.5000", id="capitals"),
        pytest.param("openai", "gpt-4o-2024-08-06", "12.5000", id="dated"),
        pytest.param("openai", "gpt-4o-20240806", "12.5000", id="dated, compact"),
        pytest.param("openai", "openai/gpt-4o", "12.5000", id="own prefix"),
        pytest.param("OpenAI", "azure/gpt-4o", "12.5000", id="its host's prefix"),
        pytest.param("azure_openai", "azure/gpt-4o", "12.5000", id="azure's prefix"),
        pytest.param("azure", "openai/gpt-4o", "12.5000", id="prefix of a maker that azure hosts"),
        pytest.param("azure", "azure/openai/gpt-4o", "12.5000", id="two prefixes"),
        pytest.param("litellm", "azure/gpt-4o", "12.5000", id="gateway"),
        pytest.param("litellm", "openrouter/openai/gpt-4o", "12.5000", id="gateway to a reseller"),
        pytest.param("azure.ai.openai", "gpt-35-turbo", "2.0000", id="no points on azure"),
        pytest.param("azure", "gpt-35-turbo-1106", "3.0000", id="no points, dated"),
        pytest.param("gcp.gen_ai", "models/gemini-2.5-flash", "2.8000", id="resource"),
        pytest.param(
            "gcp.vertex_ai",
            "projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash",
            "2.8000",
            id="resource, long",
        ),
        pytest.param("gcp.gemini", "gemini/gemini-2.5-flash", "2.8000", id="spelling as prefix"),
        pytest.param("vertex_ai", "claude-3-5-sonnet@20240620", "18.0000", id="vertex date"),
        pytest.param("vertex_ai", "gemini-2.5-flash@default", "2.8000", id="vertex version"),
        pytest.param("x_ai", "xai/grok-3", "18.0000", id="other spelling as prefix"),
        pytest.param(
            "aws.bedrock", "us.anthropic.claude-haiku-4-5-20251001-v1:0", "6.6000", id="profile"
        ),
        pytest.param(
            "aws.bedrock",
            "global.anthropic.claude-haiku-4-5-20251001-v1:0",
            "6.0000",
            id="global profile",
        ),
        pytest.param(
            "aws.bedrock",
            "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-haiku-4-5-20251001-v1:0",
            "6.6000",
            id="arn of a model",
        ),
        pytest.param(
            "aws.bedrock",
            "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/"
            "eu.anthropic.claude-haiku-4-5-20251001-v1:0",
            "6.6000",
            id="arn of a profile",
        ),
        pytest.param("mistral_ai", "mistral/mistral-large-2411", "8.0000", id="mistral"),
        pytest.param("moonshot_ai", "moonshot/kimi-k2-thinking", "3.1000", id="moonshot"),
        pytest.param("groq", "openai/gpt-oss-120b", "0.7500", id="a slash that is no prefix"),
        pytest.param("groq", "groq/openai/gpt-oss-120b", "0.7500", id="a prefix and a slash"),
        pytest.param(
            "fireworks_ai", "accounts/fireworks/models/gpt-oss-120b", "0.7500", id="fireworks"
        ),
        pytest.param("fireworks_ai", "gpt-oss-120b", "0.7500", id="the list's own id"),
    ],
)
def test_a_name_resolves(provider: str, model: str, expected: str) -> None:
    assert price(provider, model) == expected


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        pytest.param("anthropic", "openai/gpt-4o", id="prefix against the provider"),
        pytest.param("ibm.watsonx.ai", "granite-3", id="provider without prices"),
        pytest.param("litellm", "my-deployment", id="gateway without a prefix"),
        pytest.param("aws.bedrock", "arn:aws:bedrock:us-east-1:1:application-inference-profile/x"),
        pytest.param("openai", "/", id="slash alone"),
        pytest.param("openai", "@", id="at alone"),
        pytest.param("azure", "my-deployment", id="private name"),
    ],
)
def test_what_does_not_resolve_is_unknown(provider: str, model: str) -> None:
    assert price(provider, model) is None


def test_the_served_model_says_what_a_private_name_is() -> None:
    assert price("azure", "my-deployment", "gpt-4o-mini-2024-07-18") == "0.7500"


def test_the_served_model_says_what_a_moving_name_is() -> None:
    assert price("openai", "gpt-4o", "gpt-4o-2024-05-13") == "20.0000"


def test_a_served_model_that_no_one_knows_leaves_the_requested_one() -> None:
    assert price("openai", "gpt-4o", "something-internal") == "12.5000"


def test_on_bedrock_the_requested_profile_counts() -> None:
    requested = "global.anthropic.claude-haiku-4-5-20251001-v1:0"

    assert price("aws.bedrock", requested, "claude-haiku-4-5-20251001") == "6.0000"
    assert price("aws.bedrock", "arn:aws:…/x", "global.amazon.nova-2-lite-v1:0") == "2.8000"


def test_endless_prefixes_are_not_followed() -> None:
    assert len(list(spellings("openai", "openai/" * 30 + "gpt-4o"))) < 10


@pytest.mark.parametrize(
    ("tier", "expected"),
    [
        (None, "standard"),
        ("default", "standard"),
        ("ON_DEMAND", "standard"),
        ("standard_only", "standard"),
        ("ON_DEMAND_FLEX", "flex"),
        (" Batch ", "batch"),
    ],
)
def test_a_tier_is_spelled_as_price_lists_do(tier: str | None, expected: str) -> None:
    assert tier_of(tier) == expected


@pytest.mark.parametrize(
    ("provider", "model", "expected"),
    [
        pytest.param("strands-agents", "gpt-4o", "12.5000", id="framework"),
        pytest.param("github", "gpt-4o", "12.5000", id="copilot"),
        pytest.param("unknown", "text-embedding-3-small", "0.0200", id="none"),
        pytest.param("langchain", "claude-3-opus-20240229", "90.0000", id="claude"),
        pytest.param("openai", "claude-3-opus-20240229", "90.0000", id="client-of-a-proxy"),
    ],
)
def test_a_frameworks_model_decides(provider: str, model: str, expected: str) -> None:
    usage = USAGE if "embedding" not in model else Usage(input_tokens=1_000_000)
    found = LIST.price(LlmCall(provider=provider, model=model, status="success", usage=usage), NOW)
    assert (f"{found.usd:.4f}", found.status, found.missing) == (
        expected,
        "estimated",
        ("provider",),
    )


@pytest.mark.parametrize(
    ("provider", "model", "expected"),
    [
        ("gateway", "openai/gpt-4o", "12.5000"),
        ("openai", "gemini/gemini-2.5-pro", price("google", "gemini-2.5-pro")),
        ("openai", "vertex_ai/gemini-2.5-pro", price("google", "gemini-2.5-pro")),
        ("openai", "xai/grok-4", price("x-ai", "grok-4")),
        ("openai", "anthropic/claude-3-opus-20240229", "90.0000"),
        ("openrouter.chat", "openai/gpt-4o", "12.5000"),
        ("fireworks.chat", "gpt-oss-120b", "0.7500"),
        ("openai.embedding", "gpt-4o", "12.5000"),
    ],
)
def test_a_prefix_names_the_seller(provider: str, model: str, expected: str) -> None:
    found = LIST.price(LlmCall(provider=provider, model=model, status="success", usage=USAGE), NOW)
    assert (f"{found.usd:.4f}", found.missing) == (expected, ())


@pytest.mark.parametrize(
    ("provider", "expected"),
    [
        ("openrouter.chat", "openrouter"),
        ("togetherai.chat", "together"),
        ("fireworks.chat", "fireworks"),
        ("openai.embedding", "openai"),
        ("google.vertex.chat", "google"),
        ("azure-openai.responses", "azure"),
        ("house.chat", "house-chat"),
    ],
)
def test_an_apis_name_is_no_part_of_the_provider(provider: str, expected: str) -> None:
    assert provider_of(provider) == expected
