"""The stack ends in steps that are said, within a bound, whatever signals arrive."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from local.stopping import Step, Stopping

ROOT = Path(__file__).parent.parent.parent
SLEEPER = """
import os, signal, sys, threading
from local.__main__ import _wait_for_signal
{before}
real_read = os.read
def read(end, size):
    print("up", flush=True)  # by now the handlers are there
    return real_read(end, size)
os.read = read
_wait_for_signal()
print("told", flush=True)
{after}
"""
INSIDE = """
real = os.write
def write(end, data):
    os.write = real
    signal.raise_signal(signal.SIGTERM)
    return real(end, data)
os.write = write
"""


def sleeper(before: str = "", after: str = "") -> subprocess.Popen[str]:
    code = SLEEPER.format(before=before, after=after)
    started = subprocess.Popen(  # noqa: S603 - our own code
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert started.stdout
    assert started.stdout.readline() == "up\n"
    return started


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_wakes_the_sleeper(number: signal.Signals) -> None:
    started = sleeper()
    started.send_signal(number)
    assert started.communicate(timeout=10)[0] == "told\n"


def test_a_signal_inside_the_handler_does_not_hang() -> None:
    started = sleeper(INSIDE)
    started.send_signal(signal.SIGTERM)
    assert started.communicate(timeout=10)[0] == "told\n"


def test_copies_of_a_signal_are_one() -> None:
    started = sleeper(after="threading.Event().wait(0.5); print('ended', flush=True)")
    for _ in range(5):
        started.send_signal(signal.SIGTERM)
    assert started.communicate(timeout=10)[0] == "told\nended\n"
    assert started.returncode == 0


def test_a_second_signal_ends_at_once() -> None:
    started = sleeper(after="threading.Event().wait(60)")
    started.send_signal(signal.SIGINT)
    assert started.stdout
    assert started.stdout.readline() == "told\n"
    threading.Event().wait(1.2)
    started.send_signal(signal.SIGINT)
    started.communicate(timeout=5)
    assert started.returncode == 128 + signal.SIGINT


def test_each_step_is_said() -> None:
    said = list[str]()
    ended = list[str]()
    steps = [Step(name, lambda name=name: ended.append(name)) for name in ("one", "two")]
    Stopping(said.append).take(steps)
    assert ended == ["one", "two"]
    assert said == ["stopping one ...", "stopping two ...", "stopped"]


def test_a_step_that_does_not_end_is_cut_off() -> None:
    said = list[str]()
    cut = threading.Event()
    codes = list[int]()

    def leave(code: int) -> None:
        codes.append(code)
        cut.set()

    def stuck() -> None:
        assert cut.wait(10)

    Stopping(said.append, 3, leave).take([Step("requests", stuck)])
    assert codes == [1]
    assert said[1].startswith("requests is still at work; 2 s are left")
    assert said[2].startswith("requests was cut off after 3 s. Nothing is lost")
