"""Packages of npm that tests run: installed as their package-lock.json says, once."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

LOCK = "package-lock.json"


def paths() -> tuple[str, str]:
    """Return those of node and npm. Where there are none the test is skipped, or fails where they
    are required, as .ci/run does."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        required = os.environ.get("AGENTMETER_REQUIRE_AZURITE")  # noqa: TID251  # no setting of the app
        (pytest.fail if required == "1" else pytest.skip)("npm is not installed")
    return node, npm


@contextmanager
def installed(sources: Path, folder: Path) -> Generator[str]:
    """Copy the sources into the folder, install their packages, and yield node's path; one process
    at a time."""
    node, npm = paths()
    folder.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(folder / "npm.lock", timeout=300)) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        known = (folder / LOCK).read_bytes() if (folder / LOCK).exists() else b""
        is_fresh = (folder / "node_modules").exists() and known == (sources / LOCK).read_bytes()
        for source in sources.iterdir():
            shutil.copy(source, folder)
        if not is_fresh:
            command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603  # fixed
            assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        yield node
