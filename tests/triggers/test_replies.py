import json
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import cast

import azure.functions as func
import pytest

from functions import build
from functions.route import Handler, Route, over_grpc
from shared.clock import SystemClock
from shared.errors import AgentmeterError, GiveUp, Misconfigured, RetryLater
from shared.logs import as_json
from shared.settings import read
from shared.wiring import App
from tests.triggers.test_invoked import context

SETTINGS = {
    "APPLICATIONINSIGHTS_CONNECTION_STRING": "InstrumentationKey=x",
    "LOGS_WORKSPACE_ID": "w",
    "METRICS_TOKEN": "letmein",
}


def handler(app: Callable[[], App], name: str) -> Callable[..., func.HttpResponse]:
    found = {f.get_function_name(): f.get_user_function() for f in build(app).get_functions()}
    trigger = cast("Callable[..., func.HttpResponse]", found[name])
    return partial(trigger, context=context(name))


def get(**headers: str) -> func.HttpRequest:
    return func.HttpRequest("GET", "http://host/x", headers=headers, body=b"")


def failing(exc: AgentmeterError) -> Callable[[], App]:
    def app() -> App:
        raise exc

    return app


@pytest.mark.parametrize(
    ("exc", "wait"),
    [
        pytest.param(Misconfigured("X is wrong. Set X."), "30", id="settings"),
        pytest.param(RetryLater("Busy. Try again.", 7), "7", id="asked-to-wait"),
        pytest.param(RetryLater("Busy. Try again."), "30", id="busy"),
    ],
)
def test_when_nothing_can_be_stored_the_answer_says_when_to_come_back(
    exc: AgentmeterError, wait: str
) -> None:
    answer = handler(failing(exc), "post_events")(req=func.HttpRequest("POST", "/x", body=b""))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, wait)
    assert str(exc) in answer.get_body().decode()


@pytest.mark.parametrize("name", ["get_metrics", "get_health"])
def test_a_token_closes_what_is_open_by_default(name: str) -> None:
    ask = handler(lambda: App(read(SETTINGS), SystemClock()), name)
    for headers in ({}, {"authorization": "Bearer letmeout"}, {"authorization": "letmei"}):
        answer = ask(req=get(**headers))
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert b"letmein" not in answer.get_body()


def test_the_token_opens_again(tmp_path: Path) -> None:
    settings = SETTINGS | {"AGENTMETER_STATE": f"sqlite:{tmp_path}/state.db"}
    ask = handler(lambda: App(read(settings), SystemClock()), "get_metrics")
    assert ask(req=get(authorization="Bearer letmein")).status_code == 200


@pytest.mark.parametrize("name", ["get_metrics", "get_health", "get_alerts_health"])
def test_both_tokens_open_while_one_is_rotated(name: str, tmp_path: Path) -> None:
    state = {"AGENTMETER_STATE": f"sqlite:{tmp_path}/state.db"}
    settings = SETTINGS | state | {"METRICS_TOKEN_OLD": "letmein before"}
    ask = handler(lambda: App(read(settings), SystemClock()), name)
    sent = ("letmein", "letmein before", "letmein after", "")
    closed = [ask(req=get(authorization=f"Bearer {one}")).status_code == 401 for one in sent]
    assert closed == [False, False, True, True]


def answering(**handlers: Handler) -> Callable[[str], func.HttpResponse]:
    """Return what asks a route with these handlers by a method."""
    trigger = over_grpc(
        Route("thing", "api/thing", handlers, None), failing(Misconfigured("never"))
    )

    def ask(method: str) -> func.HttpResponse:
        request = func.HttpRequest(method, "http://host/x", body=b"")
        return cast(func.HttpResponse, trigger(req=request, context=context("thing")))

    return ask


def said(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("said", status_code=201, headers={"X-One": "1"}, mimetype="text/csv")


def broken(req: func.HttpRequest) -> func.HttpResponse:
    raise ZeroDivisionError("http://user:secret@host/")


def gone(req: func.HttpRequest) -> func.HttpResponse:
    raise GiveUp("What is stored is of no use. Delete it.")


@pytest.mark.parametrize("method", ["PUT", "OPTIONS", "HEAD", "TRACE"])
def test_a_wrong_method_is_405_and_names_the_right_ones(method: str) -> None:
    answer = answering(POST=said, DELETE=said)(method)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST, DELETE")
    error = json.loads(answer.get_body() or b"{}").get("error", "")
    assert error.endswith("Send POST, DELETE.") or method == "HEAD"
    assert answering(GET=said)("POST").headers["Allow"] == "GET, HEAD"


def test_head_answers_as_get_without_a_body() -> None:
    ask = answering(GET=said)
    got, head = ask("GET"), ask("HEAD")
    assert (got.get_body(), head.get_body()) == (b"said", b"")
    assert (head.status_code, head.headers["X-One"], head.mimetype) == (201, "1", "text/csv")


class Lines(logging.Handler):
    """Keeps what the host is handed, as it is written at that moment."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[dict[str, object]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(json.loads(as_json(record)))


def test_what_no_one_foresaw_is_500_with_an_id_that_the_log_has() -> None:
    kept, logger = Lines(), logging.getLogger("functions")
    logger.addHandler(kept)
    answer = answering(GET=broken)("GET")
    logger.removeHandler(kept)
    body = json.loads(answer.get_body())
    assert (answer.status_code, body["id"]) == (500, "i-1")
    (line,) = kept.lines
    assert (line["invocation_id"], line["exception"]) == ("i-1", "ZeroDivisionError")
    assert "secret" not in str(line) + str(body)


def test_our_own_error_of_status_500_says_what_to_do() -> None:
    answer = answering(GET=gone)("GET")
    assert json.loads(answer.get_body()) == {
        "error": "What is stored is of no use. Delete it.",
        "id": "i-1",
    }
