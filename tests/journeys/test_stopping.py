"""The laptop's stack stops when it is told to, and loses nothing that it accepted."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.factories import event
from tests.journeys.process import ROOT, Machine

pytestmark = pytest.mark.slow
BOUND_S = 10.0
COUNT = "UsageEvents | summarize Calls = sum(Count)"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path / "home")
    yield made
    if made.process and made.process.poll() is None:
        made.end(signal.SIGKILL)


def key(machine: Machine) -> str:
    return json.loads((machine.home / "local.json").read_text())["function_key"]


def log(machine: Machine) -> str:
    return (machine.home.parent / f"{machine.home.name}.log").read_text()


def post(machine: Machine, number: int) -> None:
    url = f"http://127.0.0.1:{machine.first_port + 1}/api/events"
    answer = requests.post(
        url, json=event(number=number), headers={"x-functions-key": key(machine)}, timeout=10
    )
    assert answer.status_code == 202


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_unfinished_request_keeps_nothing(machine: Machine, how: signal.Signals) -> None:
    machine.start()
    head = (
        f"POST /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\nx-functions-key: {key(machine)}\r\n"
        "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    )
    with socket.create_connection(("127.0.0.1", machine.first_port + 1)) as unfinished:
        unfinished.sendall(head.encode())
        for number in range(20):
            post(machine, number)
        began_s = time.monotonic()
        machine.end(how)
        assert time.monotonic() - began_s < BOUND_S
        assert b"503" in unfinished.recv(100)
    assert machine.process
    assert machine.process.returncode == 0
    assert "stopping requests ..." in log(machine)
    assert "Traceback" not in log(machine)
    machine.start()
    pause = threading.Event()
    while machine.waiting():
        pause.wait(0.2)
    assert machine.ask("query", COUNT, "--last", "7d")[0]["Calls"] == 20


def handles_ctrl_c(process: subprocess.Popen[str]) -> bool:
    """Tell whether the process has a handler of SIGINT; Python itself has one, until it is ours."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    (caught,) = (line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught, 16) >> (signal.SIGINT - 1) & 1)


@pytest.mark.parametrize("after_s", [0, 0.3, 1.0])
def test_ctrl_c_while_starting_prints_no_traceback(machine: Machine, after_s: float) -> None:
    starting = subprocess.Popen(
        [sys.executable, "-m", "local"],
        cwd=ROOT,
        env=machine.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    pause = threading.Event()
    for wanted in (True, False):
        until_s = time.monotonic() + BOUND_S
        while handles_ctrl_c(starting) != wanted and time.monotonic() < until_s:
            pause.wait(0.001)
    pause.wait(after_s)
    starting.send_signal(signal.SIGINT)
    said = starting.communicate(timeout=BOUND_S)[0]
    assert "Traceback" not in said
