"""Runs generators so that their attribution holds while they run, and not while they wait."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from typing import Any

from agentmeter_client.attribution import current, replace


class Inside:
    """The attribution inside a generator, taken up at each step and put away after it.

    A generator shares its caller's context: without this, what it sets would leak to the caller.
    """

    def __init__(self, added: Mapping[str, str]) -> None:
        self._inside: Mapping[str, str] = {**current(), **added}
        self._outside: Mapping[str, str] = {}

    def __enter__(self) -> None:
        self._outside = replace(self._inside)

    def __exit__(self, *exc: object) -> None:
        self._inside = replace(self._outside)

    def items(
        self, generator: Generator[Any, Any, Any], seen: Callable[[object], None]
    ) -> Generator[Any, Any, Any]:
        """Run the generator step by step; return what it returns."""
        step: Callable[[], Any] = lambda: next(generator)  # noqa: E731 - replaced at every step
        while True:
            try:
                with self:
                    item = step()
            except StopIteration as stop:
                return stop.value
            seen(item)
            try:
                sent = yield item
            except GeneratorExit:
                with self:
                    generator.close()
                raise
            except BaseException as exc:  # noqa: BLE001 - it is handed on to the generator
                step = _thrower(generator, exc)
            else:
                step = _sender(generator, sent)

    async def async_items(self, generator: AsyncGenerator[Any, Any]) -> AsyncGenerator[Any, None]:
        """Run the async generator step by step."""
        try:
            while True:
                try:
                    with self:
                        item = await generator.__anext__()
                except StopAsyncIteration:
                    return
                yield item
        finally:
            with self:
                await generator.aclose()


def _thrower(generator: Generator[Any, Any, Any], exc: BaseException) -> Callable[[], Any]:
    return lambda: generator.throw(exc)


def _sender(generator: Generator[Any, Any, Any], sent: object) -> Callable[[], Any]:
    return lambda: generator.send(sent)
