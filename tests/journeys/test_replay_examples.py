"""Replay against what Prometheus and Alertmanager did on the same events."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from replay.outcome import outcome
from replay.plan import read_plan
from replay.recording import read_recording
from replay.run import replay
from replay.world import Config
from tests.journeys.scenario import QUEUE, RULES, graver, routes

EXAMPLES = Path(__file__).parents[3] / "shared" / "examples"
NAMES = (
    "breach_shorter_than_for",
    "breach_longer_than_for",
    "inhibition_simultaneous",
    "silence_before_fire",
    "pagerduty_down_over_resolve",
)
PRICES = 'trusted_providers = ["anthropic"]'
TICK_S, OPENED_S, CLOSED_S = 60, 120, 390
"""How close is right: Alertmanager holds later calls of a group back to its five minutes."""
Json = Mapping[str, Any]

pytestmark = [
    pytest.mark.skipif(
        not EXAMPLES.exists(), reason=f"{EXAMPLES} is not there: what Prometheus did is unknown"
    ),
]


def replayed(name: str) -> Json:
    plan = read_plan(EXAMPLES / name / "plan.json")
    recording = read_recording(EXAMPLES / name / "events.jsonl.gz")
    more = [graver(QUEUE, over=500)] if name == "inhibition_simultaneous" else []
    config = Config([*RULES.values(), *more], routes(), PRICES)
    happened = replay(plan, config, recording.events, lambda _: None)
    assert not happened.failed
    assert not [*recording.refused, *happened.refused]
    return outcome(plan, happened)


def states(timeline: Sequence[Json]) -> dict[tuple[str, str], list[tuple[str, float]]]:
    """Return (state, second) of each alert, in order."""
    alerts: dict[tuple[str, str], list[tuple[str, float]]] = {}
    for entry in timeline:
        alert = alerts.setdefault((entry["alert"], entry["severity"]), [])
        alert.append((entry["state"], entry["t"]))
    return alerts


def incidents(calls: Sequence[Json]) -> list[dict[str, Any]]:
    """Return what the calls that PagerDuty took opened and closed."""
    found: list[dict[str, Any]] = []
    is_open: dict[str, dict[str, Any]] = {}
    for call in calls:
        key, second = call["dedup_key"], call["t"]
        if call["status"] != 202:
            continue
        if call["action"] == "resolve":
            is_open.pop(key)["closed"] = second
        elif key not in is_open:
            named = {name: call[name] for name in ("alert", "severity", "routing")}
            is_open[key] = {**named, "opened": second, "closed": None}
            found.append(is_open[key])
    return sorted(found, key=_order)


def _order(incident: Json) -> tuple[Any, ...]:
    return incident["alert"], incident["severity"], incident["opened"]


@pytest.mark.parametrize("name", NAMES)
def test_replay_agrees_with_prometheus_and_alertmanager(name: str) -> None:
    expected = json.loads((EXAMPLES / name / "expected.json").read_text(encoding="utf-8"))
    found = replayed(name)
    wanted, got = states(expected["timeline"]), states(found["timeline"])
    assert got.keys() == wanted.keys()
    for alert, steps in wanted.items():
        assert [state for state, _ in got[alert]] == [state for state, _ in steps]
        for (_, there), (_, here) in zip(steps, got[alert], strict=True):
            assert abs(there - here) <= TICK_S
    for there, here in zip(
        sorted(expected["incidents"], key=_order), incidents(found["pagerduty"]), strict=True
    ):
        assert {k: here[k] for k in ("alert", "severity", "routing")}.items() <= there.items()
        assert abs(there["opened"] - here["opened"]) <= OPENED_S
        assert abs(there["closed"] - here["closed"]) <= CLOSED_S
