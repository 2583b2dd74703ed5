"""`ops check`: every problem of a config folder, with its file, place and remedy."""

import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from ops.__main__ import main
from ops.console.command import Desk
from ops.console.terminal import Terminal
from tests.fakes import FakeClock
from tests.pricing import GPT_4O, entry

SHIPPED = Path(__file__).parents[2] / "config"


class Folder:
    """A copy of the shipped config, and an operator who checks it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        shutil.copytree(SHIPPED, path)

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.path / name).read_text()
        assert old in text
        (self.path / name).write_text(text.replace(old, new, 1))

    def append(self, name: str, text: str) -> None:
        (self.path / name).write_text((self.path / name).read_text() + text)

    def check(self, *options: str) -> tuple[int, list[dict[str, str]]]:
        """Return the exit code and the problems."""
        out = io.StringIO()
        desk = Desk(Terminal(out, io.StringIO()), {}, FakeClock())
        code = main(["check", "--config", str(self.path), "--json", *options], desk)
        answer: dict[str, Any] = json.loads(out.getvalue())
        assert answer["ok"] == (code == 0)
        return code, answer["problems"]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "config")


def test_what_ships_is_well(folder: Folder) -> None:
    assert folder.check() == (0, [])


BUDGET = '\n[[budget]]\nname = "b"\namount_usd = -1\nperiod = "month"\n'
COSTS = "rules/HighHourlyCosts.toml"


@pytest.mark.parametrize(
    ("edit", "file", "said"),
    [
        pytest.param((COSTS, "sum(CostUsd)", "sum(CostUsd"), COSTS, "query: ", id="no kql"),
        pytest.param((COSTS, "sum(CostUsd)", "sum(Costs)"), COSTS, "Costs", id="no such column"),
        pytest.param((COSTS, "value = sum", "usd = sum"), COSTS, "`value`", id="no value"),
        pytest.param((COSTS, "window = ", "widow = "), COSTS, "widow", id="no such field"),
        pytest.param((COSTS, "docs/runbooks/H", "docs/runbooks/X"), COSTS, "runbook", id="runbook"),
        pytest.param((COSTS, "window", 'route = "me"\nwindow'), "rules", "receiver me", id="route"),
        pytest.param(("routes.toml", "severities = [", "severity = ["), "routes.toml", "severit"),
        pytest.param(("prices.toml", "input = 0.56", "input = 0.57"), "prices.toml", "[[price]] 3"),
        pytest.param(
            ("prices.toml", "\ntrusted_", "\ntrusting_"), "prices.toml", "trusting_providers is"
        ),
    ],
)
def test_a_problem_is_reported_with_its_file(
    folder: Folder, edit: tuple[str, str, str], file: str, said: str
) -> None:
    folder.edit(*edit)

    code, problems = folder.check()

    assert code == 1
    assert any(p["file"] == file and said in p["said"] for p in problems), problems


def test_problems_of_every_file_are_reported_at_once(folder: Folder) -> None:
    folder.edit(COSTS, "window = ", "widow = ")
    folder.append("budgets.toml", BUDGET)
    folder.append("prices.toml", entry("price", **GPT_4O, input=-1))
    (folder.path / "routes.toml").unlink()

    _, problems = folder.check()

    assert [p["file"] for p in problems] == [COSTS, "budgets.toml", "routes.toml", "prices.toml"]
    assert "line " in problems[3]["said"]
    assert "docs/prices.md" in problems[3]["said"]


def test_a_deployment_that_no_one_prices_is_named(folder: Folder) -> None:
    priced = entry("deployment", name="chat", model="gpt-4o")
    folder.append("prices.toml", priced + entry("deployment", name="odd", model="no-such-model"))

    _, problems = folder.check()

    assert [p["said"].split(" from")[0] for p in problems] == ["[[deployment]] odd"]


def test_an_appended_entry_is_locked_by_a_release_and_may_not_change_then(folder: Folder) -> None:
    folder.append("prices.toml", entry("price", **GPT_4O, input=3.21))
    assert folder.check() == (0, [])
    folder.edit("prices.toml", "input = 3.21", "input = 3.22")
    assert folder.check("--release") == (0, [])

    folder.edit("prices.toml", "input = 3.22", "input = 3.21")
    locked = (folder.path / "prices.lock").read_text()
    code, problems = folder.check("--release")

    assert (code, len(problems)) == (1, 1)
    assert "azure/gpt-4o from 2026-01-01 was released" in problems[0]["said"]
    assert (folder.path / "prices.lock").read_text() == locked
