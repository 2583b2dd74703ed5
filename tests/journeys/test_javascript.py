"""OpenTelemetry's exporters for JavaScript, and Vercel's AI SDK, export to the laptop's stack."""

import json
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from shared.clock import SystemClock
from tests.fakes import FakeClock
from tests.journeys.laptop import laptop
from tests.triggers.test_index import ROOT

pytestmark = [
    pytest.mark.instrumentations,
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("instrumentations"),
]
SOURCES = Path(__file__).parent / "javascript"
CACHE = ROOT / ".cache" / "javascript"
CALLS = 500
"""In five requests of each exporter."""
GPT_USD = 0.0026
"""1,000 tokens in and 10 out, at $2.50 and $10 a million."""


@pytest.fixture(scope="module")
def node() -> str:
    """Return node's path; the packages are installed as package-lock.json says."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        required = os.environ.get("AGENTMETER_REQUIRE_AZURITE")  # noqa: TID251  # no setting of the app
        absent = "npm is not installed: no exporter for JavaScript is tried"
        (pytest.fail if required == "1" else pytest.skip)(absent)
    CACHE.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(CACHE / "npm.lock", timeout=300)) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        lockfile = "package-lock.json"
        is_fresh = (CACHE / "node_modules").exists() and (CACHE / lockfile).read_bytes() == (
            SOURCES / lockfile
        ).read_bytes()
        for name in ("package.json", lockfile, "export.mjs"):
            shutil.copy(SOURCES / name, CACHE)
        if not is_fresh:
            command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            subprocess.run(command, cwd=CACHE, check=True, capture_output=True)  # noqa: S603  # fixed
    return node


def test_every_span_of_every_exporter_arrives_and_is_priced(tmp_path: Path, node: str) -> None:
    with laptop(tmp_path, FakeClock(SystemClock().now())) as box:
        arguments = [box.stack.app_url, box.stack.places.key(), str(CALLS)]
        done = subprocess.run(  # noqa: S603  # our own program
            [node, "export.mjs", *arguments], cwd=CACHE, check=True, capture_output=True, text=True
        )
        assert json.loads(done.stdout) == {"failed": 0}
        box.stack.host.drain()
        kql = (
            "UsageEvents | where Name == 'llm.call' | summarize calls = sum(Count), "
            "usd = round(sum(CostUsd), 6), statuses = dcount(CostStatus) by Source, CostStatus "
            "| order by Source asc"
        )
        found = {row[0]: tuple(row[2:4]) for row in box.query(kql)}
    whole = (CALLS, pytest.approx(CALLS * GPT_USD))
    exporters = {
        f"{media}-{packing}": whole for media in ("json", "proto") for packing in ("gzip", "none")
    }
    assert found == exporters | {"ai-sdk": (3, pytest.approx(3 * GPT_USD))}
