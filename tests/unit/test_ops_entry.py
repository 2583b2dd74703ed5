"""The one form in which an operator types commands, and what it needs."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from ops import __main__ as entry
from ops.console.command import Command, Desk
from ops.console.terminal import Terminal
from shared.errors import Misconfigured
from tests.fakes import FakeClock

ROOT = Path(__file__).parents[2]
OTHER_FORM = re.compile(r"python -m \bops\b")
TEXTS = (
    "README.md",
    "docs/*.md",
    "docs/runbooks/*.md",
    "config/*.toml",
    "infra/hooks/*",
    "ops/**/*.py",
)
SHIPPED = ("functions", "shared", "function_app.py")
OF_THE_LAPTOP = ("local", "standin", "replay", "ops", "dashboards")
OURS = {*SHIPPED, *OF_THE_LAPTOP, "agentmeter_client"}
NAMESPACES = {"azurefunctions": ["azurefunctions-extensions-base"]}
"""Packages that share their first name with others, which no index of names tells."""


def typed(script: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Return what `--help` answers in that folder, where nothing is activated."""
    clean = {"PATH": "/usr/bin:/bin", "HOME": str(folder)}
    return subprocess.run(  # noqa: S603 - our own script
        [script, "--help"], cwd=folder, env=clean, capture_output=True, text=True, check=False
    )


def test_commands_run_from_any_folder_unactivated(tmp_path: Path) -> None:
    answer = typed(ROOT / "bin" / "ops", tmp_path)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.startswith("usage: bin/ops ")


def test_without_packages_it_says_what_to_type(tmp_path: Path) -> None:
    script = tmp_path / "bin" / "ops"
    script.parent.mkdir()
    shutil.copy(ROOT / "bin" / "ops", script)
    answer = typed(script, tmp_path)
    assert answer.returncode == 2
    assert f"Type: make -C {tmp_path} setup" in answer.stderr


@pytest.mark.parametrize(
    ("error", "said"),
    [
        pytest.param(
            ModuleNotFoundError("No module named 'duckdb'", name="duckdb"),
            "The package duckdb is not installed. Type: make setup",
            id="package",
        ),
        pytest.param(Misconfigured("a.toml: line 3: add it"), "check: a.toml: line 3", id="file"),
    ],
)
def test_what_a_command_lacks_is_named(
    error: Exception,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def load(name: str) -> Command:
        raise error

    monkeypatch.setattr(entry, "load", load)
    desk = Desk(Terminal(sys.stdout, sys.stderr), os.environ, FakeClock())  # noqa: TID251 - handed on
    assert entry.main(["check"], desk) == entry.MISUSED
    assert said in capsys.readouterr().err


def test_all_texts_use_the_one_form() -> None:
    files = [path for pattern in TEXTS for path in ROOT.glob(pattern) if path.is_file()]
    assert len(files) > 50
    assert not [path for path in files if OTHER_FORM.search(path.read_text(encoding="utf-8"))]


def imported(*places: str) -> Iterator[str]:
    """Yield the names of the packages that our code imports, but for Python's own and ours."""
    for place in places:
        path = ROOT / place
        for file in path.rglob("*.py") if path.is_dir() else (path,):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom):
                    yield (node.module or "").partition(".")[0]
                elif isinstance(node, ast.Import):
                    yield from (name.name.partition(".")[0] for name in node.names)


def pinned(file: str) -> set[str]:
    """Return the packages of a list, all with an exact version."""
    pins: set[str] = set()
    for line in (ROOT / file).read_text(encoding="utf-8").splitlines():
        words = line.partition("#")[0].strip()
        if words.startswith("-r "):
            pins |= pinned(words.removeprefix("-r "))
        elif words:
            name, is_exact, _ = words.partition("==")
            assert is_exact, line
            pins.add(name.lower().replace("_", "-"))
    return pins


@pytest.mark.parametrize(
    ("places", "file"),
    [(SHIPPED, "requirements.in"), (OF_THE_LAPTOP, "requirements-local.txt")],
    ids=["shipped", "laptop"],
)
def test_what_is_imported_is_pinned(places: tuple[str, ...], file: str) -> None:
    pins, homes = pinned(file), {**packages_distributions(), **NAMESPACES}
    for name in set(imported(*places)) - set(sys.stdlib_module_names) - OURS:
        found = {home.lower().replace("_", "-") for home in homes[name]}
        assert found & pins, f"{name} ({', '.join(sorted(found))}) is not in {file}"
