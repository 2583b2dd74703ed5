"""OpenTelemetry's exporters for JavaScript, and Vercel's AI SDK, as npm has them."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.npm import installed

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
    with installed(SOURCES, CACHE) as node:
        program = [node, "export.mjs"]

    def run(url: str, key: str) -> None:
        command = [*program, url, key, str(CALLS)]
        done = subprocess.run(command, cwd=CACHE, check=True, capture_output=True, text=True)  # noqa: S603  # our own program
        assert json.loads(done.stdout) == {"failed": 0}

    return run
