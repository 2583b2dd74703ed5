"""A model server for agents' programs: each call uses something else, and the log is the truth."""

import itertools
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import unquote

from tests.loopback import Reply, Request
from tests.recordings.answers import Answered, Asked, Json, slow_down
from tests.recordings.openai_answers import chat, embeddings, messages, responses
from tests.recordings.other_answers import bedrock, cohere, gemini

THINKS_S = 0.08
REFUSED = "refused"
"""A model whose name holds this is told to slow down."""
ROUTES: Mapping[str, tuple[str, Callable[[Asked], Reply]]] = {
    "/chat/completions": ("openai", chat),
    "/responses": ("openai", responses),
    "/embeddings": ("vector", embeddings),
    "/messages": ("claude", messages),
    "/model/": ("claude", bedrock),
    "enerateContent": ("gemini", gemini),
    "/chat": ("plain", cohere),
}
"""Part of the path → how its models count, and who answers."""


class Server:
    """Answers requests; `log` is what was used."""

    def __init__(self) -> None:
        self.log: list[Answered] = []
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def answer(self, request: Request) -> Reply:
        """Answer a call of any of the APIs, streamed if it asks for that."""
        threading.Event().wait(THINKS_S)
        asked: Json = request.json() if request.body else {}
        path = unquote(request.path.partition("?")[0])
        kind, reply = next(route for part, route in ROUTES.items() if part in path)
        used = self._used(_model(path, asked), kind, is_stated=_asks_for_usage(path, asked))
        return slow_down() if used.status == "error" else reply(Asked(path, asked, used))

    def _used(self, model: str, kind: str, *, is_stated: bool) -> Answered:
        """Make up what a call uses, and log it."""
        with self._lock:
            n = next(self._numbers)
            sizes = {
                "openai": (1200 + 31 * n, 80 + 7 * n, 1024, 0, 30 + n),
                "claude": (1400 + 31 * n, 80 + 7 * n, 1000, 300, 0),
                "gemini": (1300 + 31 * n, 120 + 7 * n, 512, 0, 40 + n),
                "plain": (900 + 31 * n, 60 + 7 * n, 0, 0, 0),
                "vector": (50 + n, 0, 0, 0, 0),
            }[kind]
            used = Answered(model, *sizes, stated=is_stated)
            if REFUSED in model:
                used = Answered(model, status="error")
            self.log.append(used if is_stated else replace(Answered(model), stated=False))
            return used


def _model(path: str, asked: Json) -> str:
    for before in ("/models/", "/model/"):
        if before in path:
            return (
                path.partition(before)[2]
                .partition("/")[0]
                .partition(":generate")[0]
                .partition(":stream")[0]
            )
    return asked["model"]


def _asks_for_usage(path: str, asked: Json) -> bool:
    """Tell whether the answer says what was used: OpenAI's streams do where they are asked to."""
    is_silent = path.endswith("/chat/completions") and bool(asked.get("stream"))
    options: Json = asked.get("stream_options") or {}
    return not is_silent or bool(options.get("include_usage"))
