"""The tutorial's two pages and the README's first steps, as typed."""

import re
import textwrap
from pathlib import Path

import pytest

from tests.journeys.process import ROOT
from tests.journeys.typed import Block, Desk, blocks, unkept

SPENT = 'UsageEvents | where TeamId == "search" | summarize Calls = sum(Count), Usd = sum(CostUsd)'
AGENT = """
import json
from pathlib import Path
from types import SimpleNamespace

def create(**asked):
    usage = {"prompt_tokens": 1200, "completion_tokens": 80, "total_tokens": 1280}
    return {"id": "chatcmpl-" + 24 * "7", "object": "chat.completion", "usage": usage, **asked}

key = json.loads(Path(".agentmeter/local.json").read_text())["function_key"]
client = SimpleNamespace(chat=SimpleNamespace(completions=SimpleNamespace(create=create)))
messages = []
"""
"""What an agent has when it comes to the README's snippet."""


@pytest.mark.timeout(400)
def test_the_tutorial_works_as_typed(tmp_path: Path) -> None:
    pages = [ROOT / "docs" / name for name in ("tutorial.md", "tutorial-paged.md")]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    first, *typed, last = blocks(text)
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
    (snippet,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    program = f"{AGENT}{textwrap.dedent(snippet)}\nassert meter.flush(10)"
    first, *later = blocks(section)
    sent = Block(f"PYTHONPATH=client/src .venv/bin/python - <<'END'\n{program}\nEND", "")
    seen = Block(f"bin/ops query '{SPENT}'", "Calls  Usd\n    2  0.0076")
    desk = Desk(tmp_path)
    with desk.running(Block("DEMO=0 make run", "agentmeter runs; …")):
        desk.type([first, counted("0.0038"), *later, sent, counted("0.0076"), seen])


def counted(usd: str) -> Block:
    """Wait, as a reader does who is told that it takes some seconds."""
    page = "http://127.0.0.1:7071/metrics"
    return Block(f"until curl -s {page} | grep '^llm_cost.* {usd}$'; do sleep 1; done", "")


def test_a_promise_is_kept_line_by_line_in_order_and_dots_stand_for_anything() -> None:
    said = "one 1\nat 12:00  two\nthree\n"
    assert unkept("one 1\n…\nthree", said) == []
    assert unkept("at …   two", said) == []
    assert unkept("three\none 1", said) == ["one 1"]
    assert unkept("two", said) == ["two"]
