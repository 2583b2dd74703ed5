"""Remove every row that names a user or a team, for good.

Without --yes it counts them. On a laptop they are gone at once. In Azure each table is a purge
request, which takes up to 30 days; --status asks how far one is. You need the role Data Purger on
the workspace, and LOGS_RESOURCE_ID. Totals stay, for they name neither users nor teams: counters of
/metrics, AppMetrics. So do states and history of alerts whose labels do.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby

from ops.console.command import Desk
from ops.console.management import Json, Management, management_of
from ops.console.monitor import LAPTOP, LOCAL_WORKSPACE, find_log
from ops.console.stack import find_stack
from shared.adapters.azure.log_analytics import LogAnalytics
from shared.alerting.budget_rules import literal
from shared.errors import Misconfigured
from shared.events.columns import COLUMNS
from shared.events.otlp.dialects import DIALECTS

EXAMPLES = """\
  bin/ops forget --user ada@example.com
  bin/ops forget --user ada@example.com --yes
  bin/ops forget --team checkout --yes
  bin/ops forget --status purge-970318e7-b859-4edb-8903-83b1b54d0b74"""
VERSION = "2025-02-01"
FIRST, AHEAD = datetime(2020, 1, 1, tzinfo=UTC), timedelta(days=2)
"""Older than any row; and later than now by more than any row is."""
LOCAL_RESOURCE = (
    "/subscriptions/local/resourceGroups/local/providers/Microsoft.OperationalInsights/workspaces/"
    + LOCAL_WORKSPACE
)
TOTALS_STAY = "Totals stay: /metrics and AppMetrics name neither users nor teams."


@dataclass(frozen=True, slots=True)
class Kind:
    """Rows that name the person or team: a table, and the property that does. rows: how many."""

    table: str
    key: str
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where the rows are, and who removes them. path: of its resource."""

    name: str
    log: LogAnalytics
    management: Management
    path: str


def declare(parser: ArgumentParser) -> None:
    """Add whom to forget, or which request to ask about."""
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--user", help="remove what names this user")
    who.add_argument("--team", help="remove what names this team")
    who.add_argument("--status", metavar="OPERATION", help="show how far a purge request is")
    parser.add_argument("--yes", action="store_true", help="do it; without, it is only counted")


def run(given: Namespace, desk: Desk) -> int:
    """Count or remove, and say what and how many; 1 where nothing names them."""
    workspace = _workspace(desk.environment)
    if given.status:
        asked = workspace.management.ask(f"{workspace.path}/operations/{given.status}", VERSION)
        return _show([{"operation": given.status, "status": asked["status"]}], given, desk)
    name = "user" if given.user else "team"
    found = list(_counted(workspace.log, name, given.user or given.team, desk.clock.now()))
    if not found:
        desk.terminal.note(f"forget: No row in {workspace.name} names that {name}.")
        return 1
    if given.yes:
        rows = [_purged(workspace, kind, given.user or given.team) for kind in found]
        desk.terminal.note(f"forget: {TOTALS_STAY}")
    else:
        rows = [{"table": kind.table, "property": kind.key, "rows": kind.rows} for kind in found]
        desk.terminal.note(f"forget: Nothing is removed yet from {workspace.name}; add --yes.")
    return _show(rows, given, desk)


def kinds(name: str) -> Iterator[Kind]:
    """Yield where a user or a team can stand: in events, and in spans by each dialect's names."""
    stored = next(column.stored for column in COLUMNS if column.key == f"{name}_id")
    yield Kind("AppEvents", stored)
    spelt = (key for dialect in DIALECTS for key in dialect.names.get(name, ()))
    yield from (Kind("AppDependencies", key) for key in dict.fromkeys(spelt))


def _workspace(environment: Mapping[str, str]) -> Workspace:
    """Return the laptop's, else that of the settings.

    Raises:
        Misconfigured: none runs here, and none is named.
    """
    stack = find_stack(environment)
    name, log = find_log(None, environment)
    if stack:
        return Workspace(LAPTOP, log, Management(stack.query_url), LOCAL_RESOURCE)
    path = environment.get("LOGS_RESOURCE_ID", "")
    if not path:
        raise Misconfigured(
            "LOGS_RESOURCE_ID is not set. It is the workspace's resource id: "
            "az monitor log-analytics workspace show --ids … --query id"
        )
    needs = {"role": "Data Purger", "on": "the workspace", "check": "LOGS_RESOURCE_ID"}
    return Workspace(name, log, management_of(environment, **needs), path.rstrip("/"))


def _counted(log: LogAnalytics, name: str, value: str, now: datetime) -> Iterator[Kind]:
    """Yield where the user or team stands, with how many rows each."""
    for table, of_table in groupby(kinds(name), lambda kind: kind.table):
        places = list(of_table)
        counts = ", ".join(
            f"N{n} = countif(tostring(Properties[{literal(kind.key)}]) == {literal(value)})"
            for n, kind in enumerate(places)
        )
        (row,) = log.query(f"{table} | summarize {counts}", FIRST, now + AHEAD).rows
        found = (replace(kind, rows=int(str(n))) for kind, n in zip(places, row, strict=True))
        yield from (kind for kind in found if kind.rows)


def _purged(workspace: Workspace, kind: Kind, value: str) -> Json:
    """Ask for the removal; return what was asked, its operation and how far it is."""
    wanted = {"column": "Properties", "key": kind.key, "operator": "==", "value": value}
    body = {"table": kind.table, "filters": [wanted]}
    begun = workspace.management.ask(f"{workspace.path}/purge", VERSION, "POST", body)
    operation = begun["operationId"]
    status = workspace.management.ask(f"{workspace.path}/operations/{operation}", VERSION)
    return {
        "table": kind.table,
        "property": kind.key,
        "rows": kind.rows,
        "operation": operation,
        "status": status["status"],
    }


def _show(rows: Sequence[Json], given: Namespace, desk: Desk) -> int:
    if given.json:
        desk.terminal.json(rows)
    else:
        desk.terminal.table(tuple(rows[0]), [tuple(row.values()) for row in rows])
    return 0
