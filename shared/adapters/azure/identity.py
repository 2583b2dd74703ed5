"""Who we are to Azure: where tokens come from, and what to do when there are none."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential


def managed(client_id: str) -> "TokenCredential":
    """Return the credential of a managed identity; client_id: "" for the system-assigned one."""
    from azure.identity import ManagedIdentityCredential

    return ManagedIdentityCredential(client_id=client_id or None)


@dataclass(frozen=True, slots=True)
class Identity:
    """Someone whom Azure gives tokens; by default the app's own managed identity.

    client_id: the user-assigned identity, "" for the system-assigned one.
    make: client id → credential; it asks for nothing yet.
    who, remedy: for messages about a token or role that is missing.
    """

    client_id: str = ""
    make: "Callable[[str], TokenCredential]" = managed
    who: str = "the app's identity"
    remedy: str = "Where it is a user-assigned identity, AZURE_CLIENT_ID names it."

    def credential(self) -> "TokenCredential":
        """Return what asks for the tokens."""
        return self.make(self.client_id)

    def without_token(self) -> str:
        """Say that there was none, and what to do."""
        return f"{self.who[0].upper()}{self.who[1:]} got no token. {self.remedy}"

    def needs(self, role: str, on: str) -> str:
        """Say which role is missing, and on what."""
        return f"Give {self.who} the role {role} on {on}. {self.remedy}"


APP = Identity()
