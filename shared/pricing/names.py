"""From the names of models and tiers that instrumentations really send to those of price lists."""

import re
from collections.abc import Iterator, Mapping

from shared.events.providers import key, provider_of

FRAMEWORKS = frozenset(
    [
        "ag2",
        "agent-framework",
        "agents-sdk",
        "agno",
        "ai-gateway",
        "any-llm",
        "autogen",
        "bifrost",
        "braintrust",
        "camel",
        "cloudflare-ai-gateway",
        "crewai",
        "dify",
        "dspy",
        "flowise",
        "gateway",
        "gcp-vertex-agent",
        "genkit",
        "github",
        "google-adk",
        "google-genkit",
        "guidance",
        "haystack",
        "helicone",
        "instructor",
        "kong",
        "langchain",
        "langchain4j",
        "langfuse",
        "langgraph",
        "langsmith",
        "letta",
        "litellm",
        "litellm-proxy",
        "llama-index",
        "llamaindex",
        "llm-gateway",
        "lmnr",
        "marvin",
        "mastra",
        "microsoft-agent-framework",
        "microsoft-agents",
        "mlflow",
        "n8n",
        "open-webui",
        "openai-agents",
        "openinference",
        "opentelemetry",
        "phidata",
        "portkey",
        "promptflow",
        "pydantic-ai",
        "requesty",
        "semantic-kernel",
        "smolagents",
        "spring-ai",
        "strands",
        "strands-agents",
        "tensorzero",
        "traceloop",
        "truefoundry",
        "unknown",
        "vercel",
        "vercel-ai-gateway",
    ]
)
"""They sell nothing: the provider is what stands before the model's name, or the model's maker."""
PREFIXES = frozenset(
    [
        "anthropic",
        "azure",
        "azure_ai",
        "bedrock",
        "cerebras",
        "cohere",
        "databricks",
        "deepseek",
        "fireworks_ai",
        "gemini",
        "groq",
        "mistral",
        "moonshot",
        "openrouter",
        "perplexity",
        "together_ai",
        "vertex_ai",
        "xai",
    ]
)
"""How LiteLLM writes a seller before a model: behind OpenAI's client, it is who is paid."""
_MAKERS = tuple(
    (re.compile(pattern), maker)
    for pattern, maker in (
        (r"^((us|eu|apac|jp|au|global)\.)?(anthropic|amazon|meta|mistral|cohere|ai21)\.", "aws"),
        (
            r"^(chat)?gpt-(?!oss)|^o[1345](-|$)|^text-(embedding|davinci)|^(whisper|tts|dall-e)-",
            "openai",
        ),
        (r"^claude", "anthropic"),
        (r"^(gemini|text-embedding-00|gemini-embedding)", "google"),
        (r"^(mistral|ministral|codestral|pixtral|magistral|devstral)-", "mistral"),
        (r"^(command|embed-(english|multilingual|v\d))", "cohere"),
        (r"^deepseek-(chat|reasoner|v)", "deepseek"),
        (r"^grok-", "x-ai"),
        (r"^sonar", "perplexity"),
    )
)
"""Whose model a bare name is, where its maker sells it."""

HOSTS: Mapping[str, frozenset[str]] = {
    "aws": frozenset(
        {"anthropic", "cohere", "deepseek", "meta", "mistral", "moonshotai", "openai"}
    ),
    "azure": frozenset({"anthropic", "cohere", "deepseek", "meta", "mistral", "openai", "x-ai"}),
    "google": frozenset({"anthropic", "meta", "mistral"}),
}
"""Provider → whose models it serves, at its own price."""

STANDARD_TIERS = frozenset(
    {"", "auto", "default", "normal", "on-demand", "standard", "standard-only"}
)
STANDARD = "standard"

MAX_PREFIXES = 2
"""As in "azure/openai/gpt-4o"; more parts than that are not resolved."""

EQUAL_BY_CONTRACT: Mapping[str, frozenset[str]] = {
    "azure": frozenset({"openai", "anthropic"}),
    "google": frozenset({"anthropic"}),
}
"""Seller → the makers whose list prices are its own."""

_OPEN_WEIGHTS = re.compile(r"gpt-oss")
"""Models that any seller may run, at a price of its own."""
_VERSION = re.compile(r"\d(?![\d.]*b)")
"""A digit that is none of a size, such as 8b."""
_RESOURCE = re.compile(r"^(?:arn:.*/|(?:.*/)?models/)")


def seller_of(provider: str, model: str) -> tuple[str, str]:
    """Return whose price counts and the model, without the prefix that a gateway needs."""
    seller, bare, _ = seller_or_guess(provider, model)
    return seller, bare


def seller_or_guess(provider: str, model: str) -> tuple[str, str, bool]:
    """Return the seller, the bare model, and whether the seller is guessed from the model.

    OpenAI's client talks to many servers: a model of another maker is not OpenAI's to sell.
    """
    seller = provider_of(provider)
    name = model.strip()
    prefix, slash, rest = name.partition("/")
    if slash and (seller in FRAMEWORKS or (seller == "openai" and prefix.lower() in PREFIXES)):
        return provider_of(prefix), rest, False
    if seller not in FRAMEWORKS and seller != "openai":
        return seller, model, False
    maker = maker_of(name)
    is_guess = maker is not None and maker != seller
    return (maker, model, True) if maker and is_guess else (seller, model, False)


def maker_of(model: str) -> str | None:
    """Return the seller of a model of that name, None where the name does not say."""
    name = model.lower()
    return next((maker for pattern, maker in _MAKERS if pattern.search(name)), None)


def sells_alike(seller: str, maker: str, model: str) -> bool:
    """Return whether the seller asks what the maker of the model does."""
    return maker in EQUAL_BY_CONTRACT.get(seller, ()) and not _OPEN_WEIGHTS.match(model)


def is_moving(model: str) -> bool:
    """Return whether the name stands for one model after another, version by version."""
    return model.endswith(("-latest", ":latest")) and not _VERSION.search(model)


def tier_of(service_tier: str | None) -> str:
    """Return "standard", or the tier as price lists write it: "batch", "flex", "priority" …"""
    tier = key(service_tier or "").removeprefix("on-demand-")
    return STANDARD if tier in STANDARD_TIERS else tier


def spellings(provider: str, model: str) -> Iterator[tuple[str, str]]:
    """Yield what the provider and model may be called in a price list, likeliest first.

    provider: as provider_of returns it. A provider before the model's name ("azure/gpt-4o")
    counts only where it fits the call's own: the same, or one that hosts the other's models.
    """
    seller: str | None = provider
    name = model.strip().lower()
    for _ in range(MAX_PREFIXES + 1):
        if not seller or not name:
            return
        yield seller, name
        for other in (_RESOURCE.sub("", name), name.partition("@")[0], _with_point(name)):
            if other and other != name:
                yield seller, other
        prefix, _, name = name.partition("/")
        seller = _host(seller, provider_of(prefix))


def _with_point(name: str) -> str:
    """Azure allows no point in a name: gpt-35-turbo is gpt-3.5-turbo."""
    return f"gpt-3.5{name[6:]}" if name.startswith("gpt-35") else name


def _host(provider: str, prefix: str) -> str | None:
    """Return whose price counts, or None where the prefix contradicts the provider."""
    if provider in HOSTS.get(prefix, ()):
        return prefix
    return provider if prefix == provider or prefix in HOSTS.get(provider, ()) else None
