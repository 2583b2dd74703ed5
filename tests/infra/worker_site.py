"""The watched app under Azure's real Python worker, behind its host."""

import http.client
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.server import serve
from standin.functions_host.queues import Queues
from standin.functions_host.storage import QueueService, connection_string
from tests.fakes import FakeClock
from tests.infra.test_worker import HOST, PYTHON, ROOT, SETTINGS

LIMIT_S = 60
MOST_MESSAGES = 10_000
PARTS = ("functions", "shared", "config", "host.json")
LISTENS = "0A"
"""As /proc/net/tcp writes it."""


@dataclass
class Site:
    """The worker behind its host. port: of the host. worker: the process id."""

    port: int
    worker: int
    queues: Queues

    @property
    def url(self) -> str:
        """The host's address."""
        return f"http://127.0.0.1:{self.port}"

    def connect(self) -> http.client.HTTPConnection:
        """Return a client of the host."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT_S)

    def waiting(self) -> int:
        """Return how many requests wait in the worker."""
        with closing(self.connect()) as connection:
            connection.request("GET", "/api/waiting")
            return int(json.load(connection.getresponse())["waiting"])

    def rss_kb(self) -> int:
        """Return how much memory the worker holds."""
        status = Path(f"/proc/{self.worker}/status").read_text(encoding="ascii")
        return int(re.findall(r"VmRSS:\s+(\d+)", status)[0])

    def worker_port(self) -> int:
        """Return where the worker's own server listens, to which the host forwards."""
        links = [str(fd.readlink()) for fd in Path(f"/proc/{self.worker}/fd").iterdir()]
        own = {link[8:-1] for link in links if link.startswith("socket:[")}
        lines = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
        rows = [line.split() for line in lines]
        (port,) = [row[1].split(":")[1] for row in rows if row[3] == LISTENS and row[9] in own]
        return int(port, 16)

    def messages(self) -> list[str]:
        """Return what is in the queue."""
        return [one.body.decode() for one in self.queues.peek("usage-events", MOST_MESSAGES)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Starts the worker, its host and the queue service."""
    app = tmp_path_factory.mktemp("app")
    for name in PARTS:
        (app / name).symlink_to(ROOT / name)
    shutil.copy(Path(__file__).parent / "watched_app.py", app / "function_app.py")
    queues = Queues(None, FakeClock())
    storage = serve(QueueService(lambda: queues, "s", FakeClock()).asgi)
    given = SETTINGS | {"AzureWebJobsStorage": connection_string(storage.url, "s")}
    settings = [part for name, value in given.items() for part in ("--env", f"{name}={value}")]
    host = subprocess.Popen(  # noqa: S603 - our own command
        [PYTHON, "-u", HOST, *settings, str(app), "serve", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert host.stdout
    said = host.stdout.readline()
    children = Path(f"/proc/{host.pid}/task/{host.pid}/children").read_text(encoding="ascii")
    yield Site(int(said.rsplit(":", 1)[1]), int(children.split()[0]), queues)
    host.terminate()
    host.wait(30)
    host.stdout.close()
    storage.stop()
    queues.close()
