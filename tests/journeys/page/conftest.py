"""A stack with a few minutes of everything, and a browser on its page; both for all tests here."""

from collections.abc import Generator

import pytest
from playwright.sync_api import Browser

from tests.fakes import START, FakeClock
from tests.journeys.browser import Viewer, chromium, viewer
from tests.journeys.laptop import Laptop, laptop, minutes
from tests.journeys.page.scene import SECOND, everything, storm


@pytest.fixture(scope="package")
def browser() -> Generator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="package")
def box(tmp_path_factory: pytest.TempPathFactory) -> Generator[Laptop]:
    """Return a stack with a few minutes of everything, of which one rule has had enough."""
    with laptop(tmp_path_factory.mktemp("page"), FakeClock(START)) as running:
        for at in minutes(START, 3):
            running.clock.advance(seconds=(at - running.clock.now()).total_seconds())
            running.post([*everything(at - SECOND), *storm(at)])
            running.stack.host.tick(at)
        yield running


@pytest.fixture
def seen(browser: Browser, box: Laptop) -> Generator[Viewer]:
    """A tab that must have had nothing to complain of."""
    with viewer(browser, box.stack.page_url, box.clock.now()) as tab:
        yield tab
        assert tab.said == []
