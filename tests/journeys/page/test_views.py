"""The page as a person meets it, in a real browser over a real stack."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Locator, expect

from shared.usecases.spending.question import SPLIT_BY
from tests.factories import event
from tests.journeys.browser import DESKTOP, PHONE, WAIT_MS, Scheme, Viewer, viewer
from tests.journeys.laptop import Laptop, minutes
from tests.journeys.page.scene import FIRST, SECOND, TRACE, at_time

pytestmark = pytest.mark.xdist_group("page")

TRACED = f"traced {FIRST.isoformat()}"
VIEWS = [
    "",
    "incidents",
    "why/HighErrorRate.critical",
    "alerts",
    "costs",
    "search?kind=llm.call&team=red",
    f"event?id={TRACED.replace('+', '%2B')}&source=tests",
    "health",
]


@pytest.mark.parametrize(
    ("size", "scheme", "views"),
    [
        pytest.param(DESKTOP, "light", VIEWS, id="desktop"),
        pytest.param(PHONE, "dark", [*VIEWS, "workbooks"], id="phone"),
    ],
)
def test_every_view_is_accessible_and_fits(
    browser: Browser, box: Laptop, size: tuple[int, int], scheme: Scheme, views: list[str]
) -> None:
    with viewer(browser, box.stack.page_url, box.clock.now(), size, scheme) as tab:
        for view in views:
            tab.open(view)
            assert (view, tab.complaints()) == (view, [])
        assert tab.said == []


def test_the_overview_shows_the_numbers_of_the_api(seen: Viewer, box: Laptop) -> None:
    since = (box.clock.now() - timedelta(hours=1)).isoformat().replace("+", "%2B")
    bill = box.get(f"/api/costs?by=team&from={since}").json()
    failed = box.query(
        'UsageEvents | where Name == "llm.call" and Status == "error" | summarize sum(Count)'
    )
    seen.open("")
    shown = seen.page.locator(".tile", has_text="Spend, last hour").locator("data")
    assert float(shown.get_attribute("value") or 0) == bill["total_usd"]
    assert seen.figure("Model calls, last hour") == str(bill["calls"])
    assert seen.figure("Failed") == f"{100 * failed[0][0] / bill['calls']:.3g} %"
    assert seen.figure("Open incidents") == str(sum(i.resolved_at is None for i in box.incidents()))
    assert f"{bill['unpriced_calls']} calls unpriced" in seen.page.inner_text(".tiles")
    assert len(box.incidents()) > 0


def test_money_is_whole_on_hover_and_times_say_utc(seen: Viewer) -> None:
    seen.open("costs")
    cost = seen.page.locator("#h-spent-by-model").locator("../..").locator("tbody data").first
    assert f"${cost.get_attribute('value')}" == cost.get_attribute("title")
    seen.open("incidents")
    opened = seen.page.locator("main time").first
    assert re.fullmatch(r"2026-11-23 12:3\d:00\.\d{3} UTC", opened.get_attribute("title") or "")


def test_unpriced_models_come_with_the_entry_that_would_price_them(
    seen: Viewer, box: Laptop
) -> None:
    (unpriced,) = box.get("/api/costs?by=model").json()["unpriced"]
    seen.open("costs")
    seen.page.get_by_text("1 model without a price").click()
    assert seen.page.inner_text("main pre") == unpriced["add"]


def test_costs_are_reported_by_everything_that_the_api_knows(seen: Viewer) -> None:
    seen.open("costs")
    by = seen.page.get_by_label("By", exact=True)
    assert by.locator("option").all_inner_texts() == [name.replace("_", " ") for name in SPLIT_BY]
    by.select_option("environment")
    assert seen.page.inner_text("#h-spent-by-environment") == "Spent, by environment"


def test_a_silence_made_in_the_page_mutes_a_page_until_it_is_ended_there(
    seen: Viewer, box: Laptop
) -> None:
    def paged() -> int:
        return sum("HighTaskQueueBacklog" in i.dedup_key for i in box.incidents())

    def backlog(count: int) -> None:
        for at in minutes(box.clock.now(), count):
            box.clock.advance(seconds=(at - box.clock.now()).total_seconds())
            box.post([at_time(at - SECOND, "long", event("task.queue", value=900))])
            box.stack.host.tick(at)

    seen.open("alerts")
    seen.page.get_by_role("link", name="Silence HighTaskQueueBacklog").click()
    expect(seen.page.get_by_label("Mutes alerts with")).to_have_value(
        "alertname=HighTaskQueueBacklog"
    )
    seen.page.get_by_label("Your name").fill("ada")
    seen.page.get_by_role("button", name="Silence", exact=True).click()
    end = seen.page.get_by_role("button", name="End the silence of alertname=HighTaskQueueBacklog")
    expect(end).to_be_visible()
    (silence,) = box.get("/api/silences").json()["silences"]
    assert (silence["author"], silence["state"]) == ("ada", "active")

    backlog(4)
    assert paged() == 0
    muted = seen.page.locator("tr[data-key='HighTaskQueueBacklog/warning']")
    expect(muted).to_contain_text(f"silence {silence['id']}")

    end.click()
    expect(end).to_have_count(0)
    backlog(2)
    assert paged() == 1


def test_a_refused_silence_says_why(seen: Viewer) -> None:
    seen.open("alerts")
    seen.page.get_by_label("Mutes alerts with").fill("severity=~.*")
    seen.page.get_by_label("Your name").fill("ada")
    seen.page.get_by_role("button", name="Silence", exact=True).click()
    expect(seen.page.get_by_role("status")).to_contain_text("no label has to be there")
    assert [said for said in seen.said if "400" not in said] == []
    seen.said.clear()


def test_a_refresh_leaves_focus_and_what_was_typed(seen: Viewer, box: Laptop) -> None:
    seen.open("alerts")
    comment = seen.page.get_by_label("Why", exact=True)
    comment.fill("half a sen")
    before = seen.page.inner_text("#state")
    seen.page.clock.set_fixed_time(box.clock.now() + timedelta(seconds=7))
    seen.page.clock.fast_forward("00:07")
    expect(seen.page.locator("#state")).not_to_have_text(before)
    expect(comment).to_be_focused()
    expect(comment).to_have_value("half a sen")


def test_the_keyboard_reaches_everything_and_a_new_view_has_the_focus(seen: Viewer) -> None:
    seen.open("")
    seen.page.keyboard.press("Tab")
    expect(seen.page.get_by_role("link", name="Skip to content")).to_be_focused()
    for _ in range(3):
        seen.page.keyboard.press("Tab")
    expect(seen.page.get_by_role("link", name="Incidents", exact=True)).to_be_focused()
    seen.page.keyboard.press("Enter")
    expect(seen.page.locator("main")).to_be_focused()
    expect(seen.page).to_have_title("Incidents · agentmeter")


def test_the_theme_is_chosen_and_kept(seen: Viewer) -> None:
    seen.open("")
    light = seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
    seen.page.get_by_role("button", name="Theme: system").click()
    seen.page.get_by_role("button", name="Theme: light").click()
    seen.load("health")
    assert seen.page.evaluate("getComputedStyle(document.body).backgroundColor") != light


def test_a_part_that_fails_says_so_and_leaves_the_others(seen: Viewer) -> None:
    refusal = {"error": "The log does not answer. Ask again in a minute."}
    seen.page.route("**/api/budgets", lambda route: route.fulfill(status=503, json=refusal))
    seen.open("")
    budgets = seen.page.get_by_role("region", name="Budgets", exact=True)
    expect(budgets).to_contain_text("Cannot be shown. The log does not answer.")
    expect(seen.page.get_by_role("region", name="Cost by team, last hour")).to_contain_text("red")
    seen.page.unroute("**/api/budgets")
    seen.page.clock.fast_forward("00:07")
    expect(budgets).not_to_contain_text("Cannot be shown", timeout=WAIT_MS)
    seen.said.clear()


def test_a_server_that_is_gone_is_reported_and_what_was_shown_stays(seen: Viewer) -> None:
    seen.open("incidents")
    seen.page.route("**/incidents", lambda route: route.abort())
    seen.page.route("**/api/alerts", lambda route: route.abort())
    seen.page.clock.fast_forward("00:07")
    expect(seen.page.locator("main")).to_contain_text("Start it with `make run`", timeout=WAIT_MS)
    seen.said.clear()


def test_an_event_is_found_in_the_trace_of_its_agent(seen: Viewer) -> None:
    seen.open("search")
    seen.page.get_by_label("Team", exact=True).fill("red")
    seen.page.get_by_label("Kind").select_option("llm.call")
    seen.page.get_by_label("Any id").fill(TRACE)
    seen.page.get_by_role("button", name="Search").click()
    found = seen.page.get_by_role("table", name="Events found").locator("tbody tr")
    expect(found).to_have_count(3)
    found.last.get_by_role("link").click()
    expect(seen.page.get_by_role("heading", level=1)).to_have_text(f"Event {TRACED}")
    expect(steps(seen)).to_have_text(["event row", "event row", "event row", "metric"])
    expect(seen.page.get_by_role("region", name="Way")).to_contain_text("the trace of its agent")
    metrics = seen.page.get_by_role("table", name="Metrics")
    expect(metrics).to_contain_text("llm_cost_usd_total")
    expect(seen.page.get_by_role("table", name="Incidents")).to_contain_text("High error rate")


def test_the_way_of_an_event_goes_from_the_request_to_the_page_that_it_led_to(
    seen: Viewer, box: Laptop
) -> None:
    of_pages = "AppDependencies | project Seen = tostring(Properties.event_traces)"
    trace = next(row[0] for row in box.query(of_pages) if row[0]).partition(",")[0]
    events = f'UsageEvents | where OperationId == "{trace}" and Name == "error"'
    ((id,),) = box.query(f"{events} | summarize max(EventId)")
    seen.open(f"event?id={id.replace('+', '%2B')}&source=tests")
    stages = ["HTTP request", "queue", "process", "call", "event row", "metric", "page"]
    expect(steps(seen)).to_have_text(stages)
    shown = seen.page.get_by_role("table", name="Trace").locator("tbody tr")
    expect(shown.first).to_contain_text("post_events")
    expect(shown.first).to_contain_text("202")
    expect(shown.nth(3)).to_contain_text("POST /v2.1/track")
    expect(shown.nth(5)).to_contain_text("errors_total")
    shown.last.get_by_role("link", name="HighErrorRate/critical").click()
    expect(seen.page.locator(".sentence")).to_be_visible()


def steps(seen: Viewer) -> Locator:
    """Return the stages of the way."""
    trace = seen.page.get_by_role("table", name="Trace")
    return trace.locator("tbody td:nth-child(2)")


def test_what_is_searched_for_is_no_query(seen: Viewer) -> None:
    seen.open("search?text=%22+or+1%3D%3D1+or+Name+%3D%3D+%22%5C")
    expect(seen.page.locator("main")).to_contain_text("No event fits.")


def test_an_incident_leads_to_why_it_fired(seen: Viewer, box: Laptop) -> None:
    answer = box.get("/api/alerts/HighErrorRate.critical/why").json()
    seen.open("incidents")
    seen.page.get_by_role("link", name="High error rate").first.click()
    expect(seen.page.locator(".sentence")).to_have_text(answer["sentence"])
    fast = answer["evidence"][1]
    look = seen.page.locator("[data-key=fast].look")
    assert look.locator("pre").inner_text() == fast["query"]
    assert f"{fast['value']:.3g} against {fast['condition']}" in look.inner_text()
    assert look.locator("tbody data").get_attribute("value") == f"{fast['rows'][0]['value']:g}"
    history = seen.page.get_by_role("table", name="History").locator("tbody tr")
    expect(history).to_have_count(len(answer["history"]))
    expect(history.last).to_contain_text("firing")
    expect(seen.page.get_by_role("table", name="Pages")).to_contain_text("accepted")


def test_a_verdict_given_in_the_page_is_kept_and_can_be_changed(seen: Viewer, box: Laptop) -> None:
    seen.open("why/HighErrorRate.critical")
    judging = seen.page.get_by_role("region", name="Your verdict")
    judging.get_by_label("Your name").fill("ada")
    judging.get_by_label("Note").fill("a load test")
    judging.get_by_role("button", name="Noise").click()
    expect(judging).to_contain_text("Judged noise by ada")
    expect(judging).to_contain_text(": a load test")
    expect(judging.get_by_role("button", name="Noise")).to_have_attribute("aria-pressed", "true")
    answer = box.get("/api/alerts/HighErrorRate.critical/why").json()
    given = {name: answer["verdict"][name] for name in ("episode", "verdict", "note", "by")}
    assert given == {
        "episode": answer["episode"],
        "verdict": "noise",
        "note": "a load test",
        "by": "ada",
    }
    judging.get_by_role("button", name="Real trouble").click()
    expect(judging).to_contain_text("Judged real by ada")
    history = seen.page.get_by_role("table", name="History").locator("tbody tr")
    expect(history.filter(has_text="verdict")).to_have_count(1)
