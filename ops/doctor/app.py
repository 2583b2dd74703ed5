"""Asks the app itself: its health, its key, and one event from the API to a query's answer."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import requests

from ops.console.api import TIMEOUT_S, call
from ops.console.command import Desk
from ops.console.stack import Api
from ops.doctor.finding import DEPLOY, Finding, ok, skipped, wrong
from shared.adapters.azure.log_analytics import LogAnalytics
from shared.errors import GiveUp, RetryLater

EVERY_S = 5
SOURCE = "agentmeter-doctor"
ROLES = (
    "See the log of process_events. Its identity needs the roles Storage Queue Data Contributor, "
    "Storage Table Data Contributor and Monitoring Metrics Publisher: deploy infra/ again."
)

NO_SPANS = (b'{"resource', b'Spans": []}')
CHUNKS = (
    "OpenTelemetry's exporters for JavaScript lose their spans. Set HTTP_PROXYING=1 and, up to "
    "Python 3.12, PYTHON_ENABLE_INIT_INDEXING=1; the log of the start says what is missing."
)


@dataclass(frozen=True, slots=True)
class App:
    """The app that is examined. token: METRICS_TOKEN, "" where there is none."""

    api: Api
    log: LogAnalytics
    token: str = ""


def health(app: App) -> Iterator[Finding]:
    """Yield what GET /api/health says of each part."""
    answer = get(f"{app.api.url}/api/health", app.token)
    if answer.status_code == 404:
        yield wrong(
            "app",
            "The host knows none of our functions: their import failed, or nothing is deployed.",
            "azd deploy (or: func azure functionapp publish APP), then read the log of the start",
        )
    elif answer.status_code == 401:
        yield skipped("app", "GET /api/health asks for a token.", "export METRICS_TOKEN=…")
    elif not answer.ok:
        yield wrong("app", f"GET /api/health answered {answer.status_code}: {_said(answer)}")
    else:
        yield from map(_part, answer.json()["checks"])


def get(url: str, token: str) -> requests.Response:
    """Ask the app. Raises RetryLater where it does not answer."""
    try:
        return requests.get(
            url, headers={"Authorization": f"Bearer {token}"} if token else {}, timeout=TIMEOUT_S
        )
    except requests.RequestException as exc:
        raise RetryLater(
            f"{url} did not answer ({type(exc).__name__}). See that the app runs, and that "
            "AGENTMETER_URL is its address."
        ) from None


def _said(answer: requests.Response) -> str:
    try:
        return str(answer.json()["error"])
    except (requests.JSONDecodeError, LookupError, TypeError):
        return "it does not say why; read the log of get_health."


def _part(check: Mapping[str, Any]) -> Finding:
    name, said = f"app: {check['name']}", str(check["detail"])
    return ok(name, said) if check["ok"] else wrong(name, said, str(check["remedy"]))


def key(app: App) -> Iterator[Finding]:
    """Return whether the function key opens the API."""
    if not app.api.key.get_secret_value():
        yield skipped("key", "No function key is given.", "export AGENTMETER_KEY=…")
        return
    try:
        call(app.api, "GET", "/api/alerts")
    except GiveUp as exc:
        mend = "az functionapp keys list --resource-group GROUP --name APP"
        yield wrong("key", str(exc), f"export AGENTMETER_KEY=… with one of: {mend}")
    else:
        yield ok("key", "The function key opens the API.")


def chunks(app: App) -> Iterator[Finding]:
    """Return whether a body in chunks arrives, and which way: Azure's front end may join them."""
    headers = {"content-type": "application/json"}
    if key := app.api.key.get_secret_value():
        headers["x-functions-key"] = key
    try:
        answer = requests.post(
            f"{app.api.url}/v1/traces", data=iter(NO_SPANS), headers=headers, timeout=TIMEOUT_S
        )
    except requests.RequestException as exc:
        yield wrong("chunks", f"A body in chunks had no answer ({type(exc).__name__}).", CHUNKS)
        return
    if answer.status_code == 411:
        yield wrong("chunks", "Bodies in chunks are refused: HTTP comes over gRPC.", CHUNKS)
    elif not answer.ok:
        yield wrong("chunks", f"A body in chunks was answered {answer.status_code}.", CHUNKS)
    elif "content-length" in answer.headers:
        yield ok("chunks", "A body in chunks arrives: requests are forwarded whole.")
    else:  # Over gRPC, the host sends its answer in chunks, at any length.
        yield ok("chunks", "A body in chunks arrives, joined on its way: HTTP comes over gRPC.")


def query(app: App, now: datetime) -> Iterator[Finding]:
    """Return whether KQL is answered, and the saved function is there."""
    start = now - timedelta(minutes=5)
    app.log.query("print value = 1", start, now)
    try:
        app.log.query("UsageEvents | summarize events = sum(Count)", start, now)
    except GiveUp as exc:
        yield wrong("query", f"UsageEvents cannot be asked: {exc}", DEPLOY)
    else:
        yield ok("query", "The workspace answers, and knows UsageEvents.")


def round_trip(app: App, desk: Desk, patience: timedelta) -> Iterator[Finding]:
    """Post an event and wait until a query finds it: the app's own identity does all between."""
    began = desk.clock.now()
    event_id = f"doctor-{began:%Y%m%dT%H%M%S%f}"
    data = {"operation": "doctor", "result": "hit", "environment": "doctor"}
    event = {
        **{"specversion": "1.0", "id": event_id, "source": SOURCE, "type": "cache.operation"},
        **{"time": began.isoformat(), "data": data},
    }
    call(app.api, "POST", "/api/events", event)
    desk.terminal.note(f"round trip: the event is accepted; waiting up to {patience} to find it")
    if _found(app, desk, event_id, began + patience):
        took = (desk.clock.now() - began).total_seconds()
        yield ok("round trip", f"An event was accepted, processed and found in {took:.0f} s.")
    else:
        yield wrong("round trip", f"An event was accepted, but not found within {patience}.", ROLES)


def _found(app: App, desk: Desk, event_id: str, until: datetime) -> bool:
    """Ask again and again; a log that does not answer may answer the next time."""
    kql = f'UsageEvents | where Source == "{SOURCE}" and EventId == "{event_id}" | project Count'
    day = timedelta(days=1)
    while not _asked(lambda: app.log.query(kql, until - day, until + day).rows):
        if desk.clock.now() >= until:
            return False
        desk.pause(EVERY_S)
    return True


def _asked(ask: Callable[[], object]) -> object:
    try:
        return ask()
    except RetryLater:
        return None
