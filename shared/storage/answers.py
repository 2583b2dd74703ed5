"""What the answers of Azure Tables mean to us, whichever way they were asked for."""

from typing import Any

from shared.errors import AgentmeterError, GiveUp, Misconfigured, RetryLater
from shared.storage.rows import Conflict

RETRIES: dict[str, Any] = {
    "retry_total": 2,
    "retry_backoff_factor": 0.2,
    "retry_backoff_max": 2,
    "timeout": 30,
}
CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 5, 15
NO_TABLE = "TableNotFound"
EXISTS = "TableAlreadyExists"
_CONFLICTS = {
    "EntityAlreadyExists",
    "InvalidDuplicateRow",
    "UpdateConditionNotSatisfied",
    "ConditionNotMet",
    "ResourceNotFound",
    "EntityNotFound",
}
_BUSY = {408, 409, 429}


def meaning(table: str, status: int | None, code: str, retry_after: str = "") -> AgentmeterError:
    """Say who must act. The service's own text is left out: it may repeat what we sent.

    status: None where no answer came; code is then the name of what failed.
    """
    what = f"{status or ''} {code}".strip()
    if status and code in _CONFLICTS:
        return Conflict(f"A row of table {table} was changed by others: {what}.")
    if status in {401, 403, 404}:
        return Misconfigured(
            f"Table {table} refused us: {what}. Give the app's identity the role Storage "
            "Table Data Contributor, let its network in, or correct AzureWebJobsStorage."
        )
    if status and 400 <= status < 500 and status not in _BUSY:
        return GiveUp(f"Table {table} will never take this: {what}. Please report it.")
    return RetryLater(
        f"Table {table} did not answer: {what}. It is tried again; if this lasts, see "
        "the storage account's health, its network rules and its throttling.",
        float(retry_after) if retry_after.isdigit() else None,
    )
