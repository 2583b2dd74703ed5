"""`ops forget` on a laptop and in Azure: what is counted, removed and asked for."""

import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from local.server import serve
from ops.__main__ import main
from ops.console.command import Desk
from ops.console.terminal import Terminal
from standin.monitor.app import create_app
from standin.monitor.store import MonitorStore
from tests.fakes import START, FakeClock
from tests.loopback import Behaviour, Reply, Request, loopback
from tests.monitor import envelope
from tests.unit.test_monitor_purge import call

TOKEN = {"access_token": "the-token", "expires_on": "4102444800", "token_type": "Bearer"}
WORKSPACE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.OperationalInsights/workspaces/w"
OPERATION = "purge-970318e7-b859-4edb-8903-83b1b54d0b74"


class Azure:
    """Azure Resource Manager's side of a purge, as it is documented."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.refusal: Reply | None = None

    def answer(self, request: Request) -> Behaviour:
        path, _, query = request.path.partition("?")
        if "msi/token" in path:
            return Reply(200, json.dumps(TOKEN).encode())
        assert request.headers["authorization"] == "Bearer the-token"
        assert query == "api-version=2025-02-01"
        if self.refusal:
            return self.refusal
        if path == f"{WORKSPACE}/operations/{OPERATION}":
            return Reply(200, b'{"status": "pending"}')
        assert path == f"{WORKSPACE}/purge"
        self.asked.append(request.json())
        return Reply(202, json.dumps({"operationId": OPERATION}).encode())


@pytest.fixture
def store() -> MonitorStore:
    held = MonitorStore(None, FakeClock())
    span = {"name": "chat", "id": "1", "duration": "00:00:01", "properties": {"enduser.id": "ada"}}
    calls = [call(1, user="ada", team="red"), call(2, user="ada"), call(3, user="bob")]
    held.track([*calls, envelope("RemoteDependencyData", span)])
    return held


@pytest.fixture
def query_url(store: MonitorStore) -> Iterator[str]:
    server = serve(create_app(store))
    yield server.url
    server.stop()


@pytest.fixture
def laptop(query_url: str, tmp_path: Path) -> Mapping[str, str]:
    """The environment of a laptop whose stack runs."""
    stack = {"function_key": "k", "app_url": query_url, "query_url": query_url}
    (tmp_path / "local.json").write_text(json.dumps(stack))
    return {"AGENTMETER_HOME": str(tmp_path)}


@pytest.fixture
def azure() -> Azure:
    return Azure()


@pytest.fixture
def deployed(
    azure: Azure, query_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Mapping[str, str]]:
    """The environment of a deployment whose queries the stand-in answers."""
    with loopback(azure.answer) as server:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{server.url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "secret-header")
        yield {
            "AGENTMETER_HOME": str(tmp_path),
            "AZURE_MANAGEMENT_URL": server.url,
            "LOGS_ENDPOINT": query_url,
            "LOGS_WORKSPACE_ID": "w",
            "LOGS_RESOURCE_ID": WORKSPACE,
        }


def forget(environment: Mapping[str, str], *typed: str) -> tuple[int, Any, str]:
    """Return the exit code, what was answered, and what was said beside it."""
    out, err = io.StringIO(), io.StringIO()
    desk = Desk(Terminal(out, err), environment, FakeClock(START))
    code = main(["forget", *typed, "--json"], desk)
    return code, json.loads(out.getvalue() or "[]"), err.getvalue()


def count(store: MonitorStore, table: str) -> object:
    return store.query(f"{table} | count").rows[0][0]


def test_nothing_is_removed_before_it_is_confirmed(
    laptop: Mapping[str, str], store: MonitorStore
) -> None:
    code, rows, said = forget(laptop, "--user", "ada")
    assert (code, [(row["table"], row["property"], row["rows"]) for row in rows]) == (
        0,
        [("AppEvents", "user", 2), ("AppDependencies", "enduser.id", 1)],
    )
    assert "add --yes" in said
    assert count(store, "AppEvents") == 3


def test_a_user_is_gone_from_the_laptop_at_once(
    laptop: Mapping[str, str], store: MonitorStore
) -> None:
    code, rows, said = forget(laptop, "--user", "ada", "--yes")
    assert (code, [row["status"] for row in rows]) == (0, ["completed", "completed"])
    assert "Totals stay" in said
    assert (count(store, "UsageEvents"), count(store, "AppDependencies")) == (1, 0)
    assert forget(laptop, "--user", "ada")[0] == 1
    assert forget(laptop, "--status", rows[0]["operation"])[1][0]["status"] == "completed"


def test_a_team_is_gone_and_its_users_others_stay(
    laptop: Mapping[str, str], store: MonitorStore
) -> None:
    assert forget(laptop, "--team", "red", "--yes")[0] == 0
    assert count(store, "UsageEvents") == 2


def test_azure_is_asked_for_what_was_counted(azure: Azure, deployed: Mapping[str, str]) -> None:
    code, rows, _ = forget(deployed, "--user", "ada", "--yes")
    assert (code, [(row["operation"], row["status"]) for row in rows]) == (
        0,
        [(OPERATION, "pending")] * 2,
    )
    filters = [
        [{"column": "Properties", "key": key, "operator": "==", "value": "ada"}]
        for key in ("user", "enduser.id")
    ]
    assert azure.asked == [
        {"table": "AppEvents", "filters": filters[0]},
        {"table": "AppDependencies", "filters": filters[1]},
    ]
    assert forget(deployed, "--status", OPERATION)[1] == [
        {"operation": OPERATION, "status": "pending"}
    ]


@pytest.mark.parametrize(
    ("refusal", "code", "said"),
    [
        (Reply(403), 2, "Data Purger"),
        (Reply(429, headers={"Retry-After": "70"}), 1, "ask in 70 s"),
        (Reply(404), 1, "Check LOGS_RESOURCE_ID"),
    ],
    ids=["forbidden", "throttled", "gone"],
)
def test_a_refusal_says_what_to_do(
    azure: Azure, deployed: Mapping[str, str], refusal: Reply, code: int, said: str
) -> None:
    azure.refusal = refusal
    found, _, noted = forget(deployed, "--user", "ada", "--yes")
    assert found == code
    assert said in noted


def test_a_missing_resource_id_is_named(deployed: Mapping[str, str]) -> None:
    code, _, noted = forget({**deployed, "LOGS_RESOURCE_ID": ""}, "--user", "ada", "--yes")
    assert (code, "LOGS_RESOURCE_ID" in noted) == (2, True)
