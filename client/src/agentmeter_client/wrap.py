"""Wraps a provider's client, so that each of its calls is measured where it is made.

The client stays the object that it is: only its methods that call a model are replaced, on this
client alone. Their packages are not imported.
"""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from agentmeter_client.fields import items, look
from agentmeter_client.guard import Guard
from agentmeter_client.hosts import seller_at
from agentmeter_client.llm import LlmCall
from agentmeter_client.managed import Managed
from agentmeter_client.streams import Hide, is_stream

log = logging.getLogger("agentmeter_client")
Client = TypeVar("Client")
Begin = Callable[[str, "str | None"], "Guard[LlmCall]"]
"""Begins a call of a provider and a model."""
MARK = "_agentmeter_wrapped"
USAGE_ON_REQUEST = frozenset({"openai", "azure"})
"""Others may refuse a request that asks for the usage of a stream, or send it anyway."""


class Sdk(NamedTuple):
    """A provider's package.

    module: where its clients are defined. provider: who is called, unless the client's class or
    its host says otherwise. calls: methods that make a call, each with its stand-ins: the first
    that there is. managers: those that return a manager of a stream. copies: those that return
    another client.
    """

    module: str
    provider: str
    sellers: Mapping[str, str]
    calls: tuple[tuple[str, ...], ...]
    managers: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()


SDKS = (
    Sdk(
        "openai",
        "openai",
        {"Azure": "azure", "Bedrock": "aws.bedrock"},
        (
            ("chat.completions.create",),
            ("chat.completions.parse",),
            ("beta.chat.completions.create",),
            ("beta.chat.completions.parse",),
            ("responses.create",),
            ("responses.parse",),
            ("completions.create",),
            ("embeddings.create",),
        ),
        copies=("with_options", "copy"),
    ),
    Sdk(
        "anthropic",
        "anthropic",
        {"Bedrock": "aws.bedrock", "Vertex": "gcp.vertex_ai", "Foundry": "azure"},
        (
            ("messages.create",),
            ("messages.parse",),
            ("beta.messages.create",),
            ("beta.messages.parse",),
        ),
        managers=("messages.stream", "beta.messages.stream"),
        copies=("with_options", "copy"),
    ),
    Sdk(
        "google.genai",
        "gcp.gemini",
        {},
        # The inner method makes one call; the outer one may make several, and reports the last.
        (
            ("models._generate_content", "models.generate_content"),
            ("models._generate_content_stream", "models.generate_content_stream"),
            ("models.embed_content",),
            ("aio.models._generate_content", "aio.models.generate_content"),
            ("aio.models._generate_content_stream", "aio.models.generate_content_stream"),
            ("aio.models.embed_content",),
        ),
    ),
)


def wrap_client(client: Client, begin: Begin) -> Client:
    """Replace the methods of the client that call a model; return the client.

    Wrapping it again changes nothing. Raises nothing: of a client that is not known here, nothing
    is measured, and that is logged.
    """
    sdk = _sdk_of(client)
    if sdk is None:
        log.warning("agentmeter cannot wrap a %s: its calls are not counted.", type(client))
    elif not getattr(client, MARK, False):
        provider = _provider(client, sdk)
        for names in sdk.calls:
            _replace_first(client, names, lambda method: _counted(method, provider, begin))
        for name in sdk.managers:
            _replace_first(client, (name,), lambda method: _managed(method, provider, begin))
        for name in sdk.copies:
            _replace_first(client, (name,), lambda method: _copied(method, begin))
        _set(client, MARK, True)
    return client


def _sdk_of(client: object) -> Sdk | None:
    """Return the package that the client, or what it extends, is of."""
    modules = [f"{kind.__module__}." for kind in type(client).__mro__]
    known = (sdk for sdk in SDKS if any(one.startswith(f"{sdk.module}.") for one in modules))
    return next(known, None)


def _provider(client: Any, sdk: Sdk) -> str:
    """Return who is called: by the client's host, else its class, else its package."""
    if getattr(client, "vertexai", False):
        return "gcp.vertex_ai"
    at_host = seller_at(str(getattr(client, "base_url", "") or ""))
    names = "".join(kind.__name__ for kind in type(client).__mro__)
    by_class = (seller for word, seller in sdk.sellers.items() if word in names)
    return at_host or next(by_class, sdk.provider)


def _replace_first(client: object, names: tuple[str, ...], make: Callable[[Any], Any]) -> None:
    """Replace the first of the methods that there is."""
    for name in names:
        *path, method = name.split(".")
        owner: Any = client
        for part in path:
            owner = getattr(owner, part, None)
        if callable(getattr(owner, method, None)):
            _set(owner, method, make(getattr(owner, method)))
            return


def _set(owner: object, name: str, value: object) -> None:
    try:
        object.__setattr__(owner, name, value)
    except (AttributeError, TypeError):
        log.warning("agentmeter cannot wrap %s.%s: it is not counted.", type(owner), name)


def _counted(method: Callable[..., Any], provider: str, begin: Begin) -> Callable[..., Any]:
    """Return the method, measured."""
    if inspect.iscoroutinefunction(inspect.unwrap(method)):

        async def awaited(*args: Any, **kwargs: Any) -> Any:
            asked, hide = _asked(method, provider, kwargs)
            with begin(provider, _model(kwargs)) as call:
                return _observed(call, await method(*args, **asked), hide)

        return functools.wraps(method)(awaited)

    def counted(*args: Any, **kwargs: Any) -> Any:
        asked, hide = _asked(method, provider, kwargs)
        with begin(provider, _model(kwargs)) as call:
            return _observed(call, method(*args, **asked), hide)

    return functools.wraps(method)(counted)


def _managed(method: Callable[..., Any], provider: str, begin: Begin) -> Callable[..., Any]:
    """Return the method, whose manager of a stream is measured from its begin to its end."""

    def managed(*args: Any, **kwargs: Any) -> Any:
        return Managed(method(*args, **kwargs), begin(provider, _model(kwargs)))

    return functools.wraps(method)(managed)


def _copied(method: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    """Return the method, whose clients are wrapped too."""

    def copied(*args: Any, **kwargs: Any) -> Any:
        return wrap_client(method(*args, **kwargs), begin)

    return functools.wraps(method)(copied)


def _model(asked: Mapping[str, Any]) -> str | None:
    model = asked.get("model")
    return model if isinstance(model, str) else None


def _asked(
    method: Callable[..., Any], provider: str, given: Mapping[str, Any]
) -> tuple[Mapping[str, Any], Hide | None]:
    """Return what to ask for, and what of its stream was not asked for by the caller.

    OpenAI sends the usage of a chat's stream on request only, in a last chunk without choices.
    """
    is_chat = method.__qualname__.endswith("Completions.create") and "messages" in given
    if given.get("stream") is not True or not is_chat or given.get("stream_options"):
        return given, None
    if provider not in USAGE_ON_REQUEST:
        return given, None
    return {**given, "stream_options": {"include_usage": True}}, _is_usage_alone


def _is_usage_alone(chunk: object) -> bool:
    get = look(chunk)
    return get("usage") is not None and not items(get, "choices")


def _observed(call: LlmCall, answer: Any, hide: Hide | None) -> Any:
    """Let the call read the answer; of a raw one, at what it is parsed to."""
    if is_stream(answer):
        return call.stream(answer, hide)
    if type(answer).__name__ == "LegacyAPIResponse":
        parsed = answer.parse()
        if not is_stream(parsed):
            call.read(parsed)
        return answer
    return call.read(answer)
