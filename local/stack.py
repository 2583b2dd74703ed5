"""The whole system on this machine: functions host, Azure Monitor stand-in, pager sink."""

import gc
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import azure.functions as func
from starlette.types import ASGIApp

from local.door import JsonOnly
from local.keeping import Keeping, shrink
from local.page import app as page
from local.server import Running, serve
from local.stopping import Step
from shared.clock import Clock
from standin.functions_host import storage
from standin.functions_host.host import LocalHost
from standin.functions_host.keys import Keys
from standin.monitor.app import create_app
from standin.monitor.store import MonitorStore
from standin.pager import sink as pager

INSTRUMENTATION_KEY = "00000000-0000-0000-0000-000000000000"
APP_FOLDER = Path(__file__).parent.parent
KEEP_DAYS, KEEP_MB = 30, 1000
"""How long and how much telemetry is kept where variables of these names do not say otherwise."""
SERVERS = 5
"""The page, the API, the query service, the pager, the queue; each has a port."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where the stack keeps its state, how much, and which ports it takes; 0: free ones."""

    home: Path
    first_port: int = 0
    keep_days: int = KEEP_DAYS
    keep_mb: int = KEEP_MB

    def port(self, number: int) -> int:
        """Return the port of the number-th server."""
        return self.first_port + number if self.first_port else 0

    @property
    def ports(self) -> list[int]:
        """Return those that are taken, none where free ones will do."""
        return [self.port(number) for number in range(SERVERS)] if self.first_port else []

    def key(self) -> str:
        """Return the key that opens every function, made at the first run and kept."""
        return self._secret("function.key")

    def master_key(self) -> str:
        """Return the key that opens the host's own routes, too, made and kept likewise."""
        return self._secret("master.key")

    def _secret(self, name: str) -> str:
        path = self.home / name
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(24), encoding="ascii")
        return path.read_text(encoding="ascii")


class Stack:
    """Starts and stops the parts in their order.

    build: makes the Functions app once the settings are known.
    """

    def __init__(
        self,
        places: Places,
        clock: Clock,
        build: Callable[[Mapping[str, str]], func.FunctionApp],
    ) -> None:
        self.places = places
        places.home.mkdir(parents=True, exist_ok=True)
        shrink(places.home)
        self.monitor = MonitorStore(places.home / "monitor.duckdb", clock)
        self.sink = pager.PagerSink(places.home / "pager.db", clock)
        most_bytes = places.keep_mb * 1_000_000
        self.keeping = Keeping(self.monitor, self.sink, clock, places.keep_days, most_bytes)
        self.servers: list[Running] = []
        self.query_url = self._serve(JsonOnly(create_app(self.monitor)), 2)
        self.pagerduty_url = self._serve(JsonOnly(pager.create_app(self.sink)), 3)
        signature = secrets.token_urlsafe(24)
        service = storage.QueueService(lambda: self.host.queues, signature, clock)
        self.queue_url = self._serve(service.asgi, 4)
        self.settings = self._settings() | {
            "AzureWebJobsStorage": storage.connection_string(self.queue_url, signature)
        }
        self.host = LocalHost(
            build(self.settings),
            host_json=json.loads((APP_FOLDER / "host.json").read_text(encoding="utf-8")),
            settings=self.settings,
            state=places.home / "host.db",
            keys=Keys(places.home / "keys.json", places.key(), places.master_key()),
            clock=clock,
        )
        self.host.insights.track = self.monitor.track
        self.app_url = self._serve(self.host.asgi, 1)
        self.page_url = self._serve(
            page.create_app(
                page.Upstream(
                    app_url=self.app_url,
                    key=places.key(),
                    query_url=f"{self.query_url}/v1/workspaces/local/query",
                    master_key=places.master_key(),
                    pagerduty_url=self.pagerduty_url,
                    described=str(places.home / "local.json"),
                )
            ),
            0,
        )

    def describe(self) -> dict[str, str]:
        """Return where everything is, the keys included."""
        return {
            "function_key": self.places.key(),
            "master_key": self.places.master_key(),
            "app_url": self.app_url,
            "query_url": self.query_url,
            "page_url": self.page_url,
            "pagerduty_url": self.pagerduty_url,
        }

    def _serve(self, app: ASGIApp, number: int) -> str:
        """Serve one part, remember to stop it."""
        server = serve(app, self.places.port(number))
        self.servers.append(server)
        return server.url

    def _settings(self) -> dict[str, str]:
        """Return the application settings: only endpoints differ from those in Azure."""
        keys = ("DEFAULT", "CRITICAL", "WARNING")
        return {
            "APPLICATIONINSIGHTS_CONNECTION_STRING": (
                f"InstrumentationKey={INSTRUMENTATION_KEY};IngestionEndpoint={self.query_url};"
                f"LiveEndpoint={self.query_url}"
            ),
            "LOGS_WORKSPACE_ID": "local",
            "LOGS_ENDPOINT": self.query_url,
            "AGENTMETER_STATE": f"sqlite:{self.places.home / 'state.db'}",
            "AGENTMETER_DEPLOYMENT": "local",
            "PYTHON_ENABLE_INIT_INDEXING": "1",
            "AGENTMETER_LINK": f"http://127.0.0.1:{self.places.port(0)}/#/why/{{id}}",
            "AGENTMETER_SILENCE_LINK": (
                f"http://127.0.0.1:{self.places.port(0)}/#/alerts?{{labels}}"
            ),
            "PAGERDUTY_URL": self.pagerduty_url,
        } | {f"PAGERDUTY_{name}_KEY": name.lower().ljust(32, "0") for name in keys}

    def steps(self) -> Sequence[Step]:
        """Return what ends the stack: work first, then requests, then the databases."""
        return [
            Step("queue messages and timers", self.host.stop),
            Step("the removal of old telemetry", self.keeping.stop),
            Step("requests", self._stop_servers),
            Step("functions", self.host.close),
            Step("the databases", self._close),
        ]

    def stop(self) -> None:
        """Let work end, then stop every part."""
        for step in self.steps():
            step.end()

    def _stop_servers(self) -> None:
        for server in self.servers:
            server.ask_to_stop()
        for server in reversed(self.servers):
            server.stop()

    def _close(self) -> None:
        self.sink.close()
        self.monitor.close()
        # The app freezes what its start has loaded: here DuckDB too, which wants to be freed.
        gc.unfreeze()
