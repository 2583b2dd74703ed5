"""The laptop's whole stack under a clock that moves when told to: real HTTP, real SDK clients."""

import shutil
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import azure.functions as func
import requests

from functions import build
from functions.web.switch import carrier, read_forwarding
from local.stack import APP_FOLDER, Places, Stack
from shared.adapters.azure.quiet import quiet_sdk
from shared.settings import read
from shared.wiring import App
from standin.pager.sink import Incident
from tests.fakes import FakeClock

TIMEOUT_S = 30


class Laptop:
    """Posts, drains, ticks and asks. settings: of the app, that differ from the laptop's."""

    def __init__(self, home: Path, clock: FakeClock, **settings: str) -> None:
        self.clock = clock
        quiet_sdk()

        def built(local: Mapping[str, str]) -> func.FunctionApp:
            forwarding = read_forwarding({**local, **settings})
            return build(lambda: self.app, carrier(lambda: forwarding))

        self.stack = Stack(Places(home), clock, built)
        self.app = App(read({**self.stack.settings, **settings}), clock)
        self.http = requests.Session()
        self.http.trust_env = False
        self.stack.host.tick(clock.now())  # what a start does: the timer notes when it is next due

    def post(self, events: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Send events as an agent does, and let the queue run dry."""
        answer = self.http.post(
            f"{self.stack.app_url}/api/events",
            json=list(events),
            headers={"x-functions-key": self.stack.places.key()},
            timeout=TIMEOUT_S,
        )
        assert answer.status_code in (202, 207), answer.text
        self.stack.host.drain()
        return answer.json()

    def tick(self, at: datetime) -> None:
        """Move the clock there, run what is due, and what that put into the queue: heartbeats."""
        self.clock.advance(seconds=(at - self.clock.now()).total_seconds())
        self.stack.host.tick(at)
        self.stack.host.drain()

    def query(self, kql: str) -> list[list[Any]]:
        """Ask the stand-in as a user does; return the rows."""
        self.stack.host.insights.flush()
        answer = self.http.post(
            f"{self.stack.query_url}/v1/workspaces/any/query",
            json={"query": kql},
            timeout=TIMEOUT_S,
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["tables"][0]["rows"]

    def get(self, path: str) -> requests.Response:
        """Ask the API with the key."""
        headers = {"x-functions-key": self.stack.places.key()}
        return self.http.get(f"{self.stack.app_url}{path}", headers=headers, timeout=TIMEOUT_S)

    def incidents(self) -> list[Incident]:
        """Return what the pager has."""
        return self.stack.sink.incidents()


@contextmanager
def laptop(home: Path, clock: FakeClock, **settings: str) -> Generator[Laptop]:
    """Run a stack and stop it; settings as Laptop has them."""
    running = Laptop(home, clock, **settings)
    try:
        yield running
    finally:
        running.http.close()
        running.stack.stop()
        running.app.close()


def small_config(folder: Path, budgets: str) -> str:
    """Write a folder of configuration with these budgets and one rule, so that catching up is
    quick; return its path as a setting."""
    for name in ("routes.toml", "prices.toml", "rules/HighErrorRate.toml"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(APP_FOLDER / "config" / name, folder / name)
    (folder / "budgets.toml").write_text(budgets, encoding="utf-8")
    return str(folder)


def minutes(start: datetime, count: int) -> list[datetime]:
    """Return the whole minutes that follow."""
    return [start + timedelta(minutes=n) for n in range(1, count + 1)]
