"""What a page says beside that it is wrong: figures, who contributes, where to look."""

import base64
import gzip
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast
from urllib.parse import parse_qs, unquote

import pytest

from shared.alerting.about import About
from shared.alerting.page import Page
from shared.errors import RetryLater
from shared.notify.page_links import PageLinks
from shared.ports import Table
from shared.usecases.evaluation.log_wrappers import InTime
from tests.evaluating import START, FakeLog, World, rule

WORKSPACE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.OperationalInsights/workspaces/w"
LINKS = PageLinks("https://wiki.test/main/", WORKSPACE, "https://page.test/#/alerts?{labels}")
ASKING = rule(hold="PT0S", contributors="Top {start} {end}")


def details(page: Page) -> dict[str, Any]:
    return cast("dict[str, Any]", page.body["custom_details"])


class TopLog(FakeLog):
    """Knows who contributes, in columns of their own; or does what `top` does."""

    def __init__(self) -> None:
        super().__init__()
        self.top: list[str] = []
        self.rows: tuple[tuple[object, ...], ...] = (("gpt-4o", "a", 60.5), ("gpt-4o", "b", 9.5))
        self.silent = threading.Event()
        self.silent.set()

    def query(self, kql: str, start: datetime, end: datetime) -> Table:
        if not kql.startswith("Top"):
            return super().query(kql, start, end)
        self.top.append(kql)
        self.silent.wait(20)
        if not self.rows:
            raise RetryLater("HTTP 503")
        return Table(("Model", "Source", "Usd"), self.rows)


@pytest.fixture
def log() -> Iterator[TopLog]:
    made = TopLog()
    yield made
    made.silent.set()


def test_top_contributors_cover_the_window_that_fired(log: TopLog) -> None:
    (page,) = World(ASKING, log=log).ticks(1, Errors=12)
    assert details(page)["contributors"] == [
        {"Model": "gpt-4o", "Source": "a", "Usd": 60.5},
        {"Model": "gpt-4o", "Source": "b", "Usd": 9.5},
    ]
    assert log.top == [
        "Top datetime(2026-01-04T23:55:00.0000000Z) datetime(2026-01-05T00:00:00.0000000Z)"
    ]


def test_who_contributes_is_asked_when_a_page_goes_out_and_then_alone(log: TopLog) -> None:
    world = World(ASKING, log=log)
    world.ticks(5, Errors=5)
    assert log.top == []
    world.ticks(20, Errors=12)
    assert len(log.top) == 1


def test_pages_of_several_series_ask_once_and_each_names_its_own(log: TopLog) -> None:
    world = World(ASKING.model_copy(update={"per_series": True}), log=log)
    log.columns = ("Source", "value")
    pages = world.ticks(1, Errors=[("a", 12), ("b", 13)])
    own = {
        details(page)["labels"]["Source"]: [row["Usd"] for row in details(page)["contributors"]]
        for page in pages
    }
    assert own == {"a": [60.5], "b": [9.5]}
    assert len(log.top) == 1


def test_without_an_answer_the_page_goes_out_and_says_so(log: TopLog) -> None:
    log.rows = ()
    (page,) = World(ASKING, log=log).ticks(1, Errors=12)
    assert details(page)["contributors"] == "unknown: HTTP 503"


def test_an_answer_that_does_not_come_holds_up_the_first_page_alone(log: TopLog) -> None:
    log.silent.clear()
    with InTime(log, wait_s=0.05) as soon:
        for _ in range(3):
            with pytest.raises(RetryLater, match="in time"):
                soon.query("Top", START, START + timedelta(minutes=1))
    assert len(log.top) == 1


def test_samples_and_the_last_values_are_those_of_the_worst_series() -> None:
    world = World(rule(hold="PT3M", min_samples=3, offset="PT0S"))
    world.log.columns = ("Source", "value", "samples")
    for minute in range(3):
        world.ticks(1, Errors=[("a", 11 + minute, 20), ("b", 11, 4)])
    (page,) = world.ticks(1, Errors=[("a", 20, 30), ("b", 11, 4)])
    assert details(page)["samples"] == 30
    values = [(one["at"], one["value"]) for one in details(page)["last_values"]]
    assert values == [
        ((START + timedelta(minutes=n)).isoformat(), value)
        for n, value in enumerate([11.0, 12.0, 13.0, 20.0])
    ]


def test_no_more_than_ten_values_are_remembered() -> None:
    world = World(rule(hold="PT30M"))
    world.ticks(25, Errors=12)
    (alert,) = world.record().series.values()
    assert [at for at, _ in alert.recent][::9] == [START + timedelta(minutes=n) for n in (15, 24)]


def test_values_of_two_conditions_are_not_mixed() -> None:
    fast = {"window": "PT1M", "condition": ">= 60", "query": "Quick {start} {end}"}
    world = World(rule(fast=fast))
    world.ticks(2, Errors=5, Quick=0)
    (page,) = world.ticks(1, Errors=9, Quick=82)
    assert [one["value"] for one in details(page)["last_values"]] == [82.0]
    world.ticks(2, Errors=12, Quick=0)
    (alert,) = world.record().series.values()
    assert (alert.by, [value for _, value in alert.recent]) == ("main", [12.0, 12.0])


def linked(world: World) -> dict[str, str]:
    world.evaluate = replace(world.evaluate, links=LINKS)
    (page,) = world.ticks(1, Errors=12)
    links = cast("list[dict[str, str]]", page.body["links"])
    return {link["text"]: link["href"] for link in links}


def test_the_links_open_the_runbook_the_very_query_and_the_silence() -> None:
    links = linked(World(rule(hold="PT0S")))
    assert list(links) == ["Runbook", "Query in the portal", "Silence"]
    assert links["Runbook"] == "https://wiki.test/main/docs/runbooks/Errors.md"
    labels = parse_qs(links["Silence"].partition("?")[2])
    assert labels == {"alertname": ["Errors"], "severity": ["critical"]}
    parts = links["Query in the portal"].partition("/resourceId/")[2].split("/")
    assert unquote(parts[0]) == WORKSPACE
    assert parts[1:4] == ["source", "LogsBlade.AnalyticsShareLinkToQuery", "q"]
    assert gzip.decompress(base64.b64decode(unquote(parts[4]))).decode() == (
        "Errors datetime(2026-01-04T23:55:00.0000000Z) datetime(2026-01-05T00:00:00.0000000Z)"
    )
    assert parts[5] == "timespan"
    assert unquote(parts[6]) == "2026-01-04T23:55:00.000Z/2026-01-05T00:00:00.000Z"


def test_what_is_not_known_is_not_linked() -> None:
    bare = PageLinks()
    assert bare(About(rule(), {}, None)) == []
    wiki = rule(runbook="https://wiki.test/errors")
    assert bare(About(wiki, {}, None)) == [{"text": "Runbook", "href": "https://wiki.test/errors"}]
