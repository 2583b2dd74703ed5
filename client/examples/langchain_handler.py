"""A callback handler that reports every model call and tool of a LangChain or LangGraph agent.

pip install agentmeter-client langchain-core, then
`agent.invoke(…, config={"callbacks": [MeterHandler(meter)]})`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from agentmeter_client import Guard, LlmCall, Meter

if TYPE_CHECKING:
    BaseCallbackHandler = object
else:
    try:
        from langchain_core.callbacks import BaseCallbackHandler
    except ImportError:  # the handler works by its shape
        BaseCallbackHandler = object


class MeterHandler(BaseCallbackHandler):
    """LangChain reports when a call begins and ends; it says provider and model in the metadata."""

    def __init__(self, meter: Meter) -> None:
        super().__init__()
        self._meter = meter
        self._open: dict[UUID, tuple[Guard[LlmCall], LlmCall]] = {}

    def on_chat_model_start(
        self,
        serialized: dict[str, Any] | None,
        messages: Any,
        *,
        run_id: UUID,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Begin a call of a chat model."""
        about = metadata or {}
        guard = self._meter.llm_call(
            about.get("ls_provider") or "unknown", about.get("ls_model_name")
        )
        self._open[run_id] = guard, guard.__enter__()

    on_llm_start = on_chat_model_start

    def on_llm_end(self, response: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """End a call; the message has the usage."""
        if run_id not in self._open:
            return
        guard, call = self._open.pop(run_id)
        for generations in response.generations:
            for generation in generations[:1]:
                call.read(getattr(generation, "message", None))
        guard.__exit__(None, None, None)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """End a call that failed."""
        if run_id in self._open:
            guard, _ = self._open.pop(run_id)
            guard.__exit__(type(error), error, None)

    def on_tool_end(self, output: Any, **kwargs: Any) -> None:
        """Count a tool's work."""
        self._meter.task("tool")

    def on_tool_error(self, error: BaseException, **kwargs: Any) -> None:
        """Count a tool's failure."""
        self._meter.task("tool", "error")
        self._meter.error("tool", error)
