"""`make screenshots`: forty minutes of the simulated fleet, told to the page, photographed."""

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

from local.fleet.runner import MOST_EVENTS, Fleet
from local.stack import APP_FOLDER
from tests.fakes import START, FakeClock
from tests.journeys.browser import DESKTOP, PHONE, Scheme, chromium, viewer
from tests.journeys.laptop import TIMEOUT_S, Laptop, laptop, minutes

FOLDER = APP_FOLDER / "docs" / "screenshots"
SEED = 1
LENGTH = timedelta(minutes=40)
"""Up to the middle of an outage: an incident is open."""
BUDGETS = """
[[budget]]
name = "everybody"
amount_usd = 100
period = "day"

[[budget]]
name = "team_beacon"
amount_usd = 40
period = "month"
scope = { team = "beacon" }
"""
VERDICTS = (
    ("HighTaskQueueBacklog.warning", "noise", "the nightly import: no agent waits for it"),
    ("LLMAPIFailureRate.critical", "real", "the provider is overloaded again"),
)
SHOTS: tuple[tuple[str, str, tuple[int, int], Scheme], ...] = (
    ("overview", "", (1440, 1010), "light"),
    ("overview-dark", "", (1440, 1010), "dark"),
    ("phone", "", PHONE, "light"),
    ("phone-incidents", "incidents", PHONE, "dark"),
    ("traces", "missions?period=1h", DESKTOP, "light"),
    ("why", "why/LLMAPIFailureRate.critical", (1440, 1150), "light"),
    ("alerts", "alerts", DESKTOP, "light"),
    ("costs", "costs?by=team", DESKTOP, "dark"),
    ("workbook-alerts", "workbooks/alerts?Explain=no", (1440, 1250), "light"),
    ("workbook-costs", "workbooks/cost-tracking", (1440, 1250), "light"),
    ("workbook-health", "workbooks/system-health", (1440, 1250), "dark"),
    ("search", "search?kind=llm.call&team=beacon&status=error", DESKTOP, "light"),
    ("health", "health", DESKTOP, "light"),
)


def main() -> None:
    """Write docs/screenshots/*.png anew; the same at every run."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        config = Path(home) / "config"
        shutil.copytree(APP_FOLDER / "config", config)
        (config / "budgets.toml").write_text(BUDGETS, encoding="utf-8")
        clock = FakeClock(START)
        with laptop(Path(home) / "state", clock, AGENTMETER_CONFIG=str(config)) as box:
            live(box)
            photograph(box)


def live(box: Laptop) -> None:
    """Let the fleet work, minute by minute."""
    fleet = Fleet(SEED, START)
    for at in minutes(START, LENGTH // timedelta(minutes=1)):
        box.clock.advance(seconds=(at - box.clock.now()).total_seconds())
        events = fleet.events_between(at - timedelta(minutes=1), at)
        for begin in range(0, len(events), MOST_EVENTS):
            box.post(events[begin : begin + MOST_EVENTS])
        if at == START + LENGTH:
            judge(box)
        box.stack.host.tick(at)


def judge(box: Laptop) -> None:
    """Say what a person would of the alerts that were; the next tick tells it."""
    for alert, verdict, note in VERDICTS:
        url = f"{box.stack.page_url}/api/alerts/{alert}/verdict"
        said = {"verdict": verdict, "note": note, "by": "ada"}
        box.http.post(url, json=said, timeout=TIMEOUT_S).raise_for_status()


def photograph(box: Laptop) -> None:
    """Write the pictures, as of a moment after the last tick."""
    now = box.clock.now() + timedelta(seconds=5)
    with chromium() as browser:
        for name, route, size, scheme in SHOTS:
            with viewer(browser, box.stack.page_url, now, size, scheme) as tab:
                tab.open(route)
                tab.page.screenshot(path=FOLDER / f"{name}.png", animations="disabled")


if __name__ == "__main__":
    main()
