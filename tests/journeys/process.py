"""The laptop's stack as a process of its own, which can be killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import requests

from shared.settings import operator_environment

ROOT = Path(__file__).parent.parent.parent


def free_ports() -> int:
    """Return the first of five neighbouring ports that nothing listens on.

    Workers of a test run look in ranges of their own: between this and the use of a port another
    could take it. All are below those that the system gives to outgoing connections.
    """
    worker = int(operator_environment().get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 2
    start = 21_000 + 5_800 * worker + os.getpid() % 400 * 10
    for first in range(start, start + 1_700, 10):
        with ExitStack() as held:
            try:
                for port in range(first, first + 5):
                    held.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    raise AssertionError("no five free ports")


class Machine:
    """A folder and ports to start the stack in, again and again."""

    start_limit_s = 30.0
    """How long a start may take; an end, twice that."""

    def __init__(self, home: Path, entry: str = "local", **settings: str) -> None:
        """entry: the module that is run. settings: variables of its environment beside ours."""
        self.home = home
        self._entry = entry
        self._settings = settings
        self.first_port = free_ports()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> Mapping[str, str]:
        """Return what the stack and the commands are started with."""
        own = {"AGENTMETER_HOME": str(self.home), "AGENTMETER_PORT": str(self.first_port)}
        return {**operator_environment(), **own, "DEMO": "0", **self._settings}

    def start(self) -> None:
        """Start the stack; return when it answers."""
        log = (self.home.parent / f"{self.home.name}.log").open("ab")
        self.process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", self._entry],
            cwd=ROOT,
            env=self.environment,
            stdout=log,
            stderr=log,
        )
        log.close()
        pause = threading.Event()
        for _ in range(int(self.start_limit_s / 0.1)):
            assert self.process.poll() is None, "the stack ended; see its log"
            try:
                requests.get(f"http://127.0.0.1:{self.first_port + 1}/api/health", timeout=5)
            except requests.RequestException:
                pause.wait(0.1)
            else:
                return
        raise AssertionError("the stack did not answer in time")

    def end(self, how: signal.Signals) -> None:
        """Send the signal and wait until the process is gone."""
        assert self.process
        self.process.send_signal(how)
        self.process.wait(timeout=2 * self.start_limit_s)

    def ops(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Begin an operator's command."""
        return subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "ops", *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def ask(self, *arguments: str) -> Any:
        """Run an operator's command with --json and return its answer."""
        out, err = self.ops(*arguments, "--json").communicate(timeout=120)
        assert out, err.decode()
        return json.loads(out)

    def waiting(self) -> int:
        """Return how many messages the queue still has."""
        key = json.loads((self.home / "local.json").read_text())["master_key"]
        url = f"http://127.0.0.1:{self.first_port + 1}/admin/queues"
        queues = requests.get(url, headers={"x-functions-key": key}, timeout=60).json()["queues"]
        return sum(depth["visible"] + depth["invisible"] for depth in queues.values())
