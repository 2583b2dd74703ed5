"""What keeps an alert from being told, and never its resolve."""

from datetime import timedelta

from shared.alerting.muting import Matcher, Silence
from shared.usecases.evaluation.evaluate import Evaluate
from tests.evaluating import ROUTES, START, World, only, rule


def test_a_warning_is_not_reported_while_its_critical_twin_fires() -> None:
    world = World(rule(), rule(severity="warning", query="Warning {start} {end}"))
    (critical,) = world.ticks(10, Errors=12, Warning=12)
    assert critical.severity == "critical"
    closed, opened = world.ticks(1, Errors=5)
    assert (closed.action, closed.severity) == ("resolve", "critical")
    assert (opened.action, opened.severity) == ("trigger", "warning")


def test_a_silence_mutes_the_trigger_but_never_the_resolve() -> None:
    silence = Silence(
        "s1", (Matcher("alertname", "Err.*", is_regex=True),), START, START + timedelta(minutes=9)
    )
    world = World(rule(), silences=lambda: [silence])
    assert world.ticks(8, Errors=12) == []
    assert only(world.tick()).reason == "muted silence s1"
    assert world.record().muted_by == "silence s1"
    (opened,) = world.ticks(1)
    assert opened.action == "trigger"
    assert world.record().muted_by == ""
    later = Silence("s2", silence.matchers, START, START + timedelta(days=1))
    world.evaluate = Evaluate(
        *(lambda: world.rules, world.log, world.alerts, lambda: ROUTES, "prod", ""),
        silences=lambda: [later],
    )
    (closed,) = world.ticks(1, Errors=5)
    assert closed.action == "resolve"


def test_a_silence_over_an_open_incident_stops_reminders_and_changes_alone() -> None:
    silences: list[Silence] = []
    world = World(rule(hold="PT0S"), silences=lambda: silences)
    world.log.columns = ("Source", "value")
    assert len(world.ticks(1, Errors=[("a", 12)])) == 1
    over = START + timedelta(hours=5)
    silences.append(Silence("s1", (Matcher("alertname", "Errors"),), START, over, author="ada"))
    assert world.ticks(299, Errors=[("a", 12), ("b", 12)]) == []
    (update,) = world.ticks(2)
    assert (update.action, update.reason) == ("trigger", "new alerts added")
    assert update.created_at == over + timedelta(seconds=3)


def test_a_silence_of_one_series_leaves_the_others_and_is_named() -> None:
    silence = Silence("s1", (Matcher("Source", "b"),), START, START + timedelta(minutes=20))
    world = World(rule(hold="PT0S"), silences=lambda: [silence])
    world.log.columns = ("Source", "value")
    (opened,) = world.ticks(10, Errors=[("a", 12), ("b", 15)])
    assert opened.summary == "[CRITICAL] 12 errors"
    assert world.record().muted_by == "silence s1"
    assert world.ticks(10, Errors=[("a", 5), ("b", 15)]) == []
    (added,) = world.ticks(1)
    assert added.reason == "new alerts added"


def test_what_starts_to_mute_between_two_looks_is_noted_and_asks_nothing() -> None:
    silences: list[Silence] = []
    world = World(rule(every="PT5M", hold="PT0S"), silences=lambda: silences)
    world.ticks(2, Errors=12)
    silences.append(
        Silence("s1", (Matcher("alertname", "Errors"),), START, START + timedelta(hours=1))
    )
    asked = len(world.log.asked)
    assert only(world.tick()).outcome == "not due"
    assert world.record().muted_by == "silence s1"
    assert len(world.log.asked) == asked
