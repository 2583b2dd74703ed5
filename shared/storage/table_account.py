"""A storage account's tables: where they are, and what a request needs to be let in."""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from azure.core.credentials import AzureSasCredential
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import (
    AzureSasCredentialPolicy,
    BearerTokenCredentialPolicy,
    SansIOHTTPPolicy,
)
from azure.core.utils import parse_connection_string

from shared.clock import SystemClock
from shared.errors import Misconfigured

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

_SCOPE = "https://storage.azure.com/.default"
Policy = Any  # azure-core's policies have no common type that is public


class Account(NamedTuple):
    """url: of the table service, without a last slash. policy: signs each attempt."""

    url: str
    policy: Policy


class Dated(SansIOHTTPPolicy[Any, Any]):
    """Dates each attempt, as the service wants it."""

    def on_request(self, request: PipelineRequest[Any]) -> None:
        """Set the date."""
        request.http_request.headers["x-ms-date"] = format_datetime(SystemClock().now(), True)


class SharedKey(SansIOHTTPPolicy[Any, Any]):
    """Signs each attempt with the key of the account ("Shared Key Lite"); it comes after Dated."""

    def __init__(self, account: str, key: str) -> None:
        """Raises ValueError: the key is no base64."""
        self._account = account
        self._key = b64decode(key, validate=True)

    def on_request(self, request: PipelineRequest[Any]) -> None:
        """Sign the date and the path."""
        asked = request.http_request
        text = f"{asked.headers['x-ms-date']}\n/{self._account}{urlsplit(str(asked.url)).path}"
        signature = b64encode(hmac.digest(self._key, text.encode(), "sha256")).decode()
        asked.headers["Authorization"] = f"SharedKeyLite {self._account}:{signature}"


def account_of(account: str, credential: "Callable[[], TokenCredential] | None") -> Account:
    """Return the account of a connection string, or of an https address with a credential.

    Raises:
        Misconfigured: it is neither.
    """
    try:
        if account.startswith("https://") and credential:
            policy: Policy = BearerTokenCredentialPolicy[Any, Any](credential(), _SCOPE)
            return Account(account.rstrip("/"), policy)
        given = parse_connection_string(account)
        return Account(_url(given).rstrip("/"), _policy(given))
    except (ValueError, KeyError):
        raise Misconfigured(
            "The storage account of the tables is not known. Set AzureWebJobsStorage to a "
            "connection string, or AzureWebJobsStorage__tableServiceUri to an https address."
        ) from None


def _url(given: Mapping[str, str]) -> str:
    if url := given.get("tableendpoint"):
        return url
    kind, suffix = given.get("defaultendpointsprotocol", "https"), given.get("endpointsuffix")
    return f"{kind}://{given['accountname']}.table.{suffix or 'core.windows.net'}"


def _policy(given: Mapping[str, str]) -> Policy:
    if "accountkey" in given:
        return SharedKey(given["accountname"], given["accountkey"])
    signature = given["sharedaccesssignature"].lstrip("?")
    return AzureSasCredentialPolicy[Any, Any](AzureSasCredential(signature))
