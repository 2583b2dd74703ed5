"""Schemathesis tries every route of a running app against what the OpenAPI document says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from functions import routes
from tests.factories import DATA, event
from tests.fakes import START, FakeClock
from tests.journeys.laptop import Laptop, laptop, minutes
from tests.journeys.test_nine_rules import BAD, post_minute
from tests.triggers.test_index import ROOT, never
from tests.trust.memory import resident_mb

CONFIG = Path(__file__).parent / "schemathesis.toml"
LIMIT_S = 240
ANSWER_S, GROWTH_MB = 30, 300
"""What an answer may take on a machine that is busy, and all of them together of memory."""
ROUTES = sum(len(route.handlers) for route in routes(never))


def fill(box: Laptop) -> None:
    """Leave an alert, a silence, spending and something unpriced, so that answers are not empty."""
    box.post([event(kind) for kind in DATA] + [event(number=2, model="no-such-model")])
    for minute in minutes(START, 3):
        post_minute(box, minute, *BAD["HighErrorRate"])
        box.tick(minute)
    assert {alert["state"] for alert in box.get("/api/alerts").json()["alerts"]} >= {"firing"}
    silence = {"matchers": ["severity=warning"], "ends_at": "2100-01-01T00:00:00Z", "author": "sam"}
    key = {"x-functions-key": box.stack.places.key()}
    url = f"{box.stack.app_url}/api/silences"
    assert box.http.post(url, json=silence, headers=key, timeout=LIMIT_S).status_code == 201


@pytest.mark.timeout(300)  # some 30 s on a machine that does nothing else
def test_no_request_meets_an_error_or_an_answer_that_the_document_does_not_say(
    tmp_path: Path,
) -> None:
    with laptop(tmp_path / "home", FakeClock(START)) as box:
        fill(box)
        tool = str(Path(sys.executable).with_name("schemathesis"))
        key = f"x-functions-key: {box.stack.places.key()}"
        document = str(ROOT / "docs" / "openapi.json")
        before_mb = resident_mb(os.getpid())
        tried = subprocess.run(  # noqa: S603  # a fixed command, no shell
            [
                tool,
                "--config-file",
                str(CONFIG),
                "run",
                document,
                "--url",
                box.stack.app_url,
                "-H",
                key,
                "--max-response-time",
                str(ANSWER_S),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        assert resident_mb(os.getpid()) - before_mb < GROWTH_MB
    assert tried.returncode == 0, tried.stdout[-8000:]
    assert f"Tested: {ROUTES}" in tried.stdout
