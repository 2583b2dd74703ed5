"""Asks Azure Resource Manager how the app is set up: settings, secrets, functions, roles."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from functions import build
from ops.console.management import Json, Management, management_of
from ops.doctor.finding import DEPLOY, Finding, ok, wrong
from shared.errors import Misconfigured
from shared.process_app import current
from shared.settings import read

SITES = "2025-03-01"
ASSIGNMENTS = "2022-04-01"
NAMES = ("AZURE_SUBSCRIPTION_ID", "AZURE_RESOURCE_GROUP", "AZURE_FUNCTION_NAME")
ROLES: Mapping[str, str] = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
    "73c42c96-874c-492b-b04d-ab87d138a893": "Log Analytics Reader",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
}
"""What the app's identity must have; tests/infra holds infra/modules/access.bicep to it."""


@dataclass(frozen=True, slots=True)
class Arm:
    """Where the app is. group: path of the resource group; name: the function app's."""

    management: Management
    group: str
    name: str

    @property
    def site(self) -> str:
        """Path of the function app."""
        return f"{self.group}/providers/Microsoft.Web/sites/{self.name}"

    def ask(
        self, path: str, version: str, method: str = "GET", body: object = None, **query: str
    ) -> Json:
        """Return what Azure answers, as Management does."""
        return self.management.ask(path, version, method, body, **query)


def arm_of(environment: Mapping[str, str]) -> Arm | None:
    """Return how to reach the app that the environment names, None where it names none.

    Raises:
        Misconfigured: plain http to another machine.
    """
    subscription, group, name = (environment.get(setting, "") for setting in NAMES)
    if not (subscription and group and name):
        return None
    path = f"/subscriptions/{quote(subscription)}/resourceGroups/{quote(group)}"
    return Arm(management_of(environment), path, quote(name))


def settings(arm: Arm) -> Iterator[Finding]:
    """Return whether the app's settings are right, and its references lead to secrets."""
    given = arm.ask(f"{arm.site}/config/appsettings/list", SITES, "POST")["properties"]
    try:
        read(given)
    except Misconfigured as exc:
        yield wrong("settings", str(exc), DEPLOY)
    else:
        yield ok("settings", f"{len(given)} application settings, none wrong.")
    references = arm.ask(f"{arm.site}/config/configreferences/appsettings", SITES)["value"]
    for reference in references:
        yield _secret(reference["name"].rpartition("/")[2], reference["properties"])


def _secret(name: str, reference: Json) -> Finding:
    check, status = f"secret {name}", str(reference.get("status"))
    if status == "Resolved":
        return ok(check, "Its reference leads to a secret.")
    vault = reference.get("vaultName") or "VAULT"
    mend = f"az keyvault secret set --vault-name {vault} --name {name.replace('_', '-')} --value …"
    return wrong(check, f"Its reference leads nowhere: {status}.", mend)


def functions(arm: Arm) -> Iterator[Finding]:
    """Return whether Azure knows all of our functions."""
    listed = arm.ask(f"{arm.site}/functions", SITES)["value"]
    known = {function["name"].rpartition("/")[2] for function in listed}
    missing = {str(f.get_function_name()) for f in build(current).get_functions()} - known
    if missing:
        said = f"Azure does not know {', '.join(sorted(missing))}: old, or its import failed."
        yield wrong("functions", said, "azd deploy (or: func azure functionapp publish APP)")
    else:
        yield ok("functions", f"Azure knows all {len(known)}.")


def roles(arm: Arm) -> Iterator[Finding]:
    """Return whether the app's identities have the roles that they need."""
    principals = list(_principals(arm.ask(arm.site, SITES).get("identity")))
    if not principals:
        yield wrong("roles", "The app has no identity.", DEPLOY)
        return
    found = {role for principal in principals for role in _roles_of(arm, principal)}
    for missing in sorted(name for guid, name in ROLES.items() if guid not in found):
        yield wrong("roles", f"The app's identity lacks {missing}.", DEPLOY)
    if found >= set(ROLES):
        yield ok("roles", f"The app's identity has all {len(ROLES)} roles.")


def _principals(identity: Json | None) -> Iterator[str]:
    """Yield the ids of a system-assigned identity and of user-assigned ones."""
    if identity and identity.get("principalId"):
        yield identity["principalId"]
    assigned: Mapping[str, Json] = (identity or {}).get("userAssignedIdentities") or {}
    for one in assigned.values():
        yield one["principalId"]


def _roles_of(arm: Arm, principal: str) -> Iterator[str]:
    path = f"{arm.group}/providers/Microsoft.Authorization/roleAssignments"
    asked = {"$filter": f"assignedTo('{principal}')"}
    for one in arm.ask(path, ASSIGNMENTS, **asked)["value"]:
        yield str(one["properties"]["roleDefinitionId"]).rpartition("/")[2]
