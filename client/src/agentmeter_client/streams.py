"""A stream of chunks that passes them on unchanged and reads each."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

Hide = Callable[[object], bool]
"""Whether to keep a chunk from the reader."""


def is_stream(thing: object) -> bool:
    """Say whether the thing yields chunks, rather than being an answer."""
    kind = type(thing)
    return hasattr(kind, "__next__") or hasattr(kind, "__anext__")


class TrackedStream:
    """Stands for a provider's stream, sync or async: every other attribute is the stream's own.

    seen: called with each chunk. ended: called once, with whether the stream was read to its end
    and the error that ended it; a stream that is not read to its end is ended when it is freed.
    hide: chunks that are seen, and not passed on.
    """

    def __init__(
        self,
        stream: Any,
        seen: Callable[[object], None],
        ended: Callable[[bool, BaseException | None], None],
        hide: Hide | None = None,
    ) -> None:
        self._stream = stream
        self._hide = hide
        self._seen = seen
        self._ended: Callable[[bool, BaseException | None], None] | None = ended
        self._chunks: Any = None

    def __iter__(self) -> TrackedStream:
        return self

    def __aiter__(self) -> TrackedStream:
        return self

    def __next__(self) -> Any:
        if self._chunks is None:
            self._chunks = iter(self._stream)
        try:
            chunk = next(self._chunks)
        except BaseException as exc:
            self._end(isinstance(exc, StopIteration), exc)
            raise
        self._seen(chunk)
        return next(self) if self._hide and self._hide(chunk) else chunk

    async def __anext__(self) -> Any:
        if self._chunks is None:
            self._chunks = self._stream.__aiter__()
        try:
            chunk = await self._chunks.__anext__()
        except BaseException as exc:
            self._end(isinstance(exc, StopAsyncIteration), exc)
            raise
        self._seen(chunk)
        return await self.__anext__() if self._hide and self._hide(chunk) else chunk

    def __enter__(self) -> TrackedStream:
        self._stream.__enter__()
        return self

    def __exit__(self, *exc: Any) -> Any:
        self._end(False, exc[1])
        return self._stream.__exit__(*exc)

    async def __aenter__(self) -> TrackedStream:
        await self._stream.__aenter__()
        return self

    async def __aexit__(self, *exc: Any) -> Any:
        self._end(False, exc[1])
        return await self._stream.__aexit__(*exc)

    def close(self) -> Any:
        """Close the provider's stream; what it returns may have to be awaited."""
        self._end(False, None)
        closing = self._stream.close()
        return closing if inspect.isawaitable(closing) else None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # ours, on the way in or out of life
            raise AttributeError(name)
        return getattr(self._stream, name)

    def __del__(self) -> None:
        self._end(False, None)

    def _end(self, complete: bool, error: BaseException | None) -> None:
        """Report the end, once."""
        ended = self.__dict__.get("_ended")
        if ended:
            self._ended = None
            ended(complete, None if complete else error)
