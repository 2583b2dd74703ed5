"""Azure's own Storage emulator, started once a session and worker, on free ports."""

import os
import re
import shutil
import sqlite3
import subprocess
from base64 import b64encode
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent.parent
MAIN = PROJECT / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
KEY = b64encode(b"a key of the emulator alone").decode()
ACCOUNTS = [f"account{n:03}" for n in range(500)]
LISTENING = re.compile(r"(Blob|Queue|Table) service is successfully listening at (\S+)")
LOOPBACK = [f"--{kind}{what}" for kind in ("blob", "queue", "table") for what in ("Host", "Port")]
FLAGS = ["--silent", "--skipApiVersionCheck", "--disableTelemetry", "--inMemoryPersistence"]


@dataclass(frozen=True, slots=True)
class Azurite:
    """A running emulator. urls: of its services, by Blob, Queue and Table. process: its own."""

    urls: dict[str, str]
    process: subprocess.Popen[str]
    _unused: Iterator[str] = field(default_factory=lambda: iter(ACCOUNTS))

    def account(self) -> str:
        """Return the connection string of an empty account that nobody else is given."""
        name = next(self._unused)
        endpoints = [f"{kind}Endpoint={url}/{name};" for kind, url in self.urls.items()]
        return f"DefaultEndpointsProtocol=http;AccountName={name};AccountKey={KEY};" + "".join(
            endpoints
        )


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """A running emulator, installed first where it is missing."""
    with emulator(tmp_path_factory.mktemp("azurite")) as running:
        yield running


@contextmanager
def emulator(folder: Path) -> Generator[Azurite, None, None]:
    """Run the emulator until the block ends. folder: where it works."""
    node = _install()
    accounts = ";".join(f"{name}:{KEY}" for name in ACCOUNTS)
    # Port 0 takes a free one; the emulator says which.
    where = [text for flag in LOOPBACK for text in (flag, "0" if "Port" in flag else "127.0.0.1")]
    process = subprocess.Popen(  # noqa: S603  # our own pinned package, no shell
        [node, str(MAIN), *FLAGS, *where],
        cwd=folder,
        env={"AZURITE_ACCOUNTS": accounts},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            yield Azurite(_urls(process), process)
        finally:
            process.terminate()


def _urls(process: subprocess.Popen[str]) -> dict[str, str]:
    """Read what the emulator says until each of its services has a port."""
    urls: dict[str, str] = {}
    said = ""
    for line in process.stdout or ():
        said += line
        if found := LISTENING.search(line):
            urls[found[1]] = found[2]
        if len(urls) == len(LOOPBACK) / 2:
            return urls
    pytest.fail(f"Azurite did not start: {said}")


def _install() -> str:
    """Return the path of node, with the emulator installed as package-lock.json says.

    Workers that start at once wait for each other: SQLite has a lock that all platforms know.
    """
    node, make = shutil.which("node"), shutil.which("make")
    if not node or not make or not shutil.which("npm"):
        absent = "npm or make is not installed: the storage contracts run without Azurite"
        required = os.environ.get("AGENTMETER_REQUIRE_AZURITE")  # noqa: TID251  # no setting of the app
        (pytest.fail if required == "1" else pytest.skip)(absent)
    (PROJECT / ".cache").mkdir(exist_ok=True)
    with closing(sqlite3.connect(PROJECT / ".cache" / "npm.lock", timeout=300)) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        subprocess.run(  # noqa: S603  # a fixed command, no shell
            [make, "node_modules/.installed"], cwd=PROJECT, check=True, capture_output=True
        )
    return node
