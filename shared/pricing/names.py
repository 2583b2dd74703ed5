"""From the names of models and tiers that instrumentations really send to those of price lists."""

import re
from collections.abc import Iterator, Mapping

from shared.events.providers import key, provider_of

GATEWAYS = frozenset({"langchain", "litellm", "litellm-proxy", "llama-index", "portkey", "vercel"})
"""They have no prices of their own: the provider is what stands before the model's name."""

HOSTS: Mapping[str, frozenset[str]] = {
    "aws": frozenset(
        {"anthropic", "cohere", "deepseek", "meta", "mistral", "moonshotai", "openai"}
    ),
    "azure": frozenset({"anthropic", "cohere", "deepseek", "meta", "mistral", "openai", "x-ai"}),
    "google": frozenset({"anthropic", "meta", "mistral"}),
}
"""Provider → whose models it serves, at its own price."""

STANDARD_TIERS = frozenset({"", "auto", "default", "on-demand", "standard", "standard-only"})
STANDARD = "standard"

MAX_PREFIXES = 2
"""As in "azure/openai/gpt-4o"; whoever sends more makes us search, not find."""

_RESOURCE = re.compile(r"^(?:arn:.*/|(?:.*/)?models/)")


def seller_of(provider: str, model: str) -> tuple[str, str]:
    """Return whose price counts and the model, without the prefix that a gateway needs."""
    seller = provider_of(provider)
    prefix, slash, rest = model.strip().partition("/")
    return (provider_of(prefix), rest) if slash and seller in GATEWAYS else (seller, model)


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
