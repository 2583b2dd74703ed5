"""Reaches the Azure Monitor that the operator means: the laptop's, or that of the settings."""

from collections.abc import Mapping
from dataclasses import dataclass

from ops.console.identity import OPERATOR
from ops.console.stack import find_stack
from shared.adapters.azure.azure_monitor import AzureMonitorExporter
from shared.adapters.azure.log_analytics import LogAnalytics
from shared.clouds import cloud_of
from shared.errors import Misconfigured
from shared.settings import read

LOCAL_WORKSPACE = "local"
LAPTOP = "the stack on this machine"


@dataclass(frozen=True, slots=True)
class Monitor:
    """Where events are asked for and written to. name: for a person."""

    name: str
    log: LogAnalytics
    exporter: AzureMonitorExporter


def find_monitor(environment: Mapping[str, str]) -> Monitor:
    """Return the stand-in of the stack that runs here, else what the settings name.

    Raises:
        Misconfigured: no stack runs here, and the settings do not name another.
    """
    stack = find_stack(environment)
    if stack:
        from local.stack import INSTRUMENTATION_KEY

        connection = f"InstrumentationKey={INSTRUMENTATION_KEY};IngestionEndpoint={stack.query_url}"
        log = LogAnalytics(stack.query_url, LOCAL_WORKSPACE)
        return Monitor(LAPTOP, log, AzureMonitorExporter(connection))
    settings = read(environment)
    return Monitor(
        f"workspace {settings.LOGS_WORKSPACE_ID}",
        LogAnalytics(settings.logs_endpoint, settings.LOGS_WORKSPACE_ID, OPERATOR),
        AzureMonitorExporter(
            settings.connection_string,
            settings.APPLICATIONINSIGHTS_AUTHENTICATION_STRING,
            OPERATOR,
            all_by_sdk=settings.EXPORT_BY_SDK,
        ),
    )


def find_log(workspace: str | None, environment: Mapping[str, str]) -> tuple[str, LogAnalytics]:
    """Return the workspace that was named, else the laptop's, else that of the settings.

    With its name for a person.
    Raises:
        Misconfigured: none was named, and none runs here.
    """
    stack = None if workspace else find_stack(environment)
    if stack:
        return LAPTOP, LogAnalytics(stack.query_url, LOCAL_WORKSPACE)
    named = workspace or environment.get("LOGS_WORKSPACE_ID")
    if not named:
        raise Misconfigured(
            "There is nothing to ask. Start the stack with `make run`, or name a Log Analytics "
            "workspace with --workspace or LOGS_WORKSPACE_ID."
        )
    endpoint = environment.get("LOGS_ENDPOINT") or cloud_of(environment).logs
    return f"workspace {named}", LogAnalytics(endpoint, named, OPERATOR)
