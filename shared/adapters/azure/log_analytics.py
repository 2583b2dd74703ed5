"""Asks KQL of a Log Analytics workspace, and takes nothing but a whole answer for one."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import AzureError, HttpResponseError
from azure.core.pipeline import PipelineResponse
from azure.core.pipeline.policies import AzureKeyCredentialPolicy
from azure.core.rest import HttpRequest, HttpResponse
from azure.monitor.query import LogsQueryClient, LogsQueryPartialResult, LogsTable
from pydantic import BaseModel, ValidationError

from shared.adapters.azure.identity import APP, Identity
from shared.adapters.azure.quiet import quiet_sdk
from shared.clouds import PUBLIC
from shared.errors import AgentmeterError, GiveUp, Misconfigured, RetryLater
from shared.invocation import posting
from shared.ports import Table
from shared.setting_forms import is_plain

NEWER_ENDPOINT = "https://api.loganalytics.azure.com"
CONNECT_TIMEOUT_S = 5
NO_ANSWER = (AzureError, ValueError, LookupError, TypeError, AttributeError)
"""What the client raises for a refusal and, tripping over it, for a body of another shape."""
ROLE = ("Log Analytics Reader", "the workspace of LOGS_WORKSPACE_ID")


class LogAnalytics:
    """The UsageLog over Azure Monitor's query API. Safe to share between threads."""

    def __init__(
        self,
        endpoint: str,
        workspace_id: str,
        identity: Identity = APP,
        *,
        server_timeout_s: int = 30,
        patience_s: float = 10,
    ) -> None:
        """Check the settings; nothing is asked yet.

        identity: who asks, where the endpoint is https.
        server_timeout_s: how long the service may work on a query.
        patience_s: how much longer than that to wait for its answer.
        Raises:
            Misconfigured: plain http to another machine.
        """
        quiet_sdk()
        endpoint = endpoint.removesuffix("/v1")  # as Microsoft's own documents may write it
        self._workspace_id = workspace_id
        self._identity = identity
        self._url = f"{endpoint}/v1/workspaces/{workspace_id}/query"
        self._server_timeout_s = server_timeout_s
        self._client = LogsQueryClient(
            identity.credential(),
            endpoint=endpoint,
            audience=PUBLIC.logs if endpoint == NEWER_ENDPOINT else endpoint,
            authentication_policy=_plain_auth(endpoint),
            # None: Retry-After is slept without bound, while the timer asks again in a minute.
            retry_total=0,
            connection_timeout=CONNECT_TIMEOUT_S,
            read_timeout=server_timeout_s + patience_s,
        )

    def query(self, kql: str, start: datetime, end: datetime) -> Table:
        """Run the query over rows with start <= TimeGenerated < end.

        Cells: datetimes are aware and UTC, timespans and guids text, dynamic values JSON text,
        decimals Decimal, nulls None; a real may be NaN or infinite.
        Raises:
            RetryLater: no answer, a partial answer, throttled.
            GiveUp: the query itself is wrong; the message is the service's own.
            Misconfigured: the identity may not read the workspace, or there is none such.
        """
        heard: list[HttpResponse] = []

        def hear(call: PipelineResponse[HttpRequest, HttpResponse]) -> None:
            heard.append(call.http_response)

        with posting(self._url) as call:
            try:
                result = self._client.query_workspace(
                    self._workspace_id,
                    kql,
                    timespan=(start, end),
                    server_timeout=self._server_timeout_s,
                    raw_response_hook=hear,
                )
                call.answered(heard[-1].status_code if heard else None)
                if not isinstance(result, LogsQueryPartialResult):
                    return _table(result.tables[0])
            except NO_ANSWER as exc:
                call.answered(heard[-1].status_code if heard else None)
                raise (self._refusal(heard[-1]) if heard else self._silence(exc)) from None
            raise RetryLater("Log Analytics answered in part only. Narrow the query if this lasts.")

    def _silence(self, exc: Exception) -> AgentmeterError:
        """Without an answer of the service, the only response there may be is the identity's."""
        if isinstance(exc, HttpResponseError):
            return Misconfigured(f"Nothing was asked: {self._identity.without_token()}")
        return RetryLater("Log Analytics did not answer, or could not be reached.")

    def _refusal(self, response: HttpResponse) -> AgentmeterError:
        if response.status_code == 400:
            return GiveUp(_innermost(response.content))
        if response.status_code in (401, 403):
            needs = self._identity.needs(*ROLE)
            return Misconfigured(f"Log Analytics answered {response.status_code}. {needs}")
        if response.status_code == 404:
            return Misconfigured(
                "Log Analytics answered 404: it knows no such workspace. Check LOGS_WORKSPACE_ID "
                "(the workspace's id, not its name) and LOGS_ENDPOINT."
            )
        after = response.headers.get("Retry-After", "")
        return RetryLater(
            f"Log Analytics answered {response.status_code} without a table.",
            float(after) if after.isdecimal() else None,
        )


def _plain_auth(endpoint: str) -> AzureKeyCredentialPolicy[HttpRequest, HttpResponse] | None:
    """Return what stands for a token where a laptop's stand-in listens; None over https."""
    if not endpoint.startswith("http://"):
        return None
    if not is_plain(endpoint):
        return AzureKeyCredentialPolicy(
            AzureKeyCredential("local"), "Authorization", prefix="Bearer"
        )
    raise Misconfigured(
        "LOGS_ENDPOINT is plain http to another machine. Use https; http is for 127.0.0.1 alone."
    )


def _table(table: LogsTable) -> Table:
    cells = [CELLS.get(kql_type, _same) for kql_type in table.columns_types]
    rows = (tuple(cell(v) for cell, v in zip(cells, row, strict=True)) for row in table.rows)
    return Table(tuple(table.columns), tuple(rows))


def _same(value: object) -> object:
    return value


def _real(value: Any) -> float | None:
    """NaN and the infinities come as text, whole numbers as integers."""
    return None if value is None else float(value)


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value)


def _moment(value: Any) -> datetime | None:
    """The client turns what it can into datetimes and leaves null as None or ""."""
    return value.astimezone(UTC) if value else None


def _text(value: Any) -> str | None:
    """The client turns a null timespan or guid into the word None."""
    return None if value == "None" else value


CELLS: Mapping[str, Callable[[Any], object]] = {
    "real": _real,
    "decimal": _decimal,
    "datetime": _moment,
    "timespan": _text,
    "guid": _text,
}


class _Fault(BaseModel):
    message: str = ""
    line: int | None = None
    pos: int | None = None
    innererror: "_Fault | None" = None


class _Refusal(BaseModel):
    error: _Fault


def _innermost(body: bytes) -> str:
    """Return the service's most exact words for what is wrong with a query, and where."""
    try:
        fault = _Refusal.model_validate_json(body).error
    except ValidationError:
        return "Log Analytics answered 400 and did not say why. Run the query in the portal."
    while fault.innererror:
        fault = fault.innererror
    place = f" (line {fault.line}, position {fault.pos})" if fault.line is not None else ""
    return f"{fault.message}{place}"
