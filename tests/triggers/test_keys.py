"""What a key of each role opens, and what a tenant's key makes of events."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from functions import routes
from functions.route import Role, Route
from ops.keys import functions_of
from shared.events.message import decode
from tests.factories import event
from tests.fakes import START, FakeClock
from tests.journeys.laptop import Laptop, laptop
from tests.triggers.test_index import ROOT, never
from tests.unit.test_ops_keys import ops

ROUTES = routes(never)
KEYED = [route for route in ROUTES if route.role]
HOST_METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}
SPAN_ID, TRACE_ID = "00f067aa0ba902b7", "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    with laptop(tmp_path_factory.mktemp("laptop"), FakeClock(START)) as running:
        keys = running.stack.host.keys
        for role in Role:
            for function in functions_of(role):
                keys.put(function, role, f"key-of-{role}")
        for function in functions_of(Role.AGENT):
            keys.put(function, "acme", "tenant.acme.secret")
        yield running


def ask(box: Laptop, method: str, path: str, key: str, body: object = None) -> requests.Response:
    url = f"{box.stack.app_url}/{path}".replace("{id}", "none")
    return box.http.request(method, url, json=body, headers={"x-functions-key": key}, timeout=30)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("route", KEYED, ids=lambda route: route.name)
def test_a_key_opens_what_its_role_may_do_and_nothing_else(
    box: Laptop, role: Role, route: Route
) -> None:
    """An agent may only write, a reader only read, an operator all but write events."""
    may = {"agent": {"agent"}, "reader": {"reader"}, "operator": {"operator", "reader"}}
    method = next(iter(route.handlers))
    status = ask(box, method, route.path, f"key-of-{role}", []).status_code
    assert (status != 401) == (route.role in may[role])


def test_reading_and_changing_never_share_a_function() -> None:
    for route in KEYED:
        if route.role is not Role.AGENT:
            assert (set(route.handlers) == {"GET"}) == (route.role is Role.READER), route.name


def test_each_method_of_a_path_reaches_one_function() -> None:
    for path in {route.path for route in ROUTES}:
        methods = [set(route.methods) or HOST_METHODS for route in ROUTES if route.path == path]
        assert set().union(*methods) == HOST_METHODS, path
        assert sum(map(len, methods)) == len(HOST_METHODS), path


def test_what_no_key_guards_is_metrics_and_health_alone() -> None:
    open_paths = {route.path for route in ROUTES if route.role is None}
    assert open_paths == {"metrics", "api/health", "api/health/alerts"}


def test_the_docs_say_which_functions_each_role_opens() -> None:
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    for role in Role:
        own = sorted(route.name for route in KEYED if route.role is role)
        row = next(line for line in text.splitlines() if line.startswith(f"| `{role}` |"))
        assert [name for name in own if f"`{name}`" not in row] == [], role


def test_an_event_is_of_the_tenant_of_its_key_whatever_it_says(box: Laptop) -> None:
    said = [event("mission.completed", number=n) for n in range(3)]
    said[1]["data"]["tenant"] = "globex"
    said[2]["data"]["tenant"] = None
    assert ask(box, "POST", "api/events", "tenant.acme.secret", said).status_code == 202
    box.stack.host.drain()
    kql = f'UsageEvents | where Source == "{said[0]["source"]}" | project Tenant'
    assert box.query(kql) == [["acme"]] * 3


def attributes(**named: str) -> list[dict[str, Any]]:
    return [{"key": k.replace("_", "."), "value": {"stringValue": v}} for k, v in named.items()]


def span(number: int, **named: str) -> dict[str, Any]:
    at = int(START.timestamp())
    call = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}
    attributes = [{"key": k, "value": {"stringValue": v}} for k, v in (call | named).items()]
    counts = [{"key": "gen_ai.usage.input_tokens", "value": {"intValue": "10"}}]
    return {
        **{"traceId": f"{number:032x}", "spanId": f"{number:016x}", "name": "chat"},
        **{"startTimeUnixNano": f"{at}000000000", "endTimeUnixNano": f"{at + 1}000000000"},
        "attributes": attributes + counts,
    }


def test_a_span_is_of_the_tenant_of_its_key_whatever_it_says(box: Laptop) -> None:
    spans = [
        span(1),
        span(2, **{"agentmeter.tenant": "globex"}),
        span(3, **{"tenant.id": "globex", "traceloop.association.properties.tenant_id": "globex"}),
    ]
    resource = {"attributes": attributes(service_name="tenants", agentmeter_tenant="globex")}
    body = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}
    assert ask(box, "POST", "v1/traces", "tenant.acme.secret", body).status_code == 200
    box.stack.host.drain()
    assert box.query('UsageEvents | where Source == "tenants" | project Tenant') == [["acme"]] * 3
    rows = box.query('AppDependencies | where AppRoleName == "tenants" | project Properties')
    assert "globex" not in json.dumps(rows)


def test_a_key_of_no_tenant_leaves_the_tenant_to_the_event(box: Laptop) -> None:
    said = event("mission.completed", number=9)
    said["data"]["tenant"] = "globex"
    assert ask(box, "POST", "api/events", "key-of-agent", [said]).status_code == 202
    box.stack.host.drain()
    kql = f'UsageEvents | where EventId == "{said["id"]}" | project Tenant'
    assert ["globex"] in box.query(kql)


@pytest.mark.parametrize("made_up", ["tenant.acme.guess", "tenant.globex.secret", "tenant.acme."])
def test_a_key_that_was_not_given_out_names_no_tenant(box: Laptop, made_up: str) -> None:
    assert ask(box, "POST", "api/events", made_up, [event()]).status_code == 401


def test_keys_are_kept_where_this_user_alone_reads(box: Laptop) -> None:
    home: Path = box.stack.places.home
    for name in ("function.key", "master.key", "keys.json"):
        assert (home / name).stat().st_mode & 0o777 == 0o600, name


def test_ops_makes_and_removes_keys_of_a_running_stack(box: Laptop) -> None:
    (box.stack.places.home / "local.json").write_text(json.dumps(box.stack.describe()))
    environment = {"AGENTMETER_HOME": str(box.stack.places.home)}
    _, (made,), _ = ops(environment, "add", "reader", "wall")
    assert ask(box, "GET", "api/budgets", made["key"]).status_code == 200
    assert ask(box, "POST", "api/silences", made["key"], {}).status_code == 401
    assert "wall" in [key["name"] for key in ops(environment, "list")[1]]
    ops(environment, "remove", "wall")
    assert ask(box, "GET", "api/budgets", made["key"]).status_code == 401


def test_a_key_that_sends_too_much_is_reported_when_to_come_again(tmp_path: Path) -> None:
    with laptop(tmp_path, FakeClock(START), RATE_LIMIT_EVENTS="60", RATE_LIMIT_REQUESTS="4") as box:
        key = box.stack.places.key()
        said = [event(number=n) for n in range(90)]
        assert ask(box, "POST", "api/events", key, said).status_code == 202
        refused = ask(box, "POST", "api/events", key, said)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "31")
        spans = ask(box, "POST", "v1/traces", key, {"resourceSpans": []})
        assert (spans.status_code, spans.json()["code"]) == (429, 8)
        assert spans.headers["retry-after"] == "31"
        box.clock.advance(seconds=31)
        statuses = [ask(box, "GET", "api/budgets", key).status_code for _ in range(5)]
        assert statuses == [200] * 4 + [429]
        assert ask(box, "GET", "api/health", "").status_code == 200
        (message,) = box.stack.host.queues.peek("usage-events")
        assert len(decode(message.body.decode()).events) == 90
