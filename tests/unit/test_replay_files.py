"""The files of a replay: what is read, what is refused and how, and the command around them."""

import gzip
import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ops.__main__ import main
from ops.console.command import Desk
from ops.console.terminal import Terminal
from replay.plan import Plan, read_plan
from replay.recording import Recorded, read_recording
from replay.run import steps
from shared.errors import Misconfigured
from tests.fakes import FakeClock
from tests.journeys.scenario import CONFIG, at, errors, queue

START = datetime(2026, 1, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def plan(**more: object) -> Plan:
    return Plan.model_validate({"start": "2026-01-05T00:00:00Z", "duration_s": 300, **more})


def test_ticks_are_whole_minutes_from_the_first_to_the_last_second() -> None:
    assert [step.at for step in steps(plan(), [])] == [START + n * MINUTE for n in range(6)]
    odd = plan(start="2026-01-05T00:00:00.5Z")
    assert [odd.seconds(step.at) for step in steps(odd, [])] == [59.5, 119.5, 179.5, 239.5, 299.5]
    assert len(list(steps(plan(tick_s=120), []))) == 3
    assert len(list(steps(plan(tick_s=7.5), []))) == 41


def test_an_event_is_posted_by_the_tick_after_its_time() -> None:
    moments = [-90, -60, 0, 0.001, 60, 60.001, 240, 290, 301]
    events = [Recorded(n, b"", START + timedelta(seconds=s)) for n, s in enumerate(moments)]
    seen = {
        (step.at - START) // MINUTE: [event.number for _, some in step.posts for event in some]
        for step in steps(plan(), events)
    }
    assert seen == {-1: [0, 1], 0: [2], 1: [3, 4], 2: [5], 3: [], 4: [6], 5: [7]}
    late = {
        (step.at - START) // MINUTE: [event.number for _, some in step.posts for event in some]
        for step in steps(plan(sent_after_s=60), events)
    }
    assert late == {0: [0, 1], 1: [2], 2: [3, 4], 3: [5], 4: [], 5: [6]}


def test_history_has_no_ticks() -> None:
    before = [Recorded(1, b"", START - timedelta(days=1))]
    first, *others = steps(plan(), before)
    assert (first.ticks, first.at) == (False, START - timedelta(days=1))
    assert all(step.ticks for step in others)


def write(path: Path, events: Sequence[object], packed: bool = False) -> Path:
    text = "\n".join(one if isinstance(one, str) else json.dumps(one) for one in events).encode()
    path.write_bytes(gzip.compress(text) if packed else text)
    return path


@pytest.mark.parametrize("packed", [False, True])
def test_events_are_read_in_the_order_of_their_times(tmp_path: Path, packed: bool) -> None:
    events = ['{"time":"2026-01-05T02:00:00+01:00"}', "", '{"time":"2026-01-05T00:30:00Z"}']
    found = read_recording(write(tmp_path / "events", events, packed))
    assert [event.number for event in found.events] == [3, 1]


def test_a_line_without_a_time_is_named_and_stops_no_other(tmp_path: Path) -> None:
    events = ['{"time":"2026-01-05T00:30:00Z"}', '{"id":"x"}', '{"time":2026}', "no JSON"]
    found = read_recording(write(tmp_path / "events", events))
    assert [event.number for event in found.events] == [1]
    assert [one.number for one in found.refused] == [2, 3, 4]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"", "holds no event", id="empty"),
        pytest.param(b"\x1f\x8b broken", "cannot be read", id="broken-gzip"),
        pytest.param(None, "cannot be read", id="missing"),
    ],
)
def test_events_that_cannot_be_read_are_said(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    path = tmp_path / "events.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Misconfigured, match=said):
        read_recording(path)


def silenced(*matchers: Mapping[str, object]) -> dict[str, object]:
    return {"silences": [{"from": 0, "to": 1, "matchers": matchers}]}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        pytest.param({"duration_s": -1}, "duration_s", id="negative"),
        pytest.param({"start": "2026-01-05T00:00:00"}, "start", id="no-zone"),
        pytest.param({"fasst": True}, "fasst", id="unknown"),
        pytest.param(silenced(), "silences.0.matchers", id="no-matcher"),
        pytest.param(
            silenced({"name": "a", "value": "(", "isRegex": True}),
            "no regular expression",
            id="regex",
        ),
        pytest.param({"pagerduty_faults": [{"from": 0, "to": 1}]}, "status", id="no-status"),
        pytest.param({"restarts": [5]}, "restarts.0", id="restart"),
    ],
)
def test_a_wrong_plan_is_refused_by_the_field(
    tmp_path: Path, wrong: dict[str, object], said: str
) -> None:
    good = {"start": "2026-01-05T00:00:00Z", "duration_s": 300}
    path = write(tmp_path / "plan.json", [good | wrong])
    with pytest.raises(Misconfigured, match=said):
        read_plan(path)


class Operator:
    """Types `replay`; keeps what was said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.out, self.err = io.StringIO(), io.StringIO()

    def replay(self, events: Sequence[object], stated: Mapping[str, object], *argv: str) -> int:
        files = {
            "--events": write(self.folder / "events.jsonl", events),
            "--plan": write(self.folder / "plan.json", [stated]),
            "--out": self.folder / "new" / "out.json",
        }
        named = [part for name, path in files.items() for part in (name, str(path))]
        desk = Desk(Terminal(self.out, self.err), {}, FakeClock())
        return main(["replay", *named, *argv], desk)

    @property
    def written(self) -> Any:
        return json.loads((self.folder / "new" / "out.json").read_text(encoding="utf-8"))


BACKLOG = queue([150] * 13)
SHORT = {"start": "2026-01-05T00:00:00Z", "duration_s": 720}


def only(folder: Path, *names: str) -> str:
    """Return a folder with these of the rules that ship."""
    rules = folder / "rules"
    rules.mkdir()
    for name in names:
        text = (CONFIG / "rules" / f"{name}.toml").read_text(encoding="utf-8")
        (rules / f"{name}.toml").write_text(text, encoding="utf-8")
    return str(rules)


def test_the_outcome_has_the_documented_form(tmp_path: Path) -> None:
    operator = Operator(tmp_path)
    calls = [
        at(30, "llm.call", provider="acme", model="own", cost_usd="1.25", count=2),
        at(90, "llm.call", provider="nobody", model="knows", usage={"input_tokens": 7}),
    ]
    prices = tmp_path / "prices.toml"
    prices.write_text('trusted_providers = ["acme"]', encoding="utf-8")
    rules = only(tmp_path, "HighTaskQueueBacklog")
    argv = ("--rules", rules, "--prices", str(prices), "--json")
    assert operator.replay([*BACKLOG, *calls], SHORT, *argv) == 0
    assert json.loads(operator.out.getvalue()) == operator.written
    common = {"alert": "HighTaskQueueBacklog", "severity": "warning"}
    assert operator.written["timeline"] == [
        {"t": t, **common, "labels": {}, "state": state}
        for t, state in ((0, "pending"), (30, "firing"))
    ]
    assert operator.written["pagerduty"] == [
        {
            "t": 30,
            "action": "trigger",
            **common,
            "routing": "warning",
            "pd_severity": "warning",
            "summary": "[WARNING] Task queue backlog building up: 150 tasks wait, over 100",
            "dedup_key": "agentmeter/replay/HighTaskQueueBacklog/warning",
            "firing": 1,
            "resolved": 0,
            "status": 202,
            "reason": "first",
        }
    ]
    costs = operator.written["costs"]
    assert (costs["usd"], costs["calls"]) == (1.25, 3)
    assert costs["statuses"] == {"reported": 2, "unknown": 1}
    assert costs["tokens"]["input_tokens"] == 1007
    assert [(m["provider"], m["model"], m["usd"]) for m in costs["by_model"]] == [
        ("acme", "own", 1.25),
        ("nobody", "knows", None),
    ]


def test_a_person_is_reported_what_happened_and_what_was_not_taken(tmp_path: Path) -> None:
    operator = Operator(tmp_path)
    wrong = at(60, "error") | {"data": {"component": "x", "error_type": "y", "oops": 1}}
    rules = only(tmp_path, "HighTaskQueueBacklog")
    assert operator.replay([*BACKLOG, wrong, "{}"], SHORT, "--rules", rules) == 0
    said = operator.out.getvalue()
    assert "14 events" in said
    assert "HighTaskQueueBacklog/warning  firing" in said
    assert "trigger" in said
    assert "0 model calls cost $0.00." in said
    refused = [line for line in operator.err.getvalue().splitlines() if "refused" in line]
    assert [line.split(":")[0] for line in refused] == [
        "line 14 was refused",
        "line 15 was refused",
    ]
    assert "oops is not a field of this type" in refused[0]
    assert "it says no time" in refused[1]


def test_a_rule_whose_query_is_wrong_is_named_and_ends_in_1(tmp_path: Path) -> None:
    operator = Operator(tmp_path)
    rules = Path(only(tmp_path, "HighErrorRate"))
    file = rules / "HighErrorRate.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("sum(Count)", "sum(Cuont)"))
    assert operator.replay(errors([1] * 3), SHORT, "--rules", str(rules)) == 1
    assert "HighErrorRate/critical could not be evaluated" in operator.err.getvalue()
    assert operator.written["timeline"] == []


@pytest.mark.parametrize("option", ["--rules", "--prices", "--routes"])
def test_a_file_that_is_missing_is_named_and_ends_in_2(tmp_path: Path, option: str) -> None:
    operator = Operator(tmp_path)
    assert operator.replay(BACKLOG, SHORT, option, str(tmp_path / "nowhere")) == 2
    assert "nowhere" in operator.err.getvalue()
    assert not (tmp_path / "new").exists()
