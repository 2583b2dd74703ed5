"""Asks Azure Resource Manager, as the operator."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from azure.core.credentials import TokenCredential
from azure.core.exceptions import ClientAuthenticationError

from ops.console.identity import OPERATOR
from shared.clouds import cloud_of
from shared.errors import GiveUp, Misconfigured, RetryLater

TIMEOUT_S = 30
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Management:
    """Azure's own API.

    audience: what its tokens are for. credential: None where none is asked for. role, on: what is
    missing where it says 401 or 403. check: the settings that may be wrong where it refuses.
    """

    url: str
    audience: str = ""
    credential: TokenCredential | None = None
    role: str = "Reader"
    on: str = "the resource group"
    check: str = "AZURE_SUBSCRIPTION_ID, AZURE_RESOURCE_GROUP, AZURE_FUNCTION_NAME"

    def ask(
        self, path: str, version: str, method: str = "GET", body: object = None, **query: str
    ) -> Json:
        """Return what Azure answers. body: sent as JSON.

        Raises:
            RetryLater: it cannot be reached, or wants to be asked later.
            GiveUp: it refuses; there may be no such thing.
            Misconfigured: you are not signed in, or lack the role.
        """
        try:
            answer = requests.request(
                *(method, f"{self.url}{path}"),
                params={"api-version": version, **query},
                json=body,
                headers=self._headers(),
                timeout=TIMEOUT_S,
            )
        except requests.RequestException as exc:
            raise RetryLater(f"{self.url} did not answer ({type(exc).__name__}).") from None
        if answer.status_code in (401, 403):
            raise Misconfigured(OPERATOR.needs(self.role, self.on))
        if answer.status_code == 429:
            after = answer.headers.get("Retry-After", "3600")
            raise RetryLater(f"Azure takes no more such requests for now; ask in {after} s.")
        if not answer.ok:
            raise GiveUp(f"Azure answered {answer.status_code} for {path}. Check {self.check}.")
        return answer.json() if answer.content else {}

    def _headers(self) -> Mapping[str, str]:
        if self.credential is None:
            return {}
        try:
            token = self.credential.get_token(f"{self.audience}/.default").token
        except ClientAuthenticationError:
            raise Misconfigured(OPERATOR.without_token()) from None
        return {"Authorization": f"Bearer {token}"}


def management_of(environment: Mapping[str, str], **needs: str) -> Management:
    """Return Azure Resource Manager of the operator's cloud. needs: role, on, check.

    Raises:
        Misconfigured: plain http to another machine.
    """
    audience = cloud_of(environment).management
    url = environment.get("AZURE_MANAGEMENT_URL") or audience
    if not url.startswith("https://") and urlsplit(url).hostname != "127.0.0.1":
        raise Misconfigured("AZURE_MANAGEMENT_URL is plain http. No token goes there; use https.")
    return Management(url, audience, OPERATOR.credential(), **needs)
