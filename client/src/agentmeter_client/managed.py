"""A manager of a provider's stream, measured from its begin to its end."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from agentmeter_client.fields import look, text
from agentmeter_client.guard import Guard
from agentmeter_client.llm import LlmCall


class Managed:
    """Stands for Anthropic's manager of a stream, sync or async, and returns the stream itself.

    What was answered is read from the message that the stream has put together when it ends; one
    that was broken off counts without usage.
    """

    def __init__(self, manager: Any, guard: Guard[LlmCall]) -> None:
        self._manager = manager
        self._guard = guard
        self._call: LlmCall | None = None
        self._stream: Any = None

    def __enter__(self) -> Any:
        self._call = self._guard.__enter__()
        try:
            self._stream = self._manager.__enter__()
        except BaseException as exc:
            self._guard.__exit__(type(exc), exc, None)
            raise
        return self._stream

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> Any:
        self._end(exc)
        return self._manager.__exit__(kind, exc, tb)

    async def __aenter__(self) -> Any:
        self._call = self._guard.__enter__()
        try:
            self._stream = await self._manager.__aenter__()
        except BaseException as exc:
            self._guard.__exit__(type(exc), exc, None)
            raise
        return self._stream

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> Any:
        self._end(exc)
        return await self._manager.__aexit__(kind, exc, tb)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._manager, name)

    def _end(self, error: BaseException | None) -> None:
        try:
            message = self._stream.current_message_snapshot
        except Exception:  # noqa: BLE001 - it says so where it has not begun
            message = None
        if self._call and text(look(message), "stop_reason"):
            self._call.read(message)
        self._guard.__exit__(type(error) if error else None, error, None)
