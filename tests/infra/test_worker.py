"""The app under Azure's real Python worker; .ci/worker says where that is."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from local.stack import INSTRUMENTATION_KEY
from shared.events.message import decode
from shared.settings import operator_environment
from tests.factories import event
from tests.triggers.test_index import TRIGGERS

ROOT = Path(__file__).parent.parent.parent
PYTHON = operator_environment().get("WORKER_PYTHON", "")
HOST = operator_environment().get("WORKER_HOST", "")
SETTINGS = {
    "APPLICATIONINSIGHTS_CONNECTION_STRING": f"InstrumentationKey={INSTRUMENTATION_KEY}",
    "LOGS_WORKSPACE_ID": "none",
}
pytestmark = pytest.mark.skipif(not PYTHON, reason="WORKER_PYTHON is not set; .ci/worker sets it")


def host(*arguments: str) -> str:
    settings = [part for name, value in SETTINGS.items() for part in ("--env", f"{name}={value}")]
    done = subprocess.run(  # noqa: S603 - our own command
        [PYTHON, HOST, *settings, str(ROOT), *arguments],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_worker_lists_exactly_our_functions() -> None:
    listed = json.loads(host("list"))["functions"]
    assert sorted(function["name"] for function in listed) == sorted(TRIGGERS)


def test_an_event_posted_through_the_worker_comes_out_of_its_queue() -> None:
    answer: dict[str, Any] = json.loads(
        host(
            *("http", "POST", "/api/events", "-d", json.dumps(event())),
            *("-H", "content-type: application/json"),
        )
    )
    assert answer["http"]["status"] == 202
    (text,) = answer["outputs"]["messages"]
    assert [e.id for e in decode(text).events] == [event()["id"]]
