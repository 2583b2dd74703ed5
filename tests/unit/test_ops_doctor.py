"""`ops doctor` on Azure: what Azure's own API says of the app, and what is made of it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ops.doctor import azure as doctor_azure
from ops.doctor import storage as doctor_storage
from ops.doctor.azure import ROLES, Arm, arm_of
from ops.doctor.finding import Check, Finding, examine
from shared.errors import Misconfigured
from tests.loopback import Behaviour, Reply, Request, loopback
from tests.triggers.test_index import TRIGGERS

SITE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/app"
SETTINGS = {"APPLICATIONINSIGHTS_CONNECTION_STRING": "x", "LOGS_WORKSPACE_ID": "w"}
TOKEN = {"access_token": "the-token", "expires_on": "4102444800", "token_type": "Bearer"}
IDENTITY = {"userAssignedIdentities": {"id-agentmeter": {"principalId": "p1"}}}


class Cloud:
    """Azure's API as a test sets it up: path → answer, a status where it is a number."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {
            f"{SITE}/config/appsettings/list": {"properties": SETTINGS},
            f"{SITE}/config/configreferences/appsettings": {"value": []},
            f"{SITE}/functions": {"value": [{"name": f"app/{name}"} for name in TRIGGERS]},
            SITE: {"identity": IDENTITY},
        }
        self.roles = set(ROLES)
        self.token: Behaviour = Reply(200, json.dumps(TOKEN).encode())

    def answer(self, request: Request) -> Behaviour:
        path = request.path.partition("?")[0]
        if "msi/token" in path:
            return self.token
        assert request.headers["authorization"] == "Bearer the-token"
        if path.endswith("/roleAssignments"):
            assert "assignedTo" in request.path
            found = [{"properties": {"roleDefinitionId": f"/x/{role}"}} for role in self.roles]
            return Reply(200, json.dumps({"value": found}).encode())
        answer = self.answers.get(path, 404)
        return Reply(answer) if isinstance(answer, int) else Reply(200, json.dumps(answer).encode())


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def arm(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Arm]:
    with loopback(cloud.answer) as server:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{server.url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "secret-header")
        names = {"AZURE_SUBSCRIPTION_ID": "s", "AZURE_RESOURCE_GROUP": "g"}
        found = arm_of({**names, "AZURE_FUNCTION_NAME": "app", "AZURE_MANAGEMENT_URL": server.url})
        assert found
        yield found


def findings(arm: Arm) -> dict[str, Finding]:
    checks: list[Check] = [
        ("settings", lambda: doctor_azure.settings(arm)),
        ("functions", lambda: doctor_azure.functions(arm)),
        ("roles", lambda: doctor_azure.roles(arm)),
    ]
    return {finding.check: finding for check in checks for finding in examine(check)}


def wrong(arm: Arm) -> dict[str, Finding]:
    return {name: found for name, found in findings(arm).items() if found.outcome == "wrong"}


def test_an_app_that_is_set_up_well_passes(arm: Arm) -> None:
    assert {name: found.outcome for name, found in findings(arm).items()} == {
        "settings": "ok",
        "functions": "ok",
        "roles": "ok",
    }


def test_every_wrong_setting_is_named(cloud: Cloud, arm: Arm) -> None:
    cloud.answers[f"{SITE}/config/appsettings/list"] = {"properties": {"BATCH_MAX_EVENTS": "0"}}
    said = wrong(arm)["settings"].said
    assert "BATCH_MAX_EVENTS" in said
    assert "LOGS_WORKSPACE_ID" in said


def test_a_secret_that_is_not_there_is_named_with_the_command_that_sets_it(
    cloud: Cloud, arm: Arm
) -> None:
    state = {"status": "SecretNotFound", "vaultName": "kv-1"}
    missing = {"name": "PAGERDUTY_CRITICAL_KEY", "properties": state}
    cloud.answers[f"{SITE}/config/configreferences/appsettings"] = {"value": [missing]}
    mend = wrong(arm)["secret PAGERDUTY_CRITICAL_KEY"].mend
    assert "--vault-name kv-1 --name PAGERDUTY-CRITICAL-KEY" in mend


def test_functions_that_azure_does_not_know_are_named(cloud: Cloud, arm: Arm) -> None:
    cloud.answers[f"{SITE}/functions"] = {"value": [{"name": "app/post_events"}]}
    assert "evaluate_alerts" in wrong(arm)["functions"].said


@pytest.mark.parametrize("role", sorted(ROLES), ids=ROLES.get)
def test_each_missing_role_is_named(cloud: Cloud, arm: Arm, role: str) -> None:
    cloud.roles.discard(role)
    assert ROLES[role] in wrong(arm)["roles"].said


def test_an_app_without_an_identity_is_reported(cloud: Cloud, arm: Arm) -> None:
    cloud.answers[SITE] = {}
    assert "no identity" in wrong(arm)["roles"].said


@pytest.mark.parametrize(
    ("status", "said"), [(403, "the role Reader"), (404, "Check AZURE_SUBSCRIPTION_ID")]
)
def test_what_keeps_the_doctor_out_is_said(cloud: Cloud, arm: Arm, status: int, said: str) -> None:
    cloud.answers[SITE] = status
    assert said in wrong(arm)["roles"].said


def test_an_operator_who_is_not_signed_in_is_reported_how(cloud: Cloud, arm: Arm) -> None:
    cloud.token = Reply(400, b"{}")
    assert {"az login" in found.said for found in wrong(arm).values()} == {True}


def test_no_token_goes_over_plain_http_to_another_machine() -> None:
    names = {"AZURE_SUBSCRIPTION_ID": "s", "AZURE_RESOURCE_GROUP": "g"}
    with pytest.raises(Misconfigured, match="plain http"):
        arm_of({**names, "AZURE_FUNCTION_NAME": "a", "AZURE_MANAGEMENT_URL": "http://x.example"})


@pytest.mark.parametrize(
    ("depths", "said"),
    [
        ({"usage-events": 3}, "queue usage-events-poison: It is not there."),
        ({"usage-events": 1000, "usage-events-poison": 0}, "queue usage-events: 1000 messages"),
        ({"usage-events": 0, "usage-events-poison": 2}, "queue usage-events-poison: 2 messages"),
    ],
)
def test_queues_are_judged_by_what_is_in_them(depths: dict[str, int], said: str) -> None:
    (found,) = [one for one in doctor_storage.findings(depths) if one.outcome == "wrong"]
    assert f"{found.check}: {found.said}".startswith(said)
