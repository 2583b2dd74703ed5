"""Clients shaped as those of OpenAI, Anthropic and Google, which call no one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, ClassVar

USAGE = {"prompt_tokens": 1200, "completion_tokens": 80, "total_tokens": 1280}
CHAT: dict[str, Any] = {"id": "chatcmpl-1", "model": "gpt-4o-2024-08-06", "usage": USAGE}
MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "model": "claude-sonnet-4-5",
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 100, "cache_read_input_tokens": 1000, "output_tokens": 80},
}
CONTENT: dict[str, Any] = {
    "responseId": "r-1",
    "modelVersion": "gemini-2.5-pro",
    "usageMetadata": {"promptTokenCount": 1200, "candidatesTokenCount": 80},
}


def of(module: str) -> Any:
    """Return a decorator that says where a class was defined."""

    def moved(kind: type) -> type:
        kind.__module__ = module
        return kind

    return moved


class Completions:
    """asked: the arguments of each call."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def create(self, **asked: Any) -> Any:
        self.asked.append(asked)
        if asked["model"] == "refused":
            raise RuntimeError("slow down")
        return self._chunks(asked) if asked.get("stream") else CHAT

    def _chunks(self, asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
        for word in ("Hel", "lo."):
            yield {**CHAT, "usage": None, "choices": [{"delta": {"content": word}}]}
        if asked.get("stream_options"):
            yield {**CHAT, "choices": []}


class AsyncCompletions(Completions):
    """The same, to be awaited."""

    async def create(self, **asked: Any) -> Any:
        found = super().create(**asked)
        return self._later(found) if asked.get("stream") else found

    async def _later(self, chunks: Iterator[Any]) -> AsyncIterator[Any]:
        for chunk in chunks:
            yield chunk


class Group:
    """Holds what hangs below a client."""

    def __init__(self, **parts: Any) -> None:
        self.__dict__.update(parts)


@of("openai")
class OpenAI:
    """with_options makes another client, as the real one does."""

    completions: ClassVar[type[Completions]] = Completions

    def __init__(self, base_url: str = "https://api.openai.com/v1/") -> None:
        self.base_url = base_url
        self.chat = Group(completions=self.completions())

    def with_options(self, **options: Any) -> OpenAI:
        del options
        return type(self)(self.base_url)


@of("openai")
class AsyncOpenAI(OpenAI):
    completions: ClassVar[type[Completions]] = AsyncCompletions


@of("openai.lib.azure")
class AzureOpenAI(OpenAI):
    pass


class Stream:
    """What Anthropic's manager hands out."""

    current_message_snapshot = MESSAGE


class Manager:
    def __enter__(self) -> Stream:
        return Stream()

    def __exit__(self, *exc: object) -> None:
        return None

    async def __aenter__(self) -> Stream:
        return Stream()

    async def __aexit__(self, *exc: object) -> None:
        return None


class Messages:
    def create(self, **asked: Any) -> Any:
        del asked
        return MESSAGE

    def stream(self, **asked: Any) -> Manager:
        del asked
        return Manager()


@of("anthropic")
class Anthropic:
    base_url = "https://api.anthropic.com"

    def __init__(self) -> None:
        self.messages = Messages()


@of("anthropic.lib.bedrock")
class AnthropicBedrock(Anthropic):
    base_url = "https://bedrock.example"


class Models:
    """generate_content calls a tool's model twice, as automatic function calling does."""

    def _generate_content(self, **asked: Any) -> Any:
        del asked
        return CONTENT

    def generate_content(self, **asked: Any) -> Any:
        self._generate_content(**asked)
        return self._generate_content(**asked)


@of("google.genai.client")
class Google:
    def __init__(self, *, vertexai: bool = False) -> None:
        self.vertexai = vertexai
        self.models = Models()
