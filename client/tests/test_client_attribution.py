from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator, Generator
from typing import Any

import pytest

from agentmeter_client import Meter
from endpoint import Endpoint, arrived
from shapes import CALL


def test_attribution_holds_for_everything_inside(endpoint: Endpoint, meter: Meter) -> None:
    with meter.mission("m-1", team_id="search", team_size=3) as mission:
        with meter.agent_operation("writer", "draft", agent_id="w-7"):
            with meter.attribution(conversation_id="c-9"), meter.llm_call("openai", "gpt-4o"):
                pass
            meter.task("assign")
        mission.note(error="late")
        mission.status = "failed"
    meter.task("after")
    [ended] = arrived(endpoint, meter, "mission.completed")
    assert ended == {
        "team_id": "search",
        "mission_id": "m-1",
        "outcome": "failed",
        "team_size": 3,
        "error": "late",
    }
    everything = {"team_id": "search", "mission_id": "m-1", "agent_type": "writer"}
    everything["agent_id"] = "w-7"
    [call] = arrived(endpoint, meter, "llm.call")
    assert call == {**CALL, **everything, "conversation_id": "c-9"}
    assign, after = endpoint.of("task.operation")
    assert assign == {**everything, "operation": "assign", "status": "success"}
    assert after == {"operation": "after", "status": "success"}


def test_tasks_of_an_event_loop_do_not_see_each_others_attribution(
    endpoint: Endpoint, meter: Meter
) -> None:
    async def work(name: str) -> None:
        async with meter.agent_operation("writer", "draft", agent_id=name):
            await asyncio.sleep(0.01)
            meter.task(name)

    async def use() -> None:
        await asyncio.gather(*(work(f"w-{n}") for n in range(20)))

    asyncio.run(use())
    assert meter.flush(5)
    tasks = endpoint.of("task.operation")
    assert len(tasks) == 20
    assert all(one["agent_id"] == one["operation"] for one in tasks)


def test_a_generator_keeps_its_attribution_to_itself(endpoint: Endpoint, meter: Meter) -> None:
    @meter.agent_operation("writer", "draft")
    def draft() -> Generator[int, str, None]:
        with meter.attribution(team_id="inside"):
            meter.task("before")
            got = yield 1
            meter.task(f"after {got}")

    @meter.agent_operation("reader", "read")
    async def read() -> AsyncIterator[int]:
        meter.task("reading")
        yield 1

    async def use() -> None:
        async for _ in read():
            meter.task("outside too")
            break

    running: Any = draft()
    next(running)
    meter.task("outside")
    with pytest.raises(StopIteration):
        running.send("word")
    asyncio.run(use())
    assert meter.flush(5)
    assert {one["operation"]: one.get("agent_type") for one in endpoint.of("task.operation")} == {
        "before": "writer",
        "outside": None,
        "after word": "writer",
        "reading": "reader",
        "outside too": None,
    }
    assert [one["team_id"] for one in endpoint.of("task.operation") if "team_id" in one] == [
        "inside",
        "inside",
    ]


def test_an_abandoned_scope_of_another_context_is_harmless(meter: Meter) -> None:
    scope = meter.attribution(team_id="x")
    contextvars.copy_context().run(scope.__enter__)
    scope.__exit__()
