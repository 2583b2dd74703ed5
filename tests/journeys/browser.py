"""A headless Chromium that looks at the laptop's page, and complains of what a person would."""

import functools
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import (  # pyright: ignore[reportMissingTypeStubs]  # it ships none
    Axe,
)
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

WAIT_MS = 30_000
DESKTOP, PHONE = (1440, 900), (390, 844)
Scheme = Literal["light", "dark"]
LEAVE = """route => {
    document.getElementById("state").dataset.state = "leaving";
    location.hash = route;
}"""
"""Until the view that is left has gone, the page would say that it is live."""
FAULTS = """() => axe.run({ resultTypes: ["violations"] }).then(({ violations }) =>
    violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`))
)"""


@functools.cache
def axe_script() -> str:
    """Return the library as it comes with the package."""
    axe: Any = Axe()  # whose own types are not whole
    return axe.axe_script


@dataclass(slots=True)
class Viewer:
    """A tab on the page. said: what the console told of, and errors that nothing caught."""

    page: Page
    url: str
    said: list[str] = field(default_factory=list[str])

    def load(self, route: str) -> None:
        """Load the page at a view, and wait until it shows what it has."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.url}/#/{route}")
        self.wait()

    def open(self, route: str) -> None:
        """Go to another view, within the page where it is loaded, and wait as load() does."""
        if self.page.url == "about:blank":
            self.load(route)
            return
        self.page.evaluate(LEAVE, f"#/{route}")
        self.wait()

    def wait(self) -> None:
        """Wait until what was asked for is there, or is known to be lost."""
        self.page.wait_for_selector("#state:not([data-state=loading])")

    def figure(self, name: str) -> str:
        """Return what the tile of that name shows."""
        tile = self.page.locator(".tile", has=self.page.locator("dt", has_text=name)).first
        return tile.locator(".figure").inner_text()

    def complaints(self) -> list[str]:
        """Return what axe finds fault with, and whether the view is wider than the screen."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(axe_script())
        faults: list[str] = self.page.evaluate(FAULTS)
        beyond = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        return [*faults, *([f"{beyond} px too wide"] if beyond > 0 else [])]


@contextmanager
def chromium() -> Generator[Browser]:
    """Start Debian's Chromium; without one the test is skipped, or fails if it must run."""
    path = shutil.which("chromium")
    if path is None:
        required = os.environ.get("AGENTMETER_REQUIRE_CHROMIUM")  # noqa: TID251  # no setting of the app
        missing = "Chromium is not installed: apt-get install chromium"
        (pytest.fail if required == "1" else pytest.skip)(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def viewer(
    browser: Browser,
    url: str,
    now: datetime,
    size: tuple[int, int] = DESKTOP,
    scheme: Scheme = "light",
) -> Generator[Viewer]:
    """Open a tab whose clock stands at `now`, as the stack's does."""
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, timezone_id="UTC"
    )
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    page.clock.set_fixed_time(now)
    seen = Viewer(page, url)
    page.on("console", lambda message: _note(seen, message))
    page.on("pageerror", lambda error: seen.said.append(str(error)))
    try:
        yield seen
    finally:
        context.close()


def _note(seen: Viewer, message: ConsoleMessage) -> None:
    if message.type in ("error", "warning"):
        seen.said.append(message.text)
