"""A client that npm's generator makes of the OpenAPI document works, and its types fit."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.fakes import START, FakeClock
from tests.journeys.laptop import laptop
from tests.npm import installed
from tests.triggers.test_index import ROOT

pytestmark = [
    pytest.mark.instrumentations,
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("instrumentations"),
]
SOURCES = Path(__file__).parent / "generated_client"
CACHE = ROOT / ".cache" / "generated_client"


def run(*command: str | Path) -> str:
    """Run a fixed command in the client's folder; return what it writes."""
    done = subprocess.run(command, cwd=CACHE, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def node() -> str:
    """Return node's path; the generator is installed as package-lock.json says, and has run."""
    with installed(SOURCES, CACHE) as node:
        bin_ = CACHE / "node_modules" / ".bin"
        run(bin_ / "openapi-ts", "-i", ROOT / "docs" / "openapi.json", "-o", "client")
        run(bin_ / "tsc")
    return node


def test_a_generated_client_sends_reads_and_is_refused(tmp_path: Path, node: str) -> None:
    with laptop(tmp_path, FakeClock(START)) as box:
        answer = json.loads(run(node, "built/call.js", box.stack.app_url, box.stack.places.key()))
    refused = answer.pop("refused")
    assert answer == {
        "accepted": 1,
        "silences": ["sam"],
        "ended": "ended",
        "by": "model",
        "budgets": 0,
        "health": "ok",
        "closed": 401,
    }
    assert refused.startswith("No event was accepted. The first: id")
