"""What happens when processes begin, fork and end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from endpoint import Endpoint, Reply

SOURCE = Path(__file__).parents[1] / "src"
BEGIN = """
import os, sys, threading, time
from agentmeter_client import Limits, Meter
limits = Limits(backoff_s=0.02, exit_timeout_s=2)
meter = Meter(sys.argv[1], "key", spool=os.environ.get("SPOOL"), limits=limits)
def send(count, name="step"):
    for _ in range(count): meter.task(name)
"""
BARE = ("-S", "-W", "error", "-W", "ignore::DeprecationWarning")
"""No site-packages: the client needs nothing but Python. Forking beside threads is deprecated."""
FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def begin(program: str, endpoint: Endpoint, spool: Path | None = None) -> subprocess.Popen[str]:
    """Start a program that has a meter and `send`."""
    environment = {"PYTHONPATH": str(SOURCE), "SPOOL": str(spool or "")}
    return subprocess.Popen(
        [sys.executable, *BARE, "-c", BEGIN + program, endpoint.url],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(program: str, endpoint: Endpoint) -> tuple[str, str]:
    """Run the program to its end; return what it wrote."""
    process = begin(program, endpoint)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    return out, err


def names(endpoint: Endpoint) -> dict[str, int]:
    """Return how many events of each name arrived."""
    tasks = [one["operation"] for one in endpoint.of("task.operation")]
    return {name: tasks.count(name) for name in set(tasks)}


def test_what_waits_is_sent_when_python_ends(endpoint: Endpoint) -> None:
    assert run("send(1234)", endpoint) == ("", "")
    assert names(endpoint) == {"step": 1234}


def test_an_uncaught_error_ends_it_likewise(endpoint: Endpoint) -> None:
    process = begin("send(3); raise SystemExit(4)", endpoint)
    process.communicate(timeout=30)
    assert process.returncode == 4
    assert names(endpoint) == {"step": 3}


def test_events_made_while_python_ends_are_sent(endpoint: Endpoint) -> None:
    run("import atexit; atexit.register(lambda: send(5))", endpoint)
    assert names(endpoint) == {"step": 5}


def test_the_end_waits_no_longer_than_agreed_and_says_what_was_lost(endpoint: Endpoint) -> None:
    endpoint.behave = lambda request: Reply(503)
    began = time.monotonic()
    _, err = run("send(7)", endpoint)
    assert time.monotonic() - began < 15  # 2 s were agreed; Python starts and ends besides
    assert "lost 7 events" in err


def test_what_the_end_had_no_time_for_is_in_the_spool(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.behave = lambda request: Reply(503)
    begin("send(7)", endpoint, tmp_path).communicate(timeout=30)
    assert names(endpoint) == {}
    endpoint.behave = endpoint.take
    begin("send(1)\nwhile meter.stats().spooled: time.sleep(0.01)", endpoint, tmp_path).communicate(
        timeout=30
    )
    assert names(endpoint) == {"step": 8}


def test_the_spool_outlives_a_kill(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.behave = lambda request: Reply(503)
    process = begin(
        "send(900)\nassert meter.flush(5)\nprint(flush=True)\ntime.sleep(60)", endpoint, tmp_path
    )
    assert process.stdout
    process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    endpoint.behave = endpoint.take
    _, err = begin(
        "while meter.stats().spooled: meter.flush(1); time.sleep(0.01)", endpoint, tmp_path
    ).communicate(timeout=30)
    assert err == ""
    assert names(endpoint) == {"step": 900}
    assert list(tmp_path.iterdir()) == []


@FORKS
def test_parent_and_child_each_send_their_own(endpoint: Endpoint) -> None:
    out, _ = run(
        """
send(50, "before")
child = os.fork()
send(100, "parent" if child else "child")
if child:
    os.waitpid(child, 0)
print(os.getpid(), *meter.stats()[:1])
""",
        endpoint,
    )
    assert names(endpoint) == {"before": 50, "parent": 100, "child": 100}
    assert set(endpoint.arrivals.values()) == {1}
    assert sorted(line.split()[1] for line in out.splitlines()) == ["100", "150"]
    assert len({source for source, _ in endpoint.events}) == 2


@FORKS
def test_a_fork_while_other_threads_record_does_not_hang(endpoint: Endpoint) -> None:
    run(
        """
going = True
def record():
    while going:
        send(20, "noise")
        time.sleep(0.005)
threads = [threading.Thread(target=record) for _ in range(4)]
for thread in threads: thread.start()
children = []
for _ in range(10):
    child = os.fork()
    if not child:
        send(3, "child")
        meter.close(20)
        os._exit(0)
    children.append(child)
for child in children: os.waitpid(child, 0)
going = False
for thread in threads: thread.join()
""",
        endpoint,
    )
    assert names(endpoint)["child"] == 30


@FORKS
def test_workers_of_multiprocessing_send_at_their_end(endpoint: Endpoint) -> None:
    run(
        """
import multiprocessing
send(1, "main")
process = multiprocessing.get_context("fork").Process
workers = [process(target=send, args=(20, "worker")) for _ in range(3)]
for worker in workers: worker.start()
for worker in workers: worker.join()
""",
        endpoint,
    )
    assert names(endpoint) == {"main": 1, "worker": 60}


def test_a_finalizer_may_record_in_the_middle_of_recording(endpoint: Endpoint) -> None:
    out, _ = run(
        """
import gc
gc.set_threshold(5, 1, 1)
class Leaves:
    def __init__(self): self.self = self
    def __del__(self): send(1, "finalizer")
done = threading.Event()
def record():
    for n in range(3000):
        Leaves()
        junk = [[] for _ in range(n % 7)]  # so that the collector comes everywhere
        send(1)
    done.set()
threading.Thread(target=record, daemon=True).start()
print(done.wait(20))
""",
        endpoint,
    )
    assert out.strip() == "True"
    assert names(endpoint)["step"] == 3000
