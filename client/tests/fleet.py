"""A small fleet of agents with known calls, for tests: it prints what it did and what became of it.

`python fleet.py ENDPOINT KEY`, with the package on the path.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import Iterator
from typing import Any

from agentmeter_client import Meter

CALLS = 100


def openai(name: str) -> dict[str, Any]:
    """Return a chat completion: 1,000 tokens in, 400 of them cached, 100 out."""
    return {
        "id": f"chatcmpl-{name}",
        "model": "gpt-4o-2024-08-06",
        "usage": {
            "prompt_tokens": 1000,
            "completion_tokens": 100,
            "total_tokens": 1100,
            "prompt_tokens_details": {"cached_tokens": 400},
        },
    }


def anthropic(name: str) -> Iterator[dict[str, Any]]:
    """Yield a message's events: 100 tokens in beside 800 read from the cache, 50 out."""
    usage = {"input_tokens": 100, "cache_read_input_tokens": 800, "output_tokens": 1}
    message = {"id": f"msg_{name}", "model": "claude-sonnet-4-5-20250929", "usage": usage}
    yield {"type": "message_start", "message": message}
    yield {"type": "message_delta", "usage": {"output_tokens": 50}}


def agent(meter: Meter, name: str) -> None:
    """Work in a thread; the last ten calls are seen by a second instrumentation too."""
    with meter.mission(f"mission-{name}", team_id="search"):
        for number in range(CALLS):
            with meter.agent_operation("searcher", "search", agent_id=name):
                with meter.llm_call("openai", "gpt-4o") as call:
                    call.read(openai(f"{name}-{number}"))
                if number >= CALLS - 10:
                    with meter.llm_call("openai", "gpt-4o") as again:
                        again.read(openai(f"{name}-{number}"))


async def streaming_agent(meter: Meter, name: str) -> None:
    """Work in a task of an event loop."""
    with meter.attribution(team_id="writing", agent_id=name):
        for number in range(CALLS):
            async with meter.llm_call("anthropic", "claude-sonnet-4-5") as call:
                for _ in call.stream(anthropic(f"{name}-{number}")):
                    await asyncio.sleep(0)


async def stream_all(meter: Meter) -> None:
    """Run the agents of the event loop side by side."""
    await asyncio.gather(*(streaming_agent(meter, f"w{n}") for n in range(3)))


def main() -> None:
    """Run everything, and end as a program ends that forgets to flush."""
    meter = Meter(sys.argv[1], sys.argv[2], environment="journey")
    threads = [threading.Thread(target=agent, args=(meter, f"s{n}")) for n in range(3)]
    for thread in threads:
        thread.start()
    asyncio.run(stream_all(meter))
    for thread in threads:
        thread.join()
    meter.revenue("pro", "49.90")
    meter.record_llm_call("openai", "gpt-4o", {"input_tokens": 7000, "output_tokens": 70}, count=7)
    with meter.llm_call("openai", "gpt-4o"):
        pass
    meter.close(20)
    sys.stdout.write(json.dumps(meter.stats()._asdict()))


if __name__ == "__main__":
    main()
