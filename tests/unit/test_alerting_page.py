"""What a page says, what mutes it, and when a rule is due."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from shared.alerting.compose import Sender, To, incident_after, resolve, trigger
from shared.alerting.decide import Decision
from shared.alerting.grouping import Group
from shared.alerting.muting import Inhibition, Matcher
from shared.alerting.record import SeriesAlert
from shared.alerting.rule import Rule
from shared.alerting.schedule import Due, due
from shared.alerting.wording import fill

START = datetime(2026, 1, 5, tzinfo=UTC)
FIRST = Decision("first", "trigger")
SENDER = Sender("prod", "https://page.test")


def rule(**fields: object) -> Rule:
    common = {
        "name": "Idle",
        "group": "health",
        "severity": "warning",
        "window": "PT5M",
        "condition": "< 2",
        "summary": "{value:.0f} idle at {Source}",
        "query": "{start} {end}",
    }
    return Rule.model_validate(common | fields)


def alert(value: float | None, source: str = "a") -> SeriesAlert:
    return SeriesAlert({"Source": source}, "firing", START, value, START)


def test_the_worst_member_speaks_for_the_group_and_twenty_are_shown() -> None:
    firing = {str(n): alert(n / 100, f"s{n}") for n in range(50, 0, -1)} | {"x": alert(None)}
    page = trigger(SENDER, rule(), Group(firing, None), To("warning"), FIRST, START)
    details = json.loads(json.dumps(page.body["custom_details"]))
    assert page.summary == "[WARNING] 0 idle at s1"
    assert [m["value"] for m in details["members"]] == [n / 100 for n in range(1, 21)]
    assert (details["firing"], details["threshold"]) == (51, "< 2")


def test_the_members_reported_are_those_not_muted() -> None:
    group = Group({"1": alert(1), "2": alert(0)}, None, muted={"2": "silence s"})
    page = trigger(SENDER, rule(), group, To("warning"), FIRST, START)
    incident = incident_after(group, page, START)
    assert incident is not None
    assert (incident.members, page.summary) == (("1",), "[WARNING] 1 idle at a")


def test_a_link_leads_to_the_alert_of_the_page_where_it_has_a_place_for_its_id() -> None:
    sender = Sender("prod", "https://page.test/#/why/{id}")
    of_all, of_one = (Group({"1": alert(1)}, None, key=key) for key in ("", "4f53cda18c2b"))
    links = [
        trigger(sender, rule(), group, To("warning"), FIRST, START).body["link"]
        for group in (of_all, of_one)
    ]
    why = "https://page.test/#/why/Idle.warning"
    assert links == [why, f"{why}.4f53cda18c2b"]
    opened = trigger(sender, rule(), of_all, To("warning"), FIRST, START)
    incident = incident_after(of_all, opened, START)
    assert incident is not None
    ended = resolve(sender, "Idle/warning", incident, Decision("all resolved", "resolve"), START)
    assert ended.body["link"] == why


def test_a_resolve_repeats_the_title_of_its_incident() -> None:
    group = Group({"1": alert(1)}, None)
    opened = trigger(SENDER, rule(), group, To("warning"), FIRST, START)
    incident = incident_after(group, opened, START)
    assert incident is not None
    page = resolve(SENDER, "Idle/warning", incident, Decision("all resolved", "resolve"), START)
    assert (page.summary, page.severity, page.route) == (opened.summary, "warning", "warning")
    assert incident_after(Group({}, incident), page, START) is None


def test_a_bad_placeholder_holds_up_no_page() -> None:
    assert fill("{value:.1f} of {Model}", {"Model": "m"}, 2) == "2.0 of m"
    assert fill("{Mode}", {"Model": "m"}, 2) == "{Mode} (a placeholder is unknown)"
    assert fill("{value:.1f}", {}, None) == "nan"


@pytest.mark.parametrize(
    ("matcher", "matches"),
    [
        (Matcher("alertname", "High"), False),
        (Matcher("alertname", "High.*", is_regex=True), True),
        (Matcher("alertname", "igh.*", is_regex=True), False),
        (Matcher("alertname", "HighErrorRate"), True),
        (Matcher("alertname", "HighErrorRate", is_equal=False), False),
        (Matcher("Team", ""), True),
    ],
)
def test_a_matcher_tests_one_whole_label(matcher: Matcher, matches: bool) -> None:
    assert matcher.matches({"alertname": "HighErrorRate"}) is matches


def test_an_alert_like_source_and_target_cannot_mute_itself() -> None:
    both = Inhibition(source={"team": "a"}, target={"team": "a"}, equal=())
    assert not both.mutes({"team": "a"}, both.sources([{"team": "a"}]))
    graver = Inhibition(source={"severity": "critical"}, target={"severity": "warning"})
    warning = {"severity": "warning", "alertname": "X"}
    for name, mutes in (("X", True), ("Y", False)):
        firing = [{"severity": "critical", "alertname": name}]
        assert graver.mutes(warning, graver.sources(firing)) is mutes


def test_a_rule_is_due_at_whole_multiples_of_its_interval() -> None:
    five, at = timedelta(minutes=5), START + timedelta(minutes=12)
    assert due(five, None, at) == Due((START + timedelta(minutes=10),))
    assert due(five, START + timedelta(minutes=10), at) == Due(())
    assert due(five, START, at) == Due((START + five, START + 2 * five))
    assert due(five, at + five, at) == Due(())
