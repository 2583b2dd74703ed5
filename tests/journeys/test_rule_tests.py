"""The tests of the shipped rules pass, and a test that is wrong says what came instead."""

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
from tests.journeys.scenario import CONFIG, RULES

FILES = [file.stem for file in sorted((CONFIG / "tests").glob("*.toml"))]


def check(*words: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    code = main(["check", *words], Desk(Terminal(out, err), {}, FakeClock()))
    return code, out.getvalue(), err.getvalue()


def test_every_shipped_rule_has_tests() -> None:
    assert sorted(rule.name for rule in RULES.values()) == FILES


@pytest.mark.parametrize("name", FILES)
def test_what_ships_does_as_its_tests_say(name: str) -> None:
    code, out, _ = check("--tests", name)
    assert code == 0, out
    tests = (CONFIG / "tests" / f"{name}.toml").read_text(encoding="utf-8").count("[[test]]")
    assert tests >= 2
    assert f"{tests} of {tests} tests of rules are well." in out


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a copy of the config with one short test alone."""
    shutil.copytree(CONFIG, tmp_path / "config")
    tests = tmp_path / "config" / "tests"
    shutil.rmtree(tests)
    tests.mkdir()
    (tests / "Queue.toml").write_text(QUEUE, encoding="utf-8")
    return tmp_path / "config"


QUEUE = """
rules = ["HighTaskQueueBacklog"]
[[test]]
name = "a backlog"
lasts = "PT4M"
states = [{ at = "PT2M", state = "firing" }]
pages = [{ at = "PT2M", action = "trigger", summary = "150 tasks" }]
[[test.events]]
type = "task.queue"
data = { priority = "high" }
field = "value"
from = "PT30S"
values = "150x3"
"""


def edit(folder: Path, old: str, new: str) -> None:
    file = folder / "tests" / "Queue.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_rule_that_changed_fails_its_test_with_the_timeline(folder: Path) -> None:
    rule = folder / "rules" / "HighTaskQueueBacklog.toml"
    text = rule.read_text(encoding="utf-8")
    rule.write_text(
        text.replace('value = "> 100" }', 'value = "> 100", lasting = "PT2M" }'), encoding="utf-8"
    )

    code, out, _ = check("--config", str(folder), "--tests")

    assert code == 1
    assert "tests/Queue.toml: a backlog\n" in out
    assert "  PT2M HighTaskQueueBacklog/warning: expected firing, got pending\n" in out
    assert "    - PT2M trigger HighTaskQueueBacklog/warning\n" in out
    assert "    + PT2M30S trigger HighTaskQueueBacklog/warning\n" in out
    assert "    PT1M HighTaskQueueBacklog/warning pending: 150 is > 100\n" in out
    assert out.endswith("0 of 1 tests of rules are well.\n")


def test_machines_are_reported_of_each_test(folder: Path) -> None:
    edit(folder, "150 tasks", "200 tasks")

    code, out, _ = check("--config", str(folder), "--json", "--tests", "Queue")

    answer: dict[str, Any] = json.loads(out)
    (test,) = answer["tests"]
    assert (code, answer["ok"], test["ok"]) == (1, False, False)
    assert (test["file"], test["test"]) == ("tests/Queue.toml", "a backlog")
    assert "expected a summary with '200 tasks'" in test["faults"][0]
    assert len(test["timeline"]) == 3


def test_a_page_that_is_not_expected_is_a_fault_and_so_is_a_refused_event(folder: Path) -> None:
    edit(folder, 'pages = [{ at = "PT2M", action = "trigger", summary = "150 tasks" }]', "pages=[]")
    edit(folder, 'priority = "high"', 'priority = "high", colour = "red"')

    code, out, _ = check("--config", str(folder), "--tests")

    assert code == 1
    assert "event 1 was refused: data.colour" in out


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param('rules = ["High', 'rules = ["Hugh', "there is no Hugh", id="no-such-rule"),
        pytest.param("150x3", "many", "'many' is no value", id="values"),
        pytest.param('lasts = "PT4M"', 'lasts = "4m"', "[[test]] 1: lasts", id="duration"),
        pytest.param("pages = ", "calls = ", "[[test]] 1: calls", id="unknown-field"),
        pytest.param('"firing"', '"fired"', "[[test]] 1: states.0.state", id="state"),
        pytest.param('"PT4M"', '"PT4M"\nplan = { tick = 1 }', "tick", id="plan"),
        pytest.param('state = "f', 'rule = "Other", state = "f', "Other is not in", id="rule"),
    ],
)
def test_a_file_that_is_wrong_is_named_with_the_field(
    folder: Path, old: str, new: str, said: str
) -> None:
    edit(folder, old, new)
    code, _, err = check("--config", str(folder), "--tests")
    assert code == 2
    assert "Queue.toml" in err
    assert said in err


def test_a_file_that_is_not_there_is_named_with_those_that_are(folder: Path) -> None:
    code, _, err = check("--config", str(folder), "--tests", "Queu")
    assert code == 2
    assert "Name one of: Queue." in err
