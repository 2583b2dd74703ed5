"""Azure's clouds: which addresses and audiences follow from one setting."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from ops.doctor.azure import arm_of
from shared.adapters.azure.azure_monitor import AzureMonitorExporter
from shared.adapters.azure.identity import Identity
from shared.adapters.azure.log_analytics import LogAnalytics
from shared.clouds import CLOUDS
from shared.errors import Misconfigured
from shared.settings import Settings, read
from tests.breeze import AT, event

KEY = "InstrumentationKey=00000000-0000-0000-0000-000000000000"
OF_CLOUD: Sequence[tuple[str, str, str, str]] = [
    ("AzureCloud", "azure.com", "monitor.azure.com", "api.loganalytics.io"),
    ("AzureUSGovernment", "azure.us", "monitor.azure.us", "api.loganalytics.us"),
    ("AzureChinaCloud", "azure.cn", "monitor.azure.cn", "api.loganalytics.azure.cn"),
]


class Refusing:
    """A credential without tokens, which notes what it was asked for."""

    def __init__(self) -> None:
        self.scopes: list[str] = []

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.scopes += scopes
        raise ClientAuthenticationError("none")


def settings(**more: str) -> Settings:
    given: Mapping[str, str] = {
        "APPLICATIONINSIGHTS_CONNECTION_STRING": f"{KEY};IngestionEndpoint=https://127.0.0.1:1/",
        "LOGS_WORKSPACE_ID": "workspace",
    }
    return read({**given, **more})


@pytest.mark.parametrize(("name", "domain", "monitor", "logs"), OF_CLOUD)
def test_one_setting_gives_every_address(name: str, domain: str, monitor: str, logs: str) -> None:
    credential = Refusing()
    identity = Identity(make=lambda _: credential)
    read_ = settings(AGENTMETER_CLOUD=name)
    exporter = AzureMonitorExporter(read_.connection_string, "Authorization=AAD", identity)
    exporter.events([event()])
    with pytest.raises(Misconfigured):
        LogAnalytics(read_.logs_endpoint, "w", identity).query("x", AT, AT + timedelta(hours=1))
    assert credential.scopes == [f"https://{monitor}//.default", f"https://{logs}/.default"]
    assert read_.cloud.portal == f"https://portal.{domain}"


@pytest.mark.parametrize("name", [name for name, *_ in OF_CLOUD])
def test_the_doctor_asks_the_resource_manager_of_its_cloud(name: str) -> None:
    names = ("AZURE_SUBSCRIPTION_ID", "AZURE_RESOURCE_GROUP", "AZURE_FUNCTION_NAME")
    arm = arm_of({"AGENTMETER_CLOUD": name, **dict.fromkeys(names, "x")})
    assert arm is not None
    assert arm.management.url == arm.management.audience == CLOUDS[name].management


@pytest.mark.parametrize(
    "audience", ["https://monitor.azure.us/", "https://monitor.azure.us", "https://other.example/"]
)
def test_an_audience_that_is_given_is_left_as_it_is(audience: str) -> None:
    credential = Refusing()
    given = f"{KEY};EndpointSuffix=127.0.0.1;AADAudience={audience};"
    read_ = settings(
        AGENTMETER_CLOUD="AzureChinaCloud", APPLICATIONINSIGHTS_CONNECTION_STRING=given
    )
    identity = Identity(make=lambda _: credential)
    AzureMonitorExporter(read_.connection_string, "Authorization=AAD", identity).events([event()])
    assert credential.scopes == [f"{audience}/.default"]


def test_an_endpoint_that_is_set_wins_over_the_cloud() -> None:
    given = settings(AGENTMETER_CLOUD="AzureUSGovernment", LOGS_ENDPOINT="https://logs.example")
    assert given.logs_endpoint == "https://logs.example"


def test_a_cloud_without_a_name_that_azure_uses_is_refused() -> None:
    with pytest.raises(Misconfigured, match=r"AGENTMETER_CLOUD.*AzureUSGovernment"):
        settings(AGENTMETER_CLOUD="usgov")
