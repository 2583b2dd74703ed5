"""OpenTelemetry's exporters for JavaScript, and Vercel's AI SDK, as npm has them."""

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "tests" / "journeys" / "javascript"
CACHE = ROOT / ".cache" / "javascript"
CALLS = 500
"""In five requests of each exporter."""
GPT_USD = 0.0026
"""1,000 tokens in and 10 out, at $2.50 and $10 a million."""
EXPORTERS = [f"{media}-{packing}" for media in ("json", "proto") for packing in ("gzip", "none")]
AI_SDK_CALLS = 3

Export = Callable[[str, str], None]
"""Has every exporter send its calls to that address, by that key; none may fail."""


@pytest.fixture(scope="session")
def export() -> Export:
    """Installs the packages as package-lock.json says."""
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

    def run(url: str, key: str) -> None:
        command = [node, "export.mjs", url, key, str(CALLS)]
        done = subprocess.run(command, cwd=CACHE, check=True, capture_output=True, text=True)  # noqa: S603  # our own program
        assert json.loads(done.stdout) == {"failed": 0}

    return run
