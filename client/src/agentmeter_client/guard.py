"""Guards: one object that is a `with` block, an `async with` block and a decorator."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from typing import Any, Generic, Protocol, TypeVar, cast

from agentmeter_client.attribution import Scope
from agentmeter_client.steps import Inside

Function = TypeVar("Function", bound=Callable[..., Any])


class Measured(Protocol):
    """Work between its beginning and its end."""

    def observe(self, result: Any) -> Any:
        """Look at what a decorated function returned, and return it."""
        ...

    def observe_item(self, item: object) -> None:
        """Look at what a decorated generator yielded."""
        ...

    def finish_items(self) -> None:
        """Note that a decorated generator ran to its end."""
        ...

    def end(self, error: BaseException | None = None) -> None:
        """Make the event."""
        ...


Tracked = TypeVar("Tracked", bound=Measured)


class Guard(Generic[Tracked]):
    """Measures a block, or each call of a function, and lets every exception pass.

    As a decorator it fits functions, coroutines, generators and async generators.
    """

    __slots__ = ("_begin", "_scope", "_tracked", "_who")

    def __init__(self, begin: Callable[[], Tracked], who: Mapping[str, str]) -> None:
        """begin: starts the measuring. who: the attribution of everything inside."""
        self._begin = begin
        self._who = who
        self._scope = Scope(who)
        self._tracked: Tracked | None = None

    def __enter__(self) -> Tracked:
        self._scope.__enter__()
        self._tracked = tracked = self._begin()
        return tracked

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        tracked, self._tracked = self._tracked, None
        if tracked is not None:
            tracked.end(error)
        self._scope.__exit__()

    async def __aenter__(self) -> Tracked:
        return self.__enter__()

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.__exit__(kind, error, trace)

    def __call__(self, function: Function) -> Function:
        """Decorate a function: every call is measured by itself."""
        if inspect.isasyncgenfunction(function):
            wrapper: Callable[..., Any] = self._async_items(function)
        elif inspect.isgeneratorfunction(function):
            wrapper = self._items(function)
        elif inspect.iscoroutinefunction(function):
            wrapper = self._coroutine(function)
        else:
            wrapper = self._function(function)
        return cast("Function", functools.wraps(function)(wrapper))

    def _again(self) -> Guard[Tracked]:
        """Return a guard of the same kind, for one more call."""
        return Guard(self._begin, self._who)

    def _function(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def measured(*args: Any, **kwargs: Any) -> Any:
            with self._again() as tracked:
                return tracked.observe(function(*args, **kwargs))

        return measured

    def _coroutine(self, function: Callable[..., Any]) -> Callable[..., Any]:
        async def measured(*args: Any, **kwargs: Any) -> Any:
            with self._again() as tracked:
                return tracked.observe(await function(*args, **kwargs))

        return measured

    def _items(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def measured(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            inside = Inside(self._who)
            with inside:
                tracked = self._begin()
            try:
                result = yield from inside.items(function(*args, **kwargs), tracked.observe_item)
            except BaseException as exc:
                tracked.end(exc)
                raise
            tracked.finish_items()
            tracked.end()
            return result

        return measured

    def _async_items(self, function: Callable[..., Any]) -> Callable[..., Any]:
        async def measured(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
            inside = Inside(self._who)
            with inside:
                tracked = self._begin()
            items = inside.async_items(function(*args, **kwargs))
            try:
                async for item in items:
                    tracked.observe_item(item)
                    yield item
            except BaseException as exc:
                tracked.end(exc)
                raise
            finally:
                await items.aclose()
            tracked.finish_items()
            tracked.end()

        return measured
