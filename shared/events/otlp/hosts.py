"""Returns the seller at a host: a client library is named after its maker, not its server.

agentmeter and its client share this module: it needs nothing but Python, and the client's copy is
generated.
"""

from __future__ import annotations

import re
from functools import lru_cache

_HOSTS = tuple(
    (re.compile(rf"(?:^|\.){pattern}$"), provider)
    for pattern, provider in (
        (r"openai\.azure\.com", "azure"),
        (r"cognitiveservices\.azure\.com", "azure"),
        (r"(services|models|inference)\.ai\.azure\.com", "azure"),
        (
            r"bedrock(-runtime|-mantle)?(-fips)?\.[a-z0-9-]+\.(amazonaws|api)\.(com|aws)",
            "aws.bedrock",
        ),
        (r"([a-z0-9-]+-)?aiplatform\.googleapis\.com", "gcp.vertex_ai"),
        (r"generativelanguage\.googleapis\.com", "gcp.gemini"),
        (r"api\.groq\.com", "groq"),
        (r"api\.deepseek\.com", "deepseek"),
        (r"api\.mistral\.ai", "mistral_ai"),
        (r"api\.x\.ai", "x_ai"),
        (r"openrouter\.ai", "openrouter"),
        (r"api\.together\.(xyz|ai)", "together"),
        (r"api\.fireworks\.ai", "fireworks_ai"),
        (r"api\.perplexity\.ai", "perplexity"),
        (r"api\.moonshot\.(ai|cn)", "moonshot_ai"),
    )
)


@lru_cache(1024)
def seller_at(address: str) -> str | None:
    """Return who answers at an address, be it a host or a URL; None where that is not known."""
    host = address.lower().rpartition("://")[2].partition("/")[0].partition(":")[0]
    return next((provider for pattern, provider in _HOSTS if pattern.search(host)), None)
