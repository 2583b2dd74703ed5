"""What agents did, over HTTP: a trace, a mission and a conversation, and `ops trace`."""

import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from ops.__main__ import main
from ops.console.command import Desk
from ops.console.terminal import Terminal
from tests.factories import event
from tests.fakes import START, FakeClock
from tests.journeys.laptop import Laptop, laptop

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
MISSION = 'Zürich "1"'
MILLION = {"input_tokens": 1_000_000, "output_tokens": 0}
"""Of gpt-4: 30 US dollars."""


def at(seconds: float, made: dict[str, Any], span: str = "00f067aa0ba902b7") -> dict[str, Any]:
    time = START - timedelta(minutes=5) + timedelta(seconds=seconds)
    return {**made, "time": time.isoformat(), "traceparent": f"00-{TRACE}-{span}-01"}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    names = {"mission_id": MISSION, "conversation_id": "c1"}
    with laptop(tmp_path_factory.mktemp("laptop"), FakeClock(START)) as running:
        running.post(
            [
                at(0, event(number=1, usage=MILLION, **names)),
                at(2, event(number=2, model="no-such", usage=MILLION, **names)),
                at(3, event("error", 3, **names)),
                at(9, event(number=4, usage=MILLION, conversation_id="c2"), "1" * 16),
            ]
        )
        poor = event(number=5, usage={"input_tokens": 1_000}, conversation_id="c3")
        running.post([at(10, poor)])
        running.post([at(10, event(number=5, usage={"input_tokens": 1_000, "output_tokens": 9}))])
        yield running


def test_a_mission_has_its_steps_and_what_they_come_to(box: Laptop) -> None:
    answer = box.get(f"/api/missions/{quote(MISSION)}").json()
    assert (answer["cost_usd"], answer["calls"], answer["unpriced_calls"]) == (30, 2, 1)
    assert (answer["errors"], answer["events"], answer["input_tokens"]) == (1, 3, 2_000_000)
    assert [step["id"] for step in answer["steps"]] == ["llm.call-1", "llm.call-2", "error-3"]
    assert answer["steps"][1]["cost_usd"] is None


def test_a_trace_has_all_and_a_conversation_its_own(box: Laptop) -> None:
    assert box.get(f"/api/traces/{TRACE}").json()["events"] == 5
    answer = box.get("/api/conversations/c2").json()
    assert (answer["cost_usd"], [step["id"] for step in answer["steps"]]) == (30, ["llm.call-4"])


def test_a_corrected_call_says_what_it_learnt(box: Laptop) -> None:
    (step,) = box.get("/api/conversations/c3").json()["steps"]
    assert (step["output_tokens"], step["corrections"], step["old_cost_usd"]) == (9, 1, "0.03")
    assert step["corrected"] == "output_tokens as a later report stated"
    assert step["corrected_by"] == "tests llm.call-5"


def test_the_dearest_are_listed_with_what_they_used(box: Laptop) -> None:
    answer = box.get("/api/conversations?period=1h").json()
    costs = [(row["id"], row["cost_usd"]) for row in answer["rows"]]
    assert costs == [("c2", 30), ("c1", 30), ("c3", pytest.approx(0.03054))]  # as corrected
    (_, first, _) = answer["rows"]
    assert (first["calls"], first["unpriced_calls"], first["input_tokens"]) == (2, 1, 2_000_000)
    assert (answer["count"], answer["next"]) == (3, None)
    ((mission,), (trace,)) = (
        box.get(f"/api/{name}?period=1h").json()["rows"] for name in ("missions", "traces")
    )
    assert (mission["id"], trace["id"]) == (MISSION, TRACE)
    assert (trace["calls"], trace["duration_s"]) == (4, 11.5)
    assert trace["cost_usd"] == pytest.approx(60.03054)


def test_a_list_is_sorted_narrowed_and_turned_as_costs_are(box: Laptop) -> None:
    asked = "/api/conversations?period=1h&sort=calls&top=1"
    answer = box.get(asked).json()
    assert ([row["id"] for row in answer["rows"]], answer["next"]) == (["c1"], 1)
    assert [row["id"] for row in box.get(f"{asked}&offset=1").json()["rows"]] == ["c3"]
    assert box.get("/api/missions?period=1h&model=gpt-5").json()["rows"] == []
    refused = box.get("/api/missions?sort=age")
    assert (refused.status_code, "Send one of cost, calls" in refused.text) == (400, True)


def test_what_no_event_names_is_not_found(box: Laptop) -> None:
    answer = box.get("/api/missions/nothing")
    assert answer.status_code == 404
    assert answer.json()["error"].startswith("No event names the mission 'nothing'. Check the id")


def ops(box: Laptop, *words: str) -> str:
    out, err = io.StringIO(), io.StringIO()
    environment = {"AGENTMETER_URL": box.stack.app_url, "AGENTMETER_KEY": box.stack.places.key()}
    desk = Desk(Terminal(out, err), environment, box.clock)
    assert main(["trace", *words], desk) == 0
    return out.getvalue()


def test_ops_trace_lists_the_dearest(box: Laptop) -> None:
    head, *rows = ops(box, "--conversation", "--period", "1h").splitlines()
    assert head.split()[:4] == ["conversation", "team", "cost", "calls"]
    assert [row.split()[0] for row in rows] == ["c2", "c1", "c3"]


def test_ops_trace_prints_the_tree(box: Laptop) -> None:
    said = ops(box, MISSION, "--mission")
    assert said.startswith("$30.00 for 2 model calls (1 unpriced), 2,000,000 tokens in")
    assert "llm.call gpt-4" in said
    assert "unknown" in said
    assert "corrected, was $0.0300: output_tokens as a later report stated" in ops(
        box, "c3", "--conversation"
    )
