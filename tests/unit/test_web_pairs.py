"""The two halves of a forwarded request, in every order and with either missing."""

import asyncio
import selectors
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import pytest
from starlette.requests import Request
from starlette.responses import Response

from functions.web.pairs import ID, NoRequest, Pairs

PATIENCE_S = 30.0
T = TypeVar("T")
ANSWER = Response("said", 202)


class Hurried(selectors.SelectSelector):
    """Skips what an event loop would wait; so no stall of the machine ends a half's patience."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.now_s += timeout or 0.0
        return super().select(0)


class Loop(asyncio.SelectorEventLoop):
    """A loop by whose clock only waits take time."""

    def __init__(self) -> None:
        self._hurried = Hurried()
        super().__init__(self._hurried)

    def time(self) -> float:
        return self._hurried.now_s


def request(key: str = "i-1") -> Request:
    headers = [(ID.encode(), key.encode())] if key else []
    return Request({"type": "http", "headers": headers})


def trying(scene: Callable[[Pairs], Awaitable[T]]) -> T:
    """Run the scene, and see that nothing is left when all is over."""

    async def run() -> T:
        pairs = Pairs(PATIENCE_S)
        result = await scene(pairs)
        await asyncio.sleep(2.5 * PATIENCE_S)
        assert len(pairs) == 0
        return result

    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(run())


async def function(pairs: Pairs, answer: object = ANSWER) -> Request:
    """Do what the worker does of an invocation."""
    came = await pairs.invoked("i-1")
    pairs.answered("i-1", answer)
    return came


@pytest.mark.parametrize("first", ["http", "invocation"])
def test_the_halves_meet_whichever_comes_first(first: str) -> None:
    async def scene(pairs: Pairs) -> tuple[Request, Response]:
        parts: dict[str, Coroutine[Any, Any, Any]] = {
            "http": pairs.forwarded(request()),
            "invocation": function(pairs),
        }
        begun = asyncio.ensure_future(parts.pop(first))
        await asyncio.sleep(0.01)
        later = await parts.popitem()[1]
        return (await begun, later) if first == "invocation" else (later, await begun)

    came, answer = trying(scene)
    assert (came.headers[ID], answer) == ("i-1", ANSWER)


def test_an_invocation_whose_request_never_comes_ends() -> None:
    assert isinstance(trying(function), NoRequest)


def test_a_request_that_comes_after_its_invocation_ended_has_the_answer() -> None:
    async def scene(pairs: Pairs) -> Response:
        await function(pairs)
        return await pairs.forwarded(request())

    assert trying(scene) is ANSWER


@pytest.mark.parametrize(("key", "status"), [("made-up", 503), ("", 400)])
def test_a_request_without_an_invocation_is_answered(key: str, status: int) -> None:
    answer = trying(lambda pairs: pairs.forwarded(request(key)))
    assert answer.status_code == status


def test_a_failure_that_got_past_the_trigger_is_500() -> None:
    async def scene(pairs: Pairs) -> Response:
        waiting = asyncio.ensure_future(pairs.forwarded(request()))
        await function(pairs, ValueError("secret"))
        return await waiting

    answer = trying(scene)
    assert (answer.status_code, b"secret" in answer.body) == (500, False)


def test_a_client_that_leaves_leaves_nothing() -> None:
    async def scene(pairs: Pairs) -> None:
        waiting = asyncio.ensure_future(pairs.forwarded(request()))
        await pairs.invoked("i-1")
        waiting.cancel()
        await asyncio.sleep(0)
        pairs.answered("i-1", ANSWER)

    trying(scene)


def test_a_request_that_is_forwarded_twice_is_answered_twice() -> None:
    async def scene(pairs: Pairs) -> list[Response]:
        both = [asyncio.ensure_future(pairs.forwarded(request())) for _ in range(2)]
        await asyncio.sleep(0.01)
        await function(pairs)
        return await asyncio.gather(*both)

    assert trying(scene) == [ANSWER, ANSWER]
