"""`ops keys` on a laptop and on Azure: what is made, shown, and taken away."""

import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from functions.route import Role
from ops.__main__ import main
from ops.console.command import Desk
from ops.console.terminal import Terminal
from ops.keys import functions_of
from shared.clock import SystemClock
from tests.loopback import Behaviour, Reply, Request, loopback
from tests.triggers.test_index import TRIGGERS

SITE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/app"
TOKEN = {"access_token": "the-token", "expires_on": "4102444800", "token_type": "Bearer"}


class Azure:
    """What Azure Resource Manager keeps of an app's keys."""

    def __init__(self) -> None:
        self.keys = {name: {"default": f"azures-{name}"} for name in TRIGGERS}

    def answer(self, request: Request) -> Behaviour:
        path = request.path.partition("?")[0]
        if "msi/token" in path:
            return Reply(200, json.dumps(TOKEN).encode())
        assert request.headers["authorization"] == "Bearer the-token"
        function, _, rest = path.removeprefix(f"{SITE}/functions/").partition("/")
        own, name = self.keys[function], rest.removeprefix("keys/")
        if rest == "listkeys":
            return Reply(200, json.dumps(own).encode())
        if request.body:
            own[name] = request.json()["properties"]["value"]
            return Reply(201, request.body)
        del own[name]
        return Reply(204)


@pytest.fixture
def azure() -> Azure:
    return Azure()


@pytest.fixture
def environment(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mapping[str, str]]:
    with loopback(azure.answer) as server:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{server.url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "secret-header")
        names = {"AZURE_SUBSCRIPTION_ID": "s", "AZURE_RESOURCE_GROUP": "g"}
        yield {**names, "AZURE_FUNCTION_NAME": "app", "AZURE_MANAGEMENT_URL": server.url}


def ops(environment: Mapping[str, str], *typed: str) -> tuple[int, Any, str]:
    """Return the exit code, what was answered, and what was said beside it."""
    out, err = io.StringIO(), io.StringIO()
    code = main(["keys", *typed, "--json"], Desk(Terminal(out, err), environment, SystemClock()))
    return code, json.loads(out.getvalue() or "[]"), err.getvalue()


def test_a_key_is_one_of_each_function_of_its_role(
    azure: Azure, environment: Mapping[str, str]
) -> None:
    code, (made,), _ = ops(environment, "add", "agent", "search")
    assert (code, made["role"], len(made["key"]) > 40) == (0, "agent", True)
    having = {name for name, own in azure.keys.items() if "search" in own}
    assert having == functions_of(Role.AGENT)
    assert {own["search"] for own in azure.keys.values() if "search" in own} == {made["key"]}


def test_a_key_is_listed_without_its_text(azure: Azure, environment: Mapping[str, str]) -> None:
    ops(environment, "add", "operator", "sam")
    _, (acme,), _ = ops(environment, "add", "agent", "acme", "--tenant", "acme")
    azure.keys["get_costs"]["odd"] = "by-hand"
    code, listed, said = ops(environment, "list")
    assert code == 0
    assert [tuple(key.values()) for key in listed] == [
        ("acme", "agent", "acme", "those of its role"),
        ("odd", "", "", "get_costs"),
        ("sam", "operator", "", "those of its role"),
    ]
    assert acme["key"] not in said + json.dumps(listed)


def test_a_key_that_changes_its_role_loses_the_old_one(
    azure: Azure, environment: Mapping[str, str]
) -> None:
    ops(environment, "add", "operator", "sam")
    ops(environment, "add", "reader", "sam")
    having = {name for name, own in azure.keys.items() if "sam" in own}
    assert having == functions_of(Role.READER)


def test_a_removed_key_opens_nothing(azure: Azure, environment: Mapping[str, str]) -> None:
    ops(environment, "add", "agent", "search")
    assert ops(environment, "remove", "search")[0] == 0
    assert not any("search" in own for own in azure.keys.values())
    code, _, said = ops(environment, "remove", "search")
    assert (code, "There is no key 'search'" in said) == (1, True)


@pytest.mark.parametrize(
    "typed",
    [
        ["add", "agent"],
        ["add", "god", "sam"],
        ["add", "agent", "default"],
        ["add", "agent", "../x"],
        ["add", "agent", "x", "--tenant", "a.b"],
        ["remove"],
    ],
)
def test_what_cannot_be_a_key_is_refused(environment: Mapping[str, str], typed: list[str]) -> None:
    assert ops(environment, *typed)[0] == 2


def test_nothing_to_make_keys_for_is_said(tmp_path: Any) -> None:
    code, _, said = ops({"AGENTMETER_HOME": str(tmp_path)}, "list")
    assert (code, "nothing to make keys for" in said) == (2, True)
