"""Addresses of Azure's clouds, by the names that `az cloud list` and Bicep's environment() use."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cloud:
    """One cloud's addresses.

    monitor: the audience of tokens for ingestion, its slash included. logs: the query API.
    portal, management, login: where people, Azure Resource Manager and Entra are.
    """

    monitor: str
    logs: str
    portal: str
    management: str
    login: str

    def with_audience(self, connection_string: str) -> str:
        """Return the connection string with this cloud's audience, unless it names one.

        Without one it is for the public cloud.
        """
        if self == PUBLIC or "aadaudience=" in connection_string.lower():
            return connection_string
        return f"{connection_string.strip().rstrip(';')};AADAudience={self.monitor}"


PUBLIC = Cloud(
    monitor="https://monitor.azure.com/",
    logs="https://api.loganalytics.io",
    portal="https://portal.azure.com",
    management="https://management.azure.com",
    login="https://login.microsoftonline.com",
)
CLOUDS: Mapping[str, Cloud] = {
    "AzureCloud": PUBLIC,
    "AzureUSGovernment": Cloud(
        monitor="https://monitor.azure.us/",
        logs="https://api.loganalytics.us",
        portal="https://portal.azure.us",
        management="https://management.usgovcloudapi.net",
        login="https://login.microsoftonline.us",
    ),
    "AzureChinaCloud": Cloud(
        monitor="https://monitor.azure.cn/",
        logs="https://api.loganalytics.azure.cn",
        portal="https://portal.azure.cn",
        management="https://management.chinacloudapi.cn",
        login="https://login.chinacloudapi.cn",
    ),
}


def cloud_of(environment: Mapping[str, str]) -> Cloud:
    """Return the cloud that AGENTMETER_CLOUD names, the public one where it names none."""
    return CLOUDS.get(environment.get("AGENTMETER_CLOUD", ""), PUBLIC)
