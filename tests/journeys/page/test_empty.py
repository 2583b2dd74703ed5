"""A page without a single event says what to do, and notices the first one."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.fakes import START, FakeClock
from tests.journeys.browser import WAIT_MS, viewer
from tests.journeys.laptop import laptop
from tests.journeys.page.scene import SECOND, everything

pytestmark = pytest.mark.xdist_group("page")


def test_an_empty_system_says_so_everywhere(browser: Browser, tmp_path: Path) -> None:
    with (
        laptop(tmp_path, FakeClock(START)) as fresh,
        viewer(browser, fresh.stack.page_url, START) as tab,
    ):
        for view, words in (
            ("", "No event yet."),
            ("incidents", "No incident so far."),
            ("alerts", "no alert is pending or firing"),
            ("costs", "No model call in this time."),
            ("search", "No event fits."),
            ("health", "No queue yet."),
        ):
            tab.open(view)
            assert (view, words in tab.page.inner_text("main")) == (view, True)
        assert tab.said == []


def test_the_empty_page_waits_for_the_first_event(browser: Browser, tmp_path: Path) -> None:
    with (
        laptop(tmp_path, FakeClock(START)) as fresh,
        viewer(browser, fresh.stack.page_url, START) as tab,
    ):
        tab.open("")
        answer = tab.page.inner_text("main")
        for line in (f"curl -i {fresh.stack.app_url}/api/events", "local.json", "http/protobuf"):
            assert line in answer
        fresh.post(list(everything(START - SECOND)))
        fresh.stack.host.drain()
        tab.page.clock.fast_forward("00:07")
        expect(tab.page.locator("main")).not_to_contain_text("No event yet", timeout=WAIT_MS)
        assert tab.said == []
