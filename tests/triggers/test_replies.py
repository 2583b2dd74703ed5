from collections.abc import Callable
from typing import cast

import azure.functions as func
import pytest

from functions import build
from shared.clock import SystemClock
from shared.errors import AgentmeterError, Misconfigured, RetryLater
from shared.settings import read
from shared.wiring import App

SETTINGS = {
    "APPLICATIONINSIGHTS_CONNECTION_STRING": "InstrumentationKey=x",
    "LOGS_WORKSPACE_ID": "w",
    "METRICS_TOKEN": "letmein",
}


def handler(app: Callable[[], App], name: str) -> Callable[..., func.HttpResponse]:
    found = {f.get_function_name(): f.get_user_function() for f in build(app).get_functions()}
    return cast("Callable[..., func.HttpResponse]", found[name])


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
    answer = handler(failing(exc), "post_events")(req=get())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, wait)
    assert str(exc) in answer.get_body().decode()


@pytest.mark.parametrize("name", ["get_metrics", "get_health"])
def test_a_token_closes_what_is_open_by_default(name: str) -> None:
    ask = handler(lambda: App(read(SETTINGS), SystemClock()), name)
    for headers in ({}, {"authorization": "Bearer letmeout"}, {"authorization": "letmei"}):
        answer = ask(req=get(**headers))
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert b"letmein" not in answer.get_body()


def test_the_token_opens_again(tmp_path: pytest.TempPathFactory) -> None:
    settings = SETTINGS | {"AGENTMETER_STATE": f"sqlite:{tmp_path}/state.db"}
    ask = handler(lambda: App(read(settings), SystemClock()), "get_metrics")
    assert ask(req=get(authorization="Bearer letmein")).status_code == 200
