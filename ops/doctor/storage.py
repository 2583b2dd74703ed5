"""Looks at the queues and tables themselves, by the operator's own account."""

from collections.abc import Iterator, Mapping

import requests

from ops.console.identity import OPERATOR
from ops.console.stack import Stack
from ops.doctor.finding import DEPLOY, Finding, ok, skipped, wrong
from shared.adapters.azure.poison_queue import POISON, QUEUE
from shared.errors import Misconfigured, RetryLater

TABLES = frozenset({"alerts", "claims", "series", "silences", "texts", "traces"})
BACKLOG = 1_000
TIMEOUT_S = 30


def laptop(stack: Stack) -> Iterator[Finding]:
    """Yield how full the queues of the stack on this machine are."""
    headers = {"x-functions-key": stack.master_key.get_secret_value()}
    try:
        answer = requests.get(f"{stack.app_url}/admin/queues", headers=headers, timeout=TIMEOUT_S)
        answer.raise_for_status()
    except requests.RequestException as exc:
        raise RetryLater(
            f"The stack does not answer ({type(exc).__name__}). Start it with `make run`."
        ) from None
    queues = answer.json()["queues"]
    depths = {name: of["visible"] + of["invisible"] for name, of in queues.items()}
    yield from findings({QUEUE: 0, POISON: 0, **depths})


def account_queues(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Return whether the account's queues are there, and how full."""
    from azure.core.exceptions import AzureError
    from azure.storage.queue import QueueServiceClient

    where = environment.get("AzureWebJobsStorage__queueServiceUri")
    if not where:
        yield skipped(*unnamed("queues", "AzureWebJobsStorage__queueServiceUri"))
        return
    service = QueueServiceClient(where, credential=OPERATOR.credential(), retry_total=1)
    try:
        names = {queue.name for queue in service.list_queues()}
        depths = {
            name: service.get_queue_client(name).get_queue_properties().approximate_message_count
            or 0
            for name in names & {QUEUE, POISON}
        }
    except AzureError as exc:
        needs = OPERATOR.needs("Storage Queue Data Contributor", "the storage account")
        raise Misconfigured(f"The queues cannot be seen ({type(exc).__name__}). {needs}") from None
    yield from findings(depths)


def findings(depths: Mapping[str, int]) -> Iterator[Finding]:
    """Judge what was seen of the queues."""
    for name in sorted({QUEUE, POISON} - set(depths)):
        yield wrong(f"queue {name}", "It is not there.", DEPLOY)
    if QUEUE in depths:
        yield _backlog(depths[QUEUE])
    if POISON in depths:
        yield _set_aside(depths[POISON])


def _backlog(waiting: int) -> Finding:
    said = f"{waiting} messages wait."
    if waiting < BACKLOG:
        return ok(f"queue {QUEUE}", said)
    return wrong(f"queue {QUEUE}", said, "Read the log of process_events; raise maximumInstances.")


def _set_aside(waiting: int) -> Finding:
    said = f"{waiting} messages were dead-lettered."
    if not waiting:
        return ok(f"queue {POISON}", said)
    mend = "bin/ops poison list, fix the cause, bin/ops poison replay --all"
    return wrong(f"queue {POISON}", said, mend)


def account_tables(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Return whether the account's tables are there."""
    from azure.core.exceptions import AzureError
    from azure.data.tables import TableServiceClient

    where = environment.get("AzureWebJobsStorage__tableServiceUri")
    if not where:
        yield skipped(*unnamed("tables", "AzureWebJobsStorage__tableServiceUri"))
        return
    try:
        credential = OPERATOR.credential()
        with TableServiceClient(where, credential=credential, retry_total=1) as service:
            there = service.list_tables()  # pyright: ignore[reportUnknownMemberType] - bare **kwargs
            missing = sorted(TABLES - {table.name for table in there})
    except AzureError as exc:
        needs = OPERATOR.needs("Storage Table Data Contributor", "the storage account")
        raise Misconfigured(f"The tables cannot be seen ({type(exc).__name__}). {needs}") from None
    if missing:
        yield wrong("tables", f"Missing: {', '.join(missing)}.", DEPLOY)
    else:
        yield ok("tables", f"All {len(TABLES)} are there.")


def unnamed(check: str, setting: str) -> tuple[str, str, str]:
    """Return what is said where the environment does not name a place."""
    return check, f"{setting} is not set.", "set the outputs of the deployment (docs/deploy.md)"
