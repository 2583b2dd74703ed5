"""What infra/ deploys is what the code needs: settings, queues, tables, roles, host.json."""

import json
import re

import pytest
from pydantic import SecretStr

from functions import build
from ops.doctor import azure as doctor_azure
from ops.doctor import storage as doctor_storage
from shared.adapters.azure.event_hub import HUB
from shared.settings import Settings
from tests.infra.bicep import FILES, INFRA, MAIN, MODULES, PARAM, ROOT, described, source, words
from tests.infra.bicep import resource as the
from tests.triggers.test_index import TRIGGERS, bindings, never

SETTING = r"\b[A-Z][A-Za-z]*(?:_+[A-Za-z]+)+\b|\bAzureWebJobsStorage\b"
OF_THE_HOST = {
    "AzureWebJobsStorage__credential",
    "AzureWebJobsStorage__clientId",
    "AzureWebJobsStorage__blobServiceUri",
    "PYTHON_ENABLE_INIT_INDEXING",
    "PYTHON_THREADPOOL_THREAD_COUNT",
    "EVENT_HUB__credential",
    "EVENT_HUB__clientId",
}
"""What the Functions host and its worker read, and we do not."""
NOT_ON_FLEX = {
    "FUNCTIONS_WORKER_RUNTIME",
    "FUNCTIONS_EXTENSION_VERSION",
    "WEBSITE_RUN_FROM_PACKAGE",
    "WEBSITE_CONTENTSHARE",
    "SCM_DO_BUILD_DURING_DEPLOYMENT",
    "ENABLE_ORYX_BUILD",
    "WEBSITE_TIME_ZONE",
}
ROLES_OF_BINDINGS = {
    "queueTrigger": "Storage Queue Data Contributor",
    "queue": "Storage Queue Data Contributor",
    "timerTrigger": "Storage Blob Data Owner",
}
ROLES_OF_SETTINGS = {
    "AzureWebJobsStorage__queueServiceUri": "Storage Queue Data Contributor",
    "AzureWebJobsStorage__tableServiceUri": "Storage Table Data Contributor",
    "APPLICATIONINSIGHTS_CONNECTION_STRING": "Monitoring Metrics Publisher",
    "LOGS_WORKSPACE_ID": "Log Analytics Reader",
    "PAGERDUTY_CRITICAL_KEY": "Key Vault Secrets User",
}

TEXT = MAIN.read_text(encoding="utf-8")
APP = source("app")
SET = set(re.findall(r"\{ name: '(\w+)', value:", APP))
FREE = set(re.findall(SETTING, described(TEXT, "settings")))
SECRET = set(re.findall(SETTING, described(TEXT, "secretSettings")))


def test_every_setting_is_set_or_offered_once() -> None:
    offered = [*SET - OF_THE_HOST, *FREE, *SECRET]
    assert sorted(offered) == sorted(Settings.model_fields)


def test_what_the_host_needs_is_set_and_nothing_that_flex_consumption_refuses() -> None:
    assert OF_THE_HOST <= SET
    assert not (SET | FREE | SECRET) & NOT_ON_FLEX


def test_a_secret_is_offered_through_the_key_vault_alone() -> None:
    connections = {"APPLICATIONINSIGHTS_CONNECTION_STRING", "AzureWebJobsStorage"}
    secrets = {n for n, f in Settings.model_fields.items() if f.annotation is SecretStr}
    assert secrets - connections == SECRET


def test_the_keys_that_routes_need_are_in_the_key_vault_by_default() -> None:
    routes = (ROOT / "config/routes.toml").read_text(encoding="utf-8")
    needed = set(re.findall(r'^key = "(\w+)"', routes, re.M))
    default = re.search(r"param secretSettings array = \[(.*?)\]", TEXT, re.S)
    assert default
    assert needed <= set(re.findall(r"'(\w+)'", default[1]))


def test_every_queue_of_a_binding_exists_and_no_other() -> None:
    used = {
        binding["queueName"]
        for function in build(never).get_functions()
        for binding in bindings(function)
        if "queueName" in binding
    }
    assert set(words(source("data"), "queueNames")) == used


def test_every_table_of_the_code_exists_and_no_other() -> None:
    text = (ROOT / "shared/storage/stores.py").read_text(encoding="utf-8")
    assert set(words(source("data"), "tableNames")) == set(re.findall(r'\.table\("(\w+)"\)', text))


def test_the_app_has_exactly_the_roles_that_its_bindings_and_settings_need() -> None:
    kinds = {b["type"] for f in build(never).get_functions() for b in bindings(f)}
    needed = {role for kind, role in ROLES_OF_BINDINGS.items() if kind in kinds}
    needed |= {role for name, role in ROLES_OF_SETTINGS.items() if name in SET | SECRET}
    assert set(re.findall(r"who: app, role: '([^']+)'", source("access"))) == needed


def test_the_doctor_checks_the_roles_and_tables_that_infra_makes() -> None:
    text = source("access")
    ids = dict(re.findall(r"^  '([^']+)': '([0-9a-f-]{36})'", text, re.M))
    needed = set(re.findall(r"who: app, role: '([^']+)'", text))
    assert {ids[name]: name for name in needed} == doctor_azure.ROLES
    assert set(words(source("data"), "tableNames")) == doctor_storage.TABLES


def test_every_role_that_is_granted_has_an_id_and_every_grant_a_scope() -> None:
    text = source("access")
    named = re.findall(r"^  '([^']+)': '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'", text, re.M)
    assert sorted(set(re.findall(r"role: '([^']+)'", text))) == sorted(named)
    lists = set(re.findall(r"var (\w+Grants) = ", text))
    given = re.findall(r"(?:for grant in|grants:) (\w+)", text)
    assert sorted(given) == sorted(lists)


def test_instances_are_kept_warm_for_functions_that_there_are() -> None:
    names = re.findall(r"'function:(\w+)'", APP)
    assert names == ["process_event_hub", "process_events", "evaluate_alerts"]
    assert set(names) <= {*TRIGGERS, "process_event_hub"}


def test_the_event_hub_is_the_one_that_the_code_uses() -> None:
    text = source("hub")
    assert f"name: '{HUB}'" in the(text, "Microsoft.EventHub/namespaces/eventhubs")
    namespace = the(text, "Microsoft.EventHub/namespaces")
    assert "disableLocalAuth: true" in namespace
    roles = dict(re.findall(r"^  '([^']+)': '([0-9a-f-]{36})'", text, re.M))
    assert set(roles) == {"Azure Event Hubs Data Sender", "Azure Event Hubs Data Receiver"}
    assert "for role in items(roles)" in text
    assert "module hub 'modules/hub.bicep' = if (eventBuffer != 'queue')" in TEXT
    assert "empty(hubNamespace) ? [] : hubSettings" in APP


def test_threads_follow_from_host_json() -> None:
    assert "loadJsonContent('../../host.json', 'extensions.queues')" in APP
    queues = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))["extensions"]["queues"]
    assert {"batchSize", "newBatchThreshold"} <= set(queues)


def test_no_key_opens_anything() -> None:
    storage = the(source("data"), "Microsoft.Storage/storageAccounts")
    assert "allowSharedKeyAccess: false" in storage
    assert "allowBlobPublicAccess: false" in storage
    assert "DisableLocalAuth: true" in the(source("monitoring"), "Microsoft.Insights/components")
    workspace = the(source("monitoring"), "Microsoft.OperationalInsights/workspaces")
    assert "disableLocalAuth: true" in workspace
    vault = the(source("vault"), "Microsoft.KeyVault/vaults")
    assert "enableRbacAuthorization: true" in vault
    assert "enablePurgeProtection: purgeProtection ? true : null" in vault
    assert "\nparam vaultPurgeProtection bool = true\n" in TEXT
    site = the(APP, "Microsoft.Web/sites")
    assert "httpsOnly: true" in site
    assert "ftpsState: 'Disabled'" in site
    assert APP.count("allow: false") == 2


def test_the_app_runs_the_newest_python_that_the_house_supports() -> None:
    assert "version: '3.13'" in the(APP, "Microsoft.Web/sites")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_parameter_is_described_and_every_secret_is_secure(file: object) -> None:
    text = (INFRA / str(file)).read_text(encoding="utf-8")
    params = PARAM.findall(text)
    assert len(params) == len(re.findall(r"^param ", text, re.M))
    for decorators, name, _ in params:
        assert re.search(r"@description\('(Required|Optional)\. ", decorators), name
        secure = name == "secrets" or "webhook" in name.lower()
        assert ("@secure()" in decorators) == secure, name


def test_every_module_elsewhere_is_in_the_group_of_its_resource() -> None:
    """A resource that was there already may be in another group, or subscription."""
    for text, modules in ((TEXT, ("keys", "functions")), (source("access"), ("on",))):
        for name in modules:
            for body in re.findall(rf"^module {name}\w* .*?^}}", text, re.M | re.S):
                assert re.search(
                    r"scope: resourceGroup\(split\((\w+), '/'\)\[2\], split\(\1,", body
                )


def test_every_module_is_deployed() -> None:
    called = re.findall(r"^module \w+ '(?:modules/)?(\w+)\.bicep'", TEXT + source("access"), re.M)
    assert sorted(called) == sorted(file.stem for file in MODULES)


def test_every_saved_query_and_function_is_deployed() -> None:
    loaded = {
        (INFRA / "modules" / path).resolve()
        for file in MODULES
        for path in re.findall(r"loadTextContent\('([^']+)'\)", file.read_text(encoding="utf-8"))
    }
    there = {
        *INFRA.glob("kql/**/*.kql"),
        *INFRA.glob("workbooks/*.json"),
        *INFRA.glob("grafana/*.azure.json"),
    }
    assert loaded == there


def test_every_saved_query_has_a_title_and_says_what_it_says() -> None:
    for file in INFRA.glob("kql/saved/*.kql"):
        title, said, first = file.read_text(encoding="utf-8").splitlines()[:3]
        assert title.startswith("// "), file.name
        assert said.startswith("// "), file.name
        assert first == "UsageEvents", file.name


def test_workbooks_fit_into_a_template_and_ask_the_workspace_that_they_are_given() -> None:
    for file in INFRA.glob("workbooks/*.json"):
        text = file.read_text(encoding="utf-8")
        assert len(text) < 131_072, "the most that Bicep's loadTextContent takes"
        assert text.count('"Azure Monitor"') == 1
