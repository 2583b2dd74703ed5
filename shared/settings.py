"""The only reader of the environment."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, PrivateAttr, SecretStr, ValidationError

from shared import setting_forms as forms
from shared.clouds import CLOUDS, Cloud
from shared.errors import Misconfigured

APP_FOLDER = Path(__file__).parent.parent


class Settings(BaseModel, frozen=True, extra="allow"):
    """Everything that an operator may set; the environment name is the alias in capitals.

    Beside the fields, any secret whose name begins with RECEIVER_, and any secret of before, whose
    name ends with _OLD (`read` lets no other in).
    """

    __pydantic_extra__: dict[str, SecretStr]  # pyright: ignore[reportIncompatibleVariableOverride]  # pydantic's way to type them

    APPLICATIONINSIGHTS_CONNECTION_STRING: SecretStr = Field(
        description="Where events and metrics go; Application Insights, Overview, Connection String"
    )
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: str = Field(
        "",
        description="`Authorization=AAD`, with `ClientId=<id>;` before it for a user-assigned "
        "identity. Empty: the connection string's key alone",
    )
    EXPORT_BY_SDK: bool = Field(
        False,
        description="Events and spans, too, go through Microsoft's exporter: ten times slower, for "
        "when Azure Monitor changes what it takes before agentmeter does",
    )
    LOGS_WORKSPACE_ID: str = Field(
        min_length=1, description="The Log Analytics workspace's id (a GUID) that rules query"
    )
    LOGS_RESOURCE_ID: str = Field(
        "",
        pattern=r"^(/subscriptions/\S+)?$",
        description="The workspace's resource id; pages then link to their query in the portal",
    )
    LOGS_ENDPOINT: str = Field(
        "",
        pattern=r"^(https?://\S*[^/\s])?$",
        description="The Log Analytics query API; empty: that of AGENTMETER_CLOUD",
    )
    AGENTMETER_CLOUD: Literal["AzureCloud", "AzureUSGovernment", "AzureChinaCloud"] = Field(
        "AzureCloud",
        description="Which of Azure's clouds this is: its addresses of ingestion, queries, portal, "
        "login and Resource Manager follow. Bicep sets it",
    )
    AZURE_CLIENT_ID: str = Field("", description="The user-assigned identity, where there is one")
    AGENTMETER_STATE: str = Field(
        "tables",
        pattern=r"^(tables|tables-sdk|sqlite:.+)$",
        description="Where claims, series and alerts live: `tables` of AzureWebJobsStorage, or "
        "`sqlite:<file>`. `tables-sdk` asks for the same tables through azure-data-tables, slower",
    )
    AzureWebJobsStorage: SecretStr = Field(
        SecretStr(""), description="Connection string of the storage account (laptop, tests)"
    )
    AzureWebJobsStorage__tableServiceUri: str = Field(
        "", description="Table endpoint of the storage account, reached by identity"
    )
    AzureWebJobsStorage__queueServiceUri: str = Field(
        "", description="Queue endpoint of the storage account, reached by identity"
    )
    EVENT_BUFFER: Literal["queue", "eventhubs"] = Field(
        "queue",
        description="Where accepted events wait to be processed: `queue` of AzureWebJobsStorage, "
        "or `eventhubs`, the hub `usage-events` of EVENT_HUB__fullyQualifiedNamespace",
    )
    EVENT_HUB__fullyQualifiedNamespace: forms.Host = Field(
        "",
        description="Event Hubs namespace, as `NAME.servicebus.windows.net`, reached by identity. "
        "While it is set, what waits there is processed, for every EVENT_BUFFER; read when the "
        "app is loaded",
    )
    AGENTMETER_CONFIG: Path = Field(
        APP_FOLDER / "config", description="Folder of rules, prices and routes"
    )
    PRICES_REFRESH_URL: str = Field(
        "",
        pattern=r"^(https?://\S+)?$",
        description="Where newer list prices come from; empty: nowhere. genai-prices publishes "
        "`https://raw.githubusercontent.com/pydantic/genai-prices/refs/heads/main/prices/new_data/"
        "v2/data.json`",
    )
    PRICES_REFRESH_HOURS: int = Field(
        24, ge=1, le=8760, description="How old list prices grow before they are fetched again"
    )
    EVALUATE_EVERY_S: int = Field(
        15,
        ge=15,
        le=60,
        multiple_of=15,
        description="How often rules are evaluated; above 15, runs of the timer are left out, "
        "which costs less and pages later",
    )
    AGENTMETER_DEPLOYMENT: str = Field(
        "dev",
        pattern=r"^[A-Za-z0-9_.-]{1,64}$",
        description="Names this deployment in incident keys, so that two never share one",
    )
    AGENTMETER_VERSION: str = Field(
        "",
        max_length=200,
        description="What is deployed, such as a commit; another one is sent as a change event",
    )
    AGENTMETER_LINK: str = Field(
        "",
        pattern=forms.LINK,
        description="The page or workbook that a pager message links to; `{id}` in it stands for "
        "the alert's id",
    )
    AGENTMETER_RUNBOOKS: str = Field(
        "",
        pattern=forms.LINK,
        description="Where docs/ is to be read, as `https://github.com/you/agentmeter/blob/main`; "
        "pages then link to their runbook",
    )
    AGENTMETER_SILENCE_LINK: str = Field(
        "",
        pattern=forms.LINK,
        description="A page that silences, linked below pages; `{labels}` in it becomes "
        "`alertname=X&severity=Y`",
    )
    BATCH_MAX_EVENTS: int = Field(1000, ge=1, le=10_000, description="Events in one request")
    BODY_MAX_BYTES: int = Field(1_048_576, ge=1024, description="Request body as it comes")
    UNPACKED_MAX_BYTES: int = Field(8_388_608, ge=1024, description="Request body, unpacked")
    OTLP_MAX_BYTES: int = Field(
        16_777_216, ge=1024, description="A request to /v1/traces, as it comes and unpacked"
    )
    OTLP_KEEP_CONTENT: int = Field(
        0,
        ge=0,
        le=8000,
        description="Characters of each text attribute that spans keep, prompts and answers "
        "included; 0 keeps names and numbers alone",
    )
    ALLOW_PLAIN_HTTP: bool = Field(
        False,
        description="Lets receivers and other addresses that are called be plain http to other "
        "machines; without it such an address is named and not called",
    )
    RATE_LIMIT_REQUESTS: forms.PerMinute = Field(
        0,
        description="Requests that a key may make in a minute, at each instance; more are refused "
        "(429). 0: as many as come",
    )
    RATE_LIMIT_EVENTS: forms.PerMinute = Field(
        0,
        description="Events that a key may send in a minute, at each instance: after a batch that "
        "takes more, the next ones wait (429). 0: as many as come",
    )
    LABEL_MAX_VALUES: int = Field(
        200, ge=1, le=10_000, description="Distinct values of a metric label before `other`"
    )
    SERIES_MAX: int = Field(
        2_000,
        ge=1,
        le=5_000,
        description="Series of a metric; further ones count as `other` in every label",
    )
    CLAIM_PARTITIONS: int = Field(
        3,
        ge=1,
        le=64,
        description="Over how many partitions of the table `claims` the claims of events are "
        "spread; each takes 2,000 rows a second. After a change claims are made in both layouts "
        "for eight days, and a further change waits until then",
    )
    LOG_LEVEL: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO",
        description="From which level on the app logs; at WARNING, only what went wrong. The host "
        "has a threshold of its own, `logLevel` in host.json",
    )
    METRICS_TOKEN: forms.Token = Field(
        SecretStr(""),
        description="When set, GET /metrics, /api/health and /api/health/alerts ask for "
        "`Authorization: Bearer <token>`",
    )
    HTTP_PROXYING: bool = Field(
        True,
        description="Requests are forwarded whole, bodies in chunks included, as OpenTelemetry's "
        "exporters for JavaScript send them; `0`: such bodies are refused (411). It is read "
        "when the app is loaded; Python 3.12 and older also needs "
        "`PYTHON_ENABLE_INIT_INDEXING=1`",
    )
    PAGERDUTY_URL: forms.Url = Field(
        "https://events.pagerduty.com", description="https://events.eu.pagerduty.com in the EU"
    )
    PAGERDUTY_DEFAULT_KEY: forms.PagerKey = Field(
        SecretStr(""), description="Events v2 integration key for error and info"
    )
    PAGERDUTY_CRITICAL_KEY: forms.PagerKey = Field(
        SecretStr(""), description="Events v2 integration key for critical"
    )
    PAGERDUTY_WARNING_KEY: forms.PagerKey = Field(
        SecretStr(""), description="Events v2 integration key for warning"
    )
    HEARTBEAT_URL: forms.Address = Field(
        SecretStr(""),
        description="Called after each complete tick; who watches it (a healthchecks.io check, "
        "say) raises the alarm when the calls end",
    )
    WEBHOOK_URL: forms.Address = Field(
        SecretStr(""),
        description='The address of receivers with `notifier = "webhook"` that name no `url`',
    )
    WEBHOOK_SECRET: forms.Token = Field(
        SecretStr(""), description="Signs them (docs/notifications.md), for `key` of a receiver"
    )
    SLACK_WEBHOOK_URL: forms.Address = Field(
        SecretStr(""), description="Incoming webhook of a channel, for `key` of a Slack receiver"
    )

    _set_aside: list[str] = PrivateAttr(default_factory=list[str])

    @property
    def cloud(self) -> Cloud:
        """The addresses of AGENTMETER_CLOUD."""
        return CLOUDS[self.AGENTMETER_CLOUD]

    @property
    def logs_endpoint(self) -> str:
        """The address of the query API."""
        return self.LOGS_ENDPOINT or self.cloud.logs

    @property
    def connection_string(self) -> str:
        """The connection string, with the audience of a cloud that is not the public one."""
        given = self.APPLICATIONINSIGHTS_CONNECTION_STRING.get_secret_value()
        return self.cloud.with_audience(given)

    def setting_aside(self, said: Iterable[str]) -> "Settings":
        """Return these settings, which know what was wrong and is left out."""
        self._set_aside.extend(said)
        return self

    def problems(self) -> list[str]:
        """Name the links that were set aside, and the secrets of an odd form; never a value."""
        fields = Settings.model_fields.items()
        wrong = (one for name, item in fields for one in forms.odd(name, item, getattr(self, name)))
        return [*self._set_aside, *wrong]

    def values(self, name: str) -> list[SecretStr]:
        """Return the secret, and the one before its rotation, as far as they are set."""
        found = (getattr(self, one, SecretStr("")) for one in (name, f"{name}{forms.OLD}"))
        return [value for value in found if value.get_secret_value()]


def read(environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of the environment (the process's own by default).

    Space around a value is none of it. Empty values count as absent, and so do references to a
    secret that there is not. A wrong link is set aside; problems() names it.
    Raises:
        Misconfigured: names every wrong or missing setting at once, never a value.
    """
    given = os.environ if environment is None else environment
    names = (*Settings.model_fields, *filter(_is_beside_them, given))
    values = {name: value for name in names if (value := forms.value_of(given.get(name, "")))}
    plain = forms.plain_outward(values)
    values = {name: value for name, value in values.items() if name not in plain}
    try:
        return Settings.model_validate(values).setting_aside(plain.values())
    except ValidationError as exc:
        wrong = {".".join(map(str, e["loc"])): e["msg"] for e in exc.errors()}
    if wrong.keys() <= {*forms.LINKS}:
        right = {name: value for name, value in values.items() if name not in wrong}
        aside = (*plain.values(), *(f"{name} {forms.NO_LINK}" for name in wrong))
        return Settings.model_validate(right).setting_aside(aside)
    problems = [f"{name}: {said}" for name, said in wrong.items()]
    raise Misconfigured("Settings are wrong. " + "; ".join(problems) + ". See docs/settings.md.")


def is_secret(name: str) -> bool:
    """Return whether a receiver may name the setting as its key or address."""
    field = Settings.model_fields.get(name)
    return name.startswith(forms.RECEIVER) if field is None else field.annotation is SecretStr


def _is_beside_them(name: str) -> bool:
    """Return whether the setting is none of the fields, and ours all the same."""
    old = name.endswith(forms.OLD) and is_secret(name.removesuffix(forms.OLD))
    return name not in Settings.model_fields and (old or name.startswith(forms.RECEIVER))


def operator_environment() -> Mapping[str, str]:
    """Return the process's environment, for the operator's tools, which hand it on from there."""
    return os.environ
