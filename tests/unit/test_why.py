"""Why an alert fires or is silent, in a sentence and with what is stored."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

import pytest

from shared.alerting.bounds import SERIES_MOST
from shared.alerting.muting import Matcher, Silence
from shared.alerting.page import Dead, Later
from shared.errors import NotFound, RetryLater
from shared.usecases.evaluation.deliver import Deliver
from shared.usecases.explaining.find_alert import Subjects
from shared.usecases.explaining.why import Why
from tests.evaluating import ROUTES, START, World, rule
from tests.fakes import FakeReceivers
from tests.unit.test_deliver import FakeReceiver

MINUTE = timedelta(minutes=1)


def explain(world: World, id: str = "Errors", silences: Sequence[Silence] = ()) -> dict[str, Any]:
    subjects = Subjects(world.alerts, lambda: world.rules)
    why = Why(subjects, world.alerts, lambda: ROUTES, lambda: silences)
    return why.explain(id, world.now)


def sentence(world: World, id: str = "Errors") -> str:
    return cast("str", explain(world, id)["sentence"])


def states(answer: dict[str, Any], kind: str) -> list[str]:
    return [step["state"] for step in answer["history"] if step["kind"] == kind]


def test_a_rule_that_was_never_evaluated_says_so() -> None:
    assert sentence(World(rule())) == "Errors is silent: it has not been evaluated yet."


def test_a_silent_rule_says_what_it_found() -> None:
    world = World(rule())
    world.tick(Errors=5)
    assert sentence(world) == "Errors is silent: at 00:00 its query found 5, limit 10 (main)."


def test_a_rule_without_data_says_so() -> None:
    world = World(rule())
    world.tick(Errors=[])
    assert sentence(world) == "Errors is silent: at 00:00 its query found no data (main)."


def test_a_rule_whose_query_fails_says_how_often_and_why() -> None:
    world = World(rule())
    world.ticks(3, Errors=RetryLater("HTTP 503"))
    answer = explain(world)
    assert answer["sentence"] == (
        "Errors is silent: its queries have failed 3 times in a row: main: HTTP 503."
    )
    assert answer["evidence"][0]["error"] == "main: HTTP 503"


def test_a_pending_alert_says_when_it_would_fire() -> None:
    world = World(rule())
    world.tick(Errors=12)
    assert sentence(world) == (
        "Errors has been pending since 00:00 UTC: 12 errors (12; limit 10); "
        "it fires at 00:02 UTC if that lasts."
    )


@pytest.mark.parametrize(
    ("outcome", "says"),
    [
        (None, "and the page was taken (202)."),
        (Later("HTTP 503"), "and the page still waits to be taken (HTTP 503)."),
        (Dead("HTTP 400"), "and the page was refused for good (HTTP 400)."),
    ],
)
def test_a_firing_alert_says_who_was_sent_and_whether_it_arrived(
    outcome: Later | Dead | None, says: str
) -> None:
    world = World(rule())
    world.ticks(3, Errors=12)
    Deliver(
        world.alerts, FakeReceivers({"critical": FakeReceiver([outcome] if outcome else [])})
    ).run(world.now)
    assert sentence(world) == (
        "Errors has fired since 00:02 UTC: 12 errors (12 for 2 min; limit 10). "
        f"Receiver critical was notified at 00:02 UTC, {says}"
    )


def test_what_mutes_it_is_said_and_listed() -> None:
    silence = Silence("s1", (Matcher("alertname", "Errors"),), START, START + timedelta(hours=1))
    over = Silence("s0", (Matcher("alertname", "Errors"),), START - MINUTE, START)
    other = Silence("s2", (Matcher("alertname", "Other"),), START, START + timedelta(hours=1))
    world = World(rule(), silences=lambda: [silence])
    world.ticks(3, Errors=12)
    answer = explain(world, silences=[over, silence, other])
    assert answer["sentence"].endswith("No page was sent: muted silence s1.")
    assert [one["id"] for one in answer["silences"]] == ["s1"]
    assert [step["reason"] for step in answer["history"] if step["kind"] == "decision"] == [
        "muted silence s1"
    ]


def test_a_warning_that_its_critical_twin_inhibits_says_so() -> None:
    world = World(rule(), rule(severity="warning", query="Warning {start} {end}"))
    world.ticks(3, Errors=12, Warning=12)
    answer = explain(world, "Errors.warning")
    assert "No page was sent: muted inhibited by" in answer["sentence"]
    assert [one["source"] for one in answer["inhibitions"]] == [{"severity": "critical"}]
    assert explain(world, "Errors")["severity"] == "critical"


def test_a_resolved_alert_keeps_its_history_and_its_episode() -> None:
    world = World(rule())
    world.ticks(3, Errors=12)
    (alert,) = world.record().series
    world.ticks(2, Errors=5)
    answer = explain(world, f"Errors.critical.{alert}")
    assert answer["state"] == "inactive"
    assert answer["episode"] == f"Errors.critical.{alert}@20260105T000200Z"
    assert states(answer, "transition") == ["resolved", "firing", "pending"]
    assert answer == explain(world, "Errors/critical")


def test_of_a_rule_with_several_alerts_the_one_that_fires_longest_is_shown() -> None:
    world = World(rule(hold="PT0S"))
    world.log.columns = ("Source", "value")
    world.tick(Errors=[("a", 5), ("b", 15)])
    world.tick(Errors=[("a", 12), ("b", 15)])
    assert explain(world)["labels"] == {"Source": "b"}
    (other,) = [key for key, one in world.record().series.items() if one.labels["Source"] == "a"]
    answer = explain(world, f"Errors.critical.{other}")
    assert answer["labels"] == {"Source": "a"}
    assert answer["sentence"].startswith("Errors of Source a has fired since 00:01 UTC: 12 errors")
    assert states(answer, "transition") == ["firing"]
    found = answer["evidence"][0]
    assert [row["labels"]["Source"] for row in found["rows"]] == ["b", "a"]


def test_a_rule_that_was_taken_away_is_still_explained() -> None:
    world = World(rule())
    world.ticks(3, Errors=12)
    world.rules.clear()
    world.tick()
    answer = explain(world)
    assert answer["sentence"] == "Errors is silent: its rule is no more."
    assert (answer["rule"], states(answer, "transition")[0]) == (None, "resolved")
    assert answer["history"][1]["measures"] == {"value": 12, "time_to_resolve_s": 60}


@pytest.mark.parametrize("id", ["", "Error", "Errors.warning", "Errors.critical.0", "../etc"])
def test_what_no_one_knows_is_not_found(id: str) -> None:
    with pytest.raises(NotFound, match="GET /api/alerts lists their ids"):
        explain(World(rule()), id)


def test_a_storm_leaves_a_bounded_history_with_its_decision() -> None:
    world = World(rule(hold="PT0S"))
    world.log.columns = ("Source", "value")
    world.tick(Errors=[(f"s{n}", 12) for n in range(600)])
    steps = world.alerts.log.steps("Errors/critical")
    assert len(steps) == SERIES_MOST + 1
    assert steps[-1].kind == "decision"
    assert len(world.record().looked[0].rows) == 20
    assert world.record().looked[0].row_count == 600
