"""Every example, run against fakes of the shape of what it talks to."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Generator, Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

import anthropic_chat
import openai_loop
from agentmeter_client import Meter
from endpoint import Endpoint, Reply, Request
from fastapi_middleware import MeterMiddleware
from langchain_handler import MeterHandler
from shapes import ANTHROPIC_EVENTS, ANTHROPIC_USAGE, CHUNKS, chat, thing

EXAMPLES = Path(__file__).parents[1] / "examples"
USED = {"input_tokens": 1200, "output_tokens": 80}


class OpenAI:
    """Answers, streams when asked to, and loses the connection on `lost`."""

    def __init__(self) -> None:
        self.chat = SimpleNamespace(completions=self)

    def create(self, *, messages: list[Any], stream: bool = False, **more: Any) -> Any:
        if messages[0]["content"] == "lost":
            raise ConnectionError("cut")
        if not stream:
            return thing(chat())
        assert more["stream_options"] == {"include_usage": True}
        return iter(thing(CHUNKS))


def test_the_openai_loop(endpoint: Endpoint, meter: Meter) -> None:
    answers = openai_loop.work(OpenAI(), meter, ["one", "lost", "two"])
    assert answers == ["hello", "hello", "x"]
    assert meter.flush(5)
    calls = endpoint.of("llm.call")
    assert [one.get("usage") for one in calls] == [
        USED,
        None,
        USED,
        {"input_tokens": 10, "output_tokens": 2},
    ]
    assert [one["status"] for one in calls] == ["success", "error", "success", "success"]
    assert {(one["team_id"], one["agent_type"]) for one in calls} == {("research", "researcher")}
    [error] = endpoint.of("error")
    assert error["error_type"] == "ConnectionError"
    [mission] = endpoint.of("mission.completed")
    assert mission["outcome"] == "success"


class Anthropic:
    """Answers in the three ways of the SDK."""

    def __init__(self) -> None:
        self.messages = self

    def create(self, *, stream: bool = False, **more: Any) -> Any:
        return iter(thing(ANTHROPIC_EVENTS)) if stream else self.get_final_message()

    @contextmanager
    def stream(self, **more: Any) -> Generator[Anthropic, None, None]:
        yield self

    @property
    def text_stream(self) -> Iterator[str]:
        return iter(["h", "i"])

    def get_final_message(self) -> Any:
        started: Any = ANTHROPIC_EVENTS[0]["message"]
        usage = {**started["usage"], "output_tokens": 33}
        return thing({**started, "usage": usage, "content": [{"type": "text", "text": "hi"}]})


def test_the_anthropic_chat(endpoint: Endpoint, meter: Meter) -> None:
    for way in (anthropic_chat.ask, anthropic_chat.ask_events, anthropic_chat.ask_stream):
        assert way(Anthropic(), meter, "hello") == "hi"
    assert meter.flush(5)
    assert [one["usage"] for one in endpoint.of("llm.call")] == [ANTHROPIC_USAGE] * 3


def test_the_langchain_handler(endpoint: Endpoint, meter: Meter) -> None:
    handler = MeterHandler(meter)
    fine, broken = uuid4(), uuid4()
    about = {"ls_provider": "anthropic", "ls_model_name": "claude-sonnet-4-5"}
    message = {
        "id": "run-1",
        "response_metadata": {"id": "msg_9"},
        "usage_metadata": {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15},
    }
    result = thing({"generations": [[{"text": "hi", "message": message}]]})
    handler.on_chat_model_start({}, [], run_id=fine, metadata=about)
    handler.on_chat_model_start({}, [], run_id=broken)
    handler.on_llm_end(result, run_id=fine)
    handler.on_llm_error(TimeoutError(), run_id=broken)
    handler.on_llm_end(result, run_id=uuid4())
    handler.on_tool_end("out", run_id=uuid4())
    handler.on_tool_error(ValueError("no"), run_id=uuid4())
    assert meter.flush(5)
    good, bad = endpoint.of("llm.call")
    assert (good["provider"], good["model"], good["response_id"]) == (
        "anthropic",
        "claude-sonnet-4-5",
        "msg_9",
    )
    assert good["usage"] == {"input_tokens": 10, "output_tokens": 5}
    assert (bad["status"], bad["error_type"], "usage" in bad) == ("error", "TimeoutError", False)
    assert [one["status"] for one in endpoint.of("task.operation")] == ["success", "error"]


async def ask(app: Any, path: str) -> list[MutableMapping[str, Any]]:
    """Send one GET by ASGI; return what comes back."""
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }
    await app(scope, receive, send)
    return sent


def test_the_middleware_in_starlette(endpoint: Endpoint, meter: Meter) -> None:
    pytest.importorskip("starlette", reason="Starlette is not installed")
    from starlette.applications import Starlette
    from starlette.responses import Response
    from starlette.routing import Route

    async def team(request: Any) -> Response:
        return Response(status_code=201)

    async def broken(request: Any) -> Response:
        raise RuntimeError("broken")

    app = Starlette(routes=[Route("/teams/{id}", team), Route("/broken", broken)])
    app.add_middleware(MeterMiddleware, meter=meter)
    asyncio.run(ask(app, "/teams/42"))
    asyncio.run(ask(app, "/nowhere"))
    with pytest.raises(RuntimeError):
        asyncio.run(ask(app, "/broken"))
    assert meter.flush(5)
    assert [(one["path"], one["status"]) for one in endpoint.of("http.request")] == [
        ("/teams/{id}", "201"),
        ("unmatched", "404"),
        ("/broken", "500"),
    ]


def test_the_middleware_takes_the_route_that_fastapi_names(
    endpoint: Endpoint, meter: Meter
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope["route"] = SimpleNamespace(path="/items/{item_id}")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    sent = asyncio.run(ask(MeterMiddleware(app, meter), "/items/7"))
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert meter.flush(5)
    [request] = endpoint.of("http.request")
    assert (request["method"], request["path"], request["status"]) == (
        "GET",
        "/items/{item_id}",
        "200",
    )


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
@pytest.mark.parametrize("works", [True, False])
def test_the_curl_agent(endpoint: Endpoint, works: bool) -> None:
    def behave(request: Request) -> Reply:
        if request.path == "/api/events":
            return endpoint.take(request)
        assert request.headers["authorization"] == "Bearer model-key"
        return Reply(200, body=json.dumps(chat(), indent=2).encode()) if works else Reply(500)

    endpoint.behave = behave
    environment = {
        "PATH": os.environ["PATH"],  # noqa: TID251 - a program needs it to find curl
        "AGENTMETER_ENDPOINT": endpoint.url,
        "AGENTMETER_KEY": "agent-key",
        "OPENAI_API_KEY": "model-key",
        "OPENAI_BASE_URL": endpoint.url,
    }
    done = subprocess.run(
        [EXAMPLES / "curl_agent.sh", 'what is "this"?'],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stderr == ""
    [data] = endpoint.of("llm.call")
    assert endpoint.requests[-1].headers["x-functions-key"] == "agent-key"
    assert (data["provider"], data["model"]) == ("openai", "gpt-4o-mini")
    if works:
        assert (data["usage"], data["response_id"]) == (USED, "chatcmpl-1")
        assert data["duration_s"] >= 0
    else:
        assert (data["status"], "usage" in data) == ("error", False)
