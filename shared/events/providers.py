"""One table from the names of providers that instrumentations really send to one name each."""

import re
from collections.abc import Mapping

PROVIDERS: Mapping[str, str] = {
    spelling: provider
    for provider, spellings in {
        "anthropic": "claude anthropic-messages",
        "aws": "amazon amazon-bedrock aws-bedrock bedrock bedrock-converse bedrock-runtime",
        "azure": "az-ai-inference az-ai-openai azure-ai azure-ai-foundry azure-ai-inference"
        " azure-ai-openai azure-chat azure-foundry azure-openai azure-openai-chat"
        " azure-openai-responses azure-responses azure-text azureopenai microsoft-azure"
        " microsoft-foundry",
        "cloudflare": "cloudflare-workers-ai workers-ai",
        "cohere": "cohere-ai cohere-chat",
        "deepseek": "deep-seek deepseek-ai deepseek-chat",
        "fireworks": "fireworks-ai",
        "github-copilot": "copilot",
        "google": "gcp-gemini gcp-gen-ai gcp-vertex-ai gemini google-ai-studio google-cloud"
        " google-gemini google-genai google-generative-ai google-gla google-vertex"
        " google-vertex-chat google-vertexai vertex vertex-ai vertexai",
        "groq": "groq-chat",
        "mistral": "mistral-ai mistral-chat mistralai",
        "minimax": "minimax-ai minimaxi",
        "moonshotai": "kimi moonshot moonshot-ai",
        "novita": "novita-ai",
        "openai": "open-ai openai-chat openai-completion openai-embeddings openai-responses"
        " text-completion-openai",
        "openrouter": "open-router",
        "perplexity": "perplexity-ai pplx",
        "together": "together-ai togetherai",
        "voyageai": "voyage voyage-ai",
        "watsonx": "ibm ibm-watsonx ibm-watsonx-ai watsonx-ai",
        "x-ai": "grok xai xai-chat",
        "zai": "z-ai",
        "zhipuai": "bigmodel zhipu zhipu-ai",
    }.items()
    for spelling in spellings.split()
}
"""Spelling → provider, both as `key` writes them; a name that is not here stands for itself."""

_APIS = re.compile(
    r"-(chat|chat-completions?|completions?|responses|messages|embeddings?|image|images|speech"
    r"|transcriptions?|text|converse|generative-ai|anthropic|maas)$"
)
"""What follows a provider's name where an instrumentation names the API too."""
_DOTTED_API = re.compile(
    r"\.(chat|completions?|responses|messages|embeddings?|image|speech|transcription)$"
)

_SEPARATORS = re.compile(r"[\s._/-]+")


def key(name: str) -> str:
    """Write a name in small letters with single dashes: "Azure AI.OpenAI" → "azure-ai-openai"."""
    return _SEPARATORS.sub("-", name.strip().lower())


def provider_of(name: str) -> str:
    """Return the provider that a spelling stands for, or the spelling's own key.

    "fireworks.chat" is fireworks: what follows a known name and names an API is no part of it.
    """
    wanted = key(name)
    found = PROVIDERS.get(wanted)
    while found is None and (bare := _APIS.sub("", wanted)) != wanted:
        wanted = bare
        found = PROVIDERS.get(wanted) or (wanted if wanted in PROVIDERS.values() else None)
    return found or key(name)


def without_api(name: str) -> str:
    """Cut the API that the Vercel AI SDK names behind a provider: "openai.chat" is openai."""
    return _DOTTED_API.sub("", name)
