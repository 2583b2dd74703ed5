"""Give out keys by role: agents may only send, readers only read, operators silence and judge too.

A key is one of each function that its role opens, by the same name everywhere. With --tenant, every
event that comes with the key is that tenant's, never another's. `add` with a name that there is
makes a new key in its place. A key is shown once, when it is made.
"""

import re
import secrets
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol
from urllib.parse import quote

from functions import routes
from functions.caller import TENANT, key_text, tenant_in
from functions.route import Role
from ops.console.api import call
from ops.console.command import Desk
from ops.console.stack import Api, find_stack
from ops.doctor.azure import SITES, Arm, arm_of
from shared.errors import Misconfigured, NotFound
from shared.process_app import current

EXAMPLES = """\
  bin/ops keys list
  bin/ops keys add agent search-team
  bin/ops keys add agent acme --tenant acme
  bin/ops keys remove search-team"""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
AZURES_OWN = "default"
"""What Azure calls the key that each function has from the start."""
COLUMNS = ("name", "role", "tenant", "functions")


class KeyRing(Protocol):
    """Where the keys of one function are."""

    def of(self, function: str) -> Mapping[str, str]:
        """Return the function's keys, by name."""
        ...

    def put(self, function: str, name: str, value: str) -> None:
        """Set a key."""
        ...

    def remove(self, function: str, name: str) -> None:
        """Take a key away."""
        ...


class LaptopKeys:
    """The keys of the stack that `make run` started."""

    def __init__(self, host: Api) -> None:
        """host: opened by the master key."""
        self._host = host

    def of(self, function: str) -> Mapping[str, str]:
        """Return the function's keys, by name."""
        found = call(self._host, "GET", f"/admin/functions/{function}/keys")["keys"]
        return {key["name"]: key["value"] for key in found}

    def put(self, function: str, name: str, value: str) -> None:
        """Set a key."""
        call(self._host, "PUT", self._path(function, name), {"value": value})

    def remove(self, function: str, name: str) -> None:
        """Take a key away."""
        call(self._host, "DELETE", self._path(function, name))

    def _path(self, function: str, name: str) -> str:
        return f"/admin/functions/{function}/keys/{quote(name)}"


class AzureKeys:
    """The keys of a deployed app, which Azure keeps."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm

    def of(self, function: str) -> Mapping[str, str]:
        """Return the function's keys, by name."""
        path = f"{self._arm.site}/functions/{function}/listkeys"
        return self._arm.ask(path, SITES, "POST")

    def put(self, function: str, name: str, value: str) -> None:
        """Set a key."""
        key = {"properties": {"name": name, "value": value}}
        self._arm.ask(self._path(function, name), SITES, "PUT", key)

    def remove(self, function: str, name: str) -> None:
        """Take a key away."""
        self._arm.ask(self._path(function, name), SITES, "DELETE")

    def _path(self, function: str, name: str) -> str:
        return f"{self._arm.site}/functions/{function}/keys/{quote(name)}"


def declare(parser: ArgumentParser) -> None:
    """Add what to do, and with which key."""
    parser.add_argument("action", choices=("list", "add", "remove"))
    parser.add_argument("what", nargs="*", metavar="ROLE NAME | NAME", help="for add; for remove")
    parser.add_argument("--tenant", default="", help="whose events the key marks")


def run(given: Namespace, desk: Desk) -> int:
    """Do it; show the new key, or the keys that there are."""
    ring = _ring(desk.environment)
    if given.action == "add":
        shown = [_add(ring, given.what, given.tenant)]
    elif given.action == "remove":
        shown = [_remove(ring, given.what)]
    else:
        shown = list(_listed(ring))
    if given.json:
        desk.terminal.json(shown)
    else:
        columns = tuple(shown[0]) if shown else COLUMNS
        desk.terminal.table(columns, [tuple(key.values()) for key in shown])
    return 0


def functions_of(role: Role) -> frozenset[str]:
    """Return the functions that a key of the role opens."""
    return frozenset(route.name for route in routes(current) if route.role in role.opens)


def _ring(environment: Mapping[str, str]) -> KeyRing:
    """Return where the keys are: of the deployment that is named, else of the laptop.

    Raises:
        Misconfigured: there is neither.
    """
    if arm := arm_of(environment):
        return AzureKeys(arm)
    if stack := find_stack(environment):
        return LaptopKeys(Api(url=stack.app_url, key=stack.master_key))
    raise Misconfigured(
        "There is nothing to make keys for. Start the stack with `make run`, or set the outputs "
        "of the deployment: AZURE_SUBSCRIPTION_ID, AZURE_RESOURCE_GROUP, AZURE_FUNCTION_NAME."
    )


def _add(ring: KeyRing, what: Sequence[str], tenant: str) -> Mapping[str, str]:
    """Make the key, for the functions of its role and no others, and return it."""
    roles = ", ".join(Role)
    if len(what) != 2 or what[0] not in set(Role):
        raise Misconfigured(f"Name a role ({roles}) and a name. `bin/ops keys --help` shows how.")
    role, name = Role(what[0]), _checked(what[1])
    if tenant and not re.fullmatch(TENANT, tenant):
        raise Misconfigured(f"{tenant!r} cannot be a tenant of a key. Write {TENANT}.")
    value = key_text(tenant, secrets.token_urlsafe(32))
    opened = functions_of(role)
    for function in _functions():
        if function in opened:
            ring.put(function, name, value)
        elif name in ring.of(function):
            ring.remove(function, name)
    return {"name": name, "role": role, "tenant": tenant, "key": value}


def _remove(ring: KeyRing, what: Sequence[str]) -> Mapping[str, str]:
    """Take the key away from every function."""
    if len(what) != 1:
        raise Misconfigured("Name one key to remove. `bin/ops keys list` shows them.")
    name = _checked(what[0])
    having = [function for function in _functions() if name in ring.of(function)]
    if not having:
        raise NotFound(f"There is no key {name!r}. `bin/ops keys list` shows those that there are.")
    for function in having:
        ring.remove(function, name)
    return {"name": name, "removed from": ", ".join(having)}


def _listed(ring: KeyRing) -> Iterator[Mapping[str, str]]:
    """Yield the keys without their texts; one that fits no role says which functions it opens."""
    found: dict[tuple[str, str], set[str]] = {}
    for function in _functions():
        for name, value in ring.of(function).items():
            if name != AZURES_OWN:
                found.setdefault((name, value), set()).add(function)
    roles = {functions_of(role): role for role in Role}
    for (name, value), opened in sorted(found.items()):
        role = roles.get(frozenset(opened))
        functions = "those of its role" if role else ", ".join(sorted(opened))
        yield dict(zip(COLUMNS, (name, role or "", tenant_in(value), functions), strict=True))


def _functions() -> Sequence[str]:
    return [route.name for route in routes(current) if route.role]


def _checked(name: str) -> str:
    if NAME.fullmatch(name) and name != AZURES_OWN:
        return name
    raise Misconfigured(f"{name!r} cannot be the name of a key. Write letters, digits, - and _.")
