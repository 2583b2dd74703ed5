"""`ops labels`: what the book holds, and room made in it."""

import json
from contextlib import closing
from io import StringIO
from pathlib import Path

import pytest

from ops.__main__ import main
from ops.console.command import Desk
from ops.console.terminal import Terminal
from shared.storage.stores import open_file, stores_of
from tests.fakes import START, FakeClock

JUNK = {f"junk-{n}": "https://noisy" for n in range(15)}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A file in which one sender filled most of a label with junk."""
    path = tmp_path / "state.db"
    with closing(stores_of(open_file(path))) as storage:
        storage.labels.admit("model", {"gpt-4o": "https://calm"}, 20, START)
        storage.labels.admit("model", JUNK, 20, START)
        storage.labels.admit("tool", {"search": "https://calm"}, 20, START)
    return path


def ops(state: Path, *words: str) -> tuple[int, str, str]:
    out, err = StringIO(), StringIO()
    environment = {
        "AGENTMETER_STATE": f"sqlite:{state}",
        "AGENTMETER_HOME": str(state.parent / "no stack"),
        "APPLICATIONINSIGHTS_CONNECTION_STRING": "InstrumentationKey=x",
        "LOGS_WORKSPACE_ID": "w",
        "METRICS_TOKEN": "letmein",
    }
    code = main(("labels", *words), Desk(Terminal(out, err), environment, FakeClock()))
    return code, out.getvalue(), err.getvalue()


def admitted(state: Path, value: str) -> set[str]:
    with closing(stores_of(open_file(state))) as storage:
        return storage.labels.admit("model", {value: "https://noisy"}, 20, START)


def test_each_label_says_how_full_it_is_and_by_whom(state: Path) -> None:
    code, out, _ = ops(state, "--json")
    model, tool = json.loads(out)
    assert code == 0
    assert (model["label"], model["values"], model["senders"], model["of them"]) == (
        *("model", 16, 2, 15),
    )
    assert (tool["label"], tool["values"]) == ("tool", 1)


def test_the_values_of_a_label_are_listed(state: Path) -> None:
    _, out, _ = ops(state, "model")
    assert "gpt-4o" in out
    assert "junk-14" in out
    assert "search" not in out


def test_freed_values_make_room_for_others(state: Path) -> None:
    assert admitted(state, "claude") == set()
    code, _, err = ops(state, "model", "--free", "junk-*")
    assert (code, "15 values of model" in err) == (0, True)
    assert admitted(state, "claude") == {"claude"}
    assert admitted(state, "gpt-4o") == {"gpt-4o"}


def test_all_values_of_one_sender_go_at_once(state: Path) -> None:
    (summary, _) = json.loads(ops(state, "--json")[1])
    ops(state, "model", "--sender", summary["most from"], "--free", "*")
    _, out, _ = ops(state, "model", "--json")
    assert [row["value"] for row in json.loads(out)] == ["gpt-4o"]


def test_what_is_not_in_the_book_is_said(state: Path) -> None:
    assert ops(state, "model", "--free", "claude")[0] == 1
    code, _, err = ops(state, "colour")
    assert (code, "no label colour" in err) == (1, True)
