"""Signs requests to an Azure service with the operator's own token."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from threading import Lock

from azure.core.credentials import AccessToken
from azure.core.exceptions import AzureError

from shared.adapters.azure.identity import Identity
from shared.clock import Clock
from shared.errors import Misconfigured

RENEWED_BEFORE = timedelta(minutes=5)


class Bearer:
    """Keeps a token until shortly before it ends: `az` takes a second to give one.

    Safe to share between threads.
    """

    def __init__(self, identity: Identity, audience: str, clock: Clock) -> None:
        """audience: the address of the service, without a slash at its end."""
        self._identity = identity
        self._credential = identity.credential()
        self._scope = f"{audience}/.default"
        self._clock = clock
        self._token: AccessToken | None = None
        self._lock = Lock()

    def headers(self) -> Mapping[str, str]:
        """Return the header that signs a request.

        Raises:
            Misconfigured: Azure gives no token.
        """
        with self._lock:
            if self._token is None or self._ends(self._token):
                self._token = self._asked()
            return {"Authorization": f"Bearer {self._token.token}"}

    def _ends(self, token: AccessToken) -> bool:
        ends_at = datetime.fromtimestamp(token.expires_on, UTC)
        return self._clock.now() + RENEWED_BEFORE >= ends_at

    def _asked(self) -> AccessToken:
        try:
            return self._credential.get_token(self._scope)
        except AzureError:
            raise Misconfigured(self._identity.without_token()) from None
