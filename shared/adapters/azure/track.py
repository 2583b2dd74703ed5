"""Posts items to Azure Monitor's ingestion over azure-core's pipeline; returns its answer."""

import gzip
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from azure.core.exceptions import AzureError
from azure.core.pipeline import Pipeline
from azure.core.pipeline.policies import (
    BearerTokenCredentialPolicy,
    CustomHookPolicy,
    HeadersPolicy,
)
from azure.core.rest import HttpRequest
from opentelemetry.instrumentation.utils import suppress_instrumentation

from shared import pooled_http
from shared.adapters.azure.azure_monitor_answer import Answer
from shared.adapters.azure.connection_string import Connection
from shared.adapters.azure.identity import APP, Identity
from shared.invocation import posting
from shared.rows import INGESTION

CONNECT_TIMEOUT_S = 5
GZIP_LEVEL = 1
"""Half the time of level 5, for a tenth more bytes on the wire, which cost nothing."""
HEADERS = {
    "Content-Type": "application/json",
    "Content-Encoding": "gzip",
    "Accept": "application/json",
    "User-Agent": "agentmeter",
}
REDIRECTS = (307, 308)
REDIRECTS_MAX = 30
AZURE = (
    *(".monitor.azure.com", ".services.visualstudio.com", ".applicationinsights.azure.com"),
    *(".monitor.azure.us", ".applicationinsights.azure.us"),
    *(".monitor.azure.cn", ".applicationinsights.azure.cn"),
)
"""Ingestion may lead from a host to another with the same one of these ends, and nowhere else."""


class Track:
    """Posts in the calling thread, once, with nothing left behind. Safe to share between threads.

    A redirect to another host of Azure's is followed from then on, as the SDK does.
    """

    def __init__(
        self, connection: Connection, identity: Identity | None, read_timeout_s: float
    ) -> None:
        """identity: who sends, None for the connection string's key alone."""
        self._endpoint = connection.endpoint
        self._silence = (
            f"Azure Monitor did not answer within {read_timeout_s:g} s, or could not be reached. "
            "It is sent again."
        )
        self._unsent = f"Nothing was sent: {(identity or APP).without_token()}"
        policies: list[Any] = [HeadersPolicy(HEADERS), CustomHookPolicy()]
        if identity:
            bearer = BearerTokenCredentialPolicy[Any, Any](identity.credential(), connection.scope)
            policies.insert(1, bearer)
        self._pipeline = Pipeline[HttpRequest, pooled_http.Answer](
            pooled_http.PooledHttp(CONNECT_TIMEOUT_S, read_timeout_s),
            policies,
        )

    def send(self, items: Sequence[bytes]) -> Answer:
        """Post the items in one request and return its answer, which may be silence."""
        body = gzip.compress(b"[%s]" % b",".join(items), GZIP_LEVEL)
        with posting(self._url) as call, suppress_instrumentation():
            answer = self._post(body)
            call.answered(answer.status)
        return answer

    @property
    def _url(self) -> str:
        return self._endpoint + INGESTION.partition(" ")[2]

    def _post(self, body: bytes) -> Answer:
        answer = Answer(None, silence=self._silence)
        for _ in range(REDIRECTS_MAX):
            sent: list[object] = []
            try:
                response = self._pipeline.run(
                    HttpRequest("POST", self._url, content=body), raw_request_hook=sent.append
                ).http_response
            except AzureError:
                return Answer(None, silence=self._silence if sent else self._unsent)
            retry_after = response.headers.get("Retry-After", "")
            answer = Answer(response.status_code, response.content, retry_after)
            location = response.headers.get("Location", "")
            if answer.status not in REDIRECTS or not may_lead(self._endpoint, location):
                break
            target = urlsplit(location)
            self._endpoint = f"{target.scheme}://{target.netloc}"
        return answer


def may_lead(endpoint: str, location: str) -> bool:
    """Return whether events may follow a redirect: to the same host, or from one of Azure's to
    another; never from https to http."""
    now, target = urlsplit(endpoint), urlsplit(location)
    here, there = now.hostname or "", target.hostname or ""
    if not there or target.scheme not in (now.scheme, "https"):
        return False
    return here == there or any(here.endswith(end) and there.endswith(end) for end in AZURE)
