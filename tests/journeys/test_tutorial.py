"""docs/tutorial.md and the README's first steps, as typed."""

import re
from pathlib import Path

import pytest

from tests.journeys.process import ROOT
from tests.journeys.typed import Block, Desk, blocks, unkept


@pytest.mark.timeout(400)
def test_the_tutorial_works_as_typed(tmp_path: Path) -> None:
    first, *typed, last = blocks((ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8"))
    desk = Desk(tmp_path)
    with desk.running(first):
        desk.type(typed)
    assert not list((desk.folder / ".agentmeter").glob("local.json"))
    desk.type([last])
    assert not (desk.folder / ".agentmeter").exists()


@pytest.mark.timeout(200)
def test_the_first_steps_of_the_readme_work_as_typed(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (section,) = re.findall(r"## Send an event\n(.*?)\n## ", text, re.DOTALL)
    desk = Desk(tmp_path)
    with desk.running(Block("DEMO=0 make run", "agentmeter runs; …")):
        desk.type(blocks(section))


def test_a_promise_is_kept_line_by_line_in_order_and_dots_stand_for_anything() -> None:
    said = "one 1\nat 12:00  two\nthree\n"
    assert unkept("one 1\n…\nthree", said) == []
    assert unkept("at …   two", said) == []
    assert unkept("three\none 1", said) == ["one 1"]
    assert unkept("two", said) == ["two"]
