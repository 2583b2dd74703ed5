"""What every log of alerts' steps promises."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.alerting.evidence import Evidence, Row
from shared.alerting.history import News, Step
from shared.alerting.page import Accepted, Later, Page
from shared.alerting.record import RuleRecord
from shared.errors import RetryLater
from shared.storage import steps as steps_module
from shared.store_ports import AlertStore
from tests.contract.stores import OpenStores, Stores

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
COSTS, ERRORS = "HighHourlyCosts/critical", "HighErrorRate/warning"
FOUND = Evidence(
    *(
        "main",
        "UsageEvents | where Model == 'ü'\n| summarize value = 1",
        NOON,
        NOON,
        "> 1",
        1.0,
        60.0,
    ),
    rows=(Row({"Model": "gpt-4"}, 1.5, None), Row({"Model": ""}, None, 3.0)),
    row_count=40,
    error="no answer: “timeout”",
)


def step(number: int, rule: str = COSTS, state: str = "firing") -> Step:
    """Return a step of so many minutes after noon, with something in every field."""
    return Step(
        key=f"{rule} {number}",
        rule=rule,
        alert="HighHourlyCosts.critical.0123456789ab",
        kind="transition",
        at=NOON + timedelta(minutes=number),
        state=state,
        reason="1.5 is > 1",
        series={"Model": "gpt-4"},
        episode="HighHourlyCosts.critical.0123456789ab@20261123T120000Z",
        numbers={"value": 1.5, "threshold": 1.0},
        texts={"look": "main"},
        evidence=(FOUND,),
    )


def page() -> Page:
    return Page(
        *("p1", COSTS, "dev/costs", "critical", "trigger", "critical", "costs", {"a": 1}),
        *(NOON, NOON, "first"),
        fired_at=NOON,
    )


def only(alerts: AlertStore) -> News:
    (news,) = alerts.log.news(9)
    return news


def test_steps_come_back_as_they_were_stored_with_the_state(open_stores: OpenStores) -> None:
    open_stores().alerts.save(RuleRecord(COSTS), [page()], [step(1), step(2)])
    alerts = open_stores().alerts
    assert list(alerts.log.steps(COSTS)) == [step(1), step(2)]
    assert only(alerts).steps == (step(1), step(2))
    assert only(alerts).rule == COSTS
    assert list(alerts.log.steps(ERRORS)) == []


def test_a_save_that_fails_stores_no_step(stores: Stores) -> None:
    stores.alerts.save(RuleRecord(COSTS), [])
    with pytest.raises(RetryLater):
        stores.alerts.save(RuleRecord(COSTS), [], [step(1)])
    assert list(stores.alerts.log.news(9)) == []
    assert list(stores.alerts.log.steps(COSTS)) == []


def test_steps_of_one_moment_keep_the_order_of_their_saves(stores: Stores) -> None:
    record, written = RuleRecord(COSTS), [replace(step(n), at=NOON) for n in range(6)]
    for one in written:
        record = stores.alerts.save(record, [], [one])
    assert list(stores.alerts.log.steps(COSTS)) == written
    for news in stores.alerts.log.news(9)[:3]:
        stores.alerts.log.mark_exported(news)
    assert list(stores.alerts.log.steps(COSTS)) == written


def test_a_save_without_steps_is_no_news(stores: Stores) -> None:
    stores.alerts.save(RuleRecord(COSTS), [], [])
    stores.alerts.log.note(COSTS, [])
    assert list(stores.alerts.log.news(9)) == []


def test_an_attempt_and_its_step_are_one_write(stores: Stores) -> None:
    stores.alerts.save(RuleRecord(COSTS), [page()])
    stores.alerts.settle(page(), Later("HTTP 503"), NOON, [step(1)])
    waiting = replace(page(), attempts=1, last_status="HTTP 503")
    stores.alerts.settle(waiting, Accepted(202), NOON, [step(2)])
    assert list(stores.alerts.log.steps(COSTS)) == [step(1), step(2)]


def test_who_settles_a_page_that_has_left_notes_nothing(stores: Stores) -> None:
    stores.alerts.settle(page(), Accepted(202), NOON, [step(1)])
    assert list(stores.alerts.log.news(9)) == []


def test_reported_news_are_no_news_and_their_steps_stay(open_stores: OpenStores) -> None:
    alerts = open_stores().alerts
    alerts.save(RuleRecord(COSTS), [], [step(1)])
    alerts.log.note(ERRORS, [step(3, ERRORS)])
    alerts.log.note(COSTS, [step(2)])
    news = alerts.log.news(9)
    assert [one.steps for one in news] == [(step(1),), (step(2),), (step(3, ERRORS),)]
    assert list(alerts.log.news(2)) == list(news)[:2]
    for one in news:
        alerts.log.mark_exported(one)
    assert list(open_stores().alerts.log.news(9)) == []
    assert list(open_stores().alerts.log.steps(COSTS)) == [step(1), step(2)]
    assert list(open_stores().alerts.log.steps(ERRORS)) == [step(3, ERRORS)]


def test_what_was_sent_by_another_is_not_reported_again(stores: Stores) -> None:
    stores.alerts.log.note(COSTS, [step(1)])
    news = only(stores.alerts)
    stores.alerts.log.mark_exported(news)
    stores.alerts.log.mark_exported(news)
    assert list(stores.alerts.log.news(9)) == []
    assert list(stores.alerts.log.steps(COSTS)) == [step(1)]


def test_a_step_that_is_stored_again_takes_the_place_of_the_first(stores: Stores) -> None:
    log = stores.alerts.log
    log.note(COSTS, [step(1), step(2)])
    log.mark_exported(only(stores.alerts))
    changed = replace(step(1), state="noise", at=NOON + timedelta(minutes=5))
    log.note(COSTS, [changed])
    assert list(log.steps(COSTS)) == [step(2), changed]
    log.mark_exported(only(stores.alerts))
    assert list(log.steps(COSTS)) == [step(2), changed]


def test_of_two_sets_of_news_with_one_step_each_is_news(stores: Stores) -> None:
    log = stores.alerts.log
    first, second = step(1, state="noise"), replace(step(1, state="real"), at=NOON.replace(hour=13))
    log.note(COSTS, [first])
    log.note(COSTS, [second])
    assert [news.steps for news in log.news(9)] == [(first,), (second,)]
    assert list(log.steps(COSTS)) == [second]


def test_the_latest_steps_of_each_rule_are_kept(
    monkeypatch: pytest.MonkeyPatch, open_stores: OpenStores
) -> None:
    monkeypatch.setattr(steps_module, "STEPS_KEPT", 3)
    log = open_stores().alerts.log
    log.note(ERRORS, [step(1, ERRORS)])
    for number in (1, 2):
        log.note(COSTS, [step(2 * number), step(2 * number + 1)])
    for news in log.news(9):
        log.mark_exported(news)
    assert list(log.steps(COSTS)) == [step(3), step(4), step(5)]
    assert list(log.steps(ERRORS)) == [step(1, ERRORS)]


def test_five_hundred_steps_of_one_write_come_back(open_stores: OpenStores) -> None:
    many = [step(number) for number in range(500)]
    open_stores().alerts.save(RuleRecord(COSTS), [], many)
    assert list(open_stores().alerts.log.steps(COSTS)) == many
