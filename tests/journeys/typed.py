"""Types what a page of the documentation says, in a fresh copy of the project, and reads along."""

import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from shared.settings import operator_environment
from tests.journeys.process import ROOT, free_ports

MADE = (".git", ".venv", ".agentmeter", ".cache", "node_modules", "__pycache__", ".*_cache")
BLOCK = re.compile(r"```sh\n(.*?)```(?:\s*```text\n(.*?)```)?", re.DOTALL)
START_LIMIT_S = 60
SHELL_LIMIT_S = 300


@dataclass(frozen=True, slots=True)
class Block:
    """Commands, and what the page promises that they print."""

    commands: str
    promised: str


def blocks(text: str) -> list[Block]:
    """Return the shell's blocks, each with the output that stands right below it."""
    return [Block(*found) for found in BLOCK.findall(text)]


def unkept(promised: str, output: str) -> list[str]:
    """Return the first promised line that the output has not, in order, and all after it.

    `…` stands for anything, alone in a line for any lines; how far columns are apart is free.
    """
    lines = iter([_evenly(line) for line in output.splitlines()])
    wanted = [line for line in promised.splitlines() if line.strip() not in ("", "…")]
    for number, line in enumerate(wanted):
        pattern = ".*".join(map(re.escape, _evenly(line).split("…")))
        if not any(re.fullmatch(pattern, given) for given in lines):
            return wanted[number:]
    return []


def _evenly(line: str) -> str:
    return " ".join(line.split())


class Desk:
    """A fresh copy of the project, its five ports, and two terminals in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "agentmeter"
        shutil.copytree(ROOT, self.folder, ignore=shutil.ignore_patterns(*MADE))
        self._first_port = free_ports()
        self._take_packages()

    def type(self, typed: Sequence[Block]) -> str:
        """Run the blocks in one shell, and hold each to its promise; return all that it said."""
        marks = [f"### block {number} ###" for number in range(len(typed) + 1)]
        script = "\n".join(
            f"echo '{mark}'\n{block.commands}" for mark, block in zip(marks, typed, strict=False)
        )
        said = self._shell(f"{script}\necho '{marks[-1]}'")
        for (before, after), block in zip(pairwise(marks), typed, strict=True):
            own = said.partition(before)[2].partition(after)[0]
            assert unkept(self._moved(block.promised), own) == [], own
        return said

    @contextmanager
    def running(self, block: Block) -> Generator[None]:
        """Run the block in the first terminal until it keeps its promise; end it by Ctrl-C."""
        log = self.folder.parent / "first_terminal.log"
        with log.open("wb") as out:
            process = subprocess.Popen(  # noqa: S603 - the documentation's own command
                ["/bin/bash", "-euc", block.commands],
                cwd=self.folder,
                env=self._environment,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait(process, log, self._moved(block.promised))
            yield
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(timeout=60)

    @staticmethod
    def _wait(process: subprocess.Popen[bytes], log: Path, promised: str) -> None:
        pause, missing = threading.Event(), [promised]
        for _ in range(START_LIMIT_S * 5):
            said = log.read_text(encoding="utf-8")
            assert process.poll() is None, said
            missing = unkept(promised, said)
            if not missing:
                return
            pause.wait(0.2)
        raise AssertionError(f"It did not say in time: {missing}")

    def _shell(self, script: str) -> str:
        """Return what the script said; fail when a command of it does."""
        done = subprocess.run(  # noqa: S603 - the documentation's own commands
            ["/bin/bash", "-eu", "-o", "pipefail", "-c", self._moved(script)],
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SHELL_LIMIT_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def _moved(self, text: str) -> str:
        """Return the text with the ports that this copy has."""
        return re.sub(
            r"127\.0\.0\.1:707(\d)", lambda m: f"127.0.0.1:{self._first_port + int(m[1])}", text
        )

    @property
    def _environment(self) -> Mapping[str, str]:
        """Return what a person has, who never typed this before; nothing of a make above us."""
        own = ("AGENTMETER_", "MAKE", "MFLAGS", "DEMO")
        kept = {k: v for k, v in operator_environment().items() if not k.startswith(own)}
        return {**kept, "AGENTMETER_PORT": str(self._first_port), "NO_PROXY": "127.0.0.1"}

    def _take_packages(self) -> None:
        """Have the packages that are installed here already: installing them takes minutes."""
        venv = self.folder / ".venv"
        venv.mkdir()
        for part in (ROOT / ".venv").resolve().iterdir():
            if not part.name.startswith("."):
                (venv / part.name).symlink_to(part)
        (venv / ".local").touch()
