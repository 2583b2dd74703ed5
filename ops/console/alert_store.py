"""Reaches the stores that the operator means: the laptop's, or those of the settings."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ops.console.identity import OPERATOR
from ops.console.stack import Stack, find_stack, home
from shared.alerting.compose import Sender
from shared.settings import Settings, read
from shared.storage.stores import Storage, open_file, open_storage, stores_of

STATE = "state.db"
LOCAL_DEPLOYMENT = "local"


@dataclass(frozen=True, slots=True)
class Office:
    """What an app remembers. name: for a person. is_laptop: its pages wake no one."""

    name: str
    storage: Storage
    sender: Sender
    is_laptop: bool


@contextmanager
def open_office(environment: Mapping[str, str]) -> Generator[Office]:
    """Open the stores for as long as the context lasts.

    Raises:
        Misconfigured: no stack runs here, and the settings do not name another.
    """
    stack = find_stack(environment)
    if stack:
        with _laptop(stack, home(environment) / STATE) as office:
            yield office
    else:
        with _deployed(read(environment)) as office:
            yield office


@contextmanager
def _laptop(stack: Stack, state: Path) -> Generator[Office]:
    storage = stores_of(open_file(state))
    sender = Sender(LOCAL_DEPLOYMENT, stack.page_url)
    try:
        name = "the stack on this machine"
        yield Office(name, storage, sender, is_laptop=True)
    finally:
        storage.close()


@contextmanager
def _deployed(settings: Settings) -> Generator[Office]:
    identity = replace(OPERATOR, client_id=settings.AZURE_CLIENT_ID)
    storage = open_storage(settings, identity.credential)
    sender = Sender(settings.AGENTMETER_DEPLOYMENT, settings.AGENTMETER_LINK)
    try:
        name = f"deployment {settings.AGENTMETER_DEPLOYMENT}"
        yield Office(name, storage, sender, is_laptop=False)
    finally:
        storage.close()
