"""The hooks of azd, run by a real shell against a fake `az` and a fake `azd`."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.infra.bicep import INFRA
from tests.shell_lines import FENCED

ENVIRONMENT = {
    "AZURE_ENV_NAME": "dev",
    "AZURE_SUBSCRIPTION_ID": "00000000-0000-0000-0000-000000000001",
    "AZURE_RESOURCE_GROUP": "rg-agentmeter-dev",
    "AZURE_FUNCTION_NAME": "func-agentmeter-dev-abc",
    "AGENTMETER_URL": "https://func-agentmeter-dev-abc.azurewebsites.net",
    "AzureWebJobsStorage__queueServiceUri": "https://stagentmeter.queue.core.windows.net/",
    "ROLE_TRIES": "3",
    "ROLE_WAIT_S": "0",
}
APP = "rg-agentmeter-dev\tfunc-agentmeter-dev-abc\n"
FAKE = """#!/bin/sh
echo "$(basename "$0") $*" >> "$CALLS"
for answer in "$ANSWERS"/*; do
  [ -e "$answer" ] || continue
  case "$*" in "$(cat "$answer/when")"*)
    if [ -s "$answer/fails" ]; then
      left=$(cat "$answer/fails")
      if [ "$left" -gt 0 ]; then echo $((left - 1)) > "$answer/fails"; echo refused >&2; exit 1; fi
    fi
    cat "$answer/warns" >&2; cat "$answer/says"; exit 0;;
  esac
done
"""


class Shell:
    """Runs a hook where `az` and `azd` are fakes that note their calls."""

    def __init__(self, folder: Path) -> None:
        self._bin, self._answers = folder / "bin", folder / "answers"
        self._calls = folder / "calls"
        self._bin.mkdir()
        self._answers.mkdir()
        for name in ("az", "azd", "ops"):
            (self._bin / name).write_text(FAKE, encoding="utf-8")
            (self._bin / name).chmod(0o755)

    def answer(self, when: str, says: str = "", fails: int = 0, warns: str = "") -> None:
        """Let calls that begin so fail that often, then print what is given; warns: on stderr."""
        folder = self._answers / str(len(list(self._answers.iterdir())))
        folder.mkdir()
        files = {"when": when, "says": says, "fails": str(fails), "warns": warns}
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")

    def run(
        self, hook: str, typed: str = "", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the hook and return how it ended."""
        return self.run_file(INFRA / "hooks" / f"{hook}.sh", typed, **environment)

    def run_file(
        self, file: Path, typed: str = "", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a script and return how it ended; typed: what a person answers."""
        path = f"{self._bin}{os.pathsep}/usr/bin{os.pathsep}/bin"
        fakes = {
            "PATH": path,
            "CALLS": str(self._calls),
            "ANSWERS": str(self._answers),
            "AGENTMETER_OPS": str(self._bin / "ops"),
        }
        return subprocess.run(  # noqa: S603  our own script
            ["/bin/sh", str(file)],
            env={**ENVIRONMENT, **environment, **fakes},
            capture_output=True,
            input=typed,
            text=True,
            timeout=60,
            check=False,
        )

    @property
    def calls(self) -> str:
        """What was called, a line each."""
        return self._calls.read_text(encoding="utf-8") if self._calls.exists() else ""


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A shell whose commands succeed and print nothing."""
    return Shell(tmp_path)


def test_a_deleted_vault_is_recovered_and_the_option_ends_by_itself(shell: Shell) -> None:
    shell.answer("keyvault list-deleted", "kv-agentm-abc\n")
    assert shell.run("preprovision").returncode == 0
    assert "azd env set RECOVER_VAULT true" in shell.calls


def test_the_next_deployment_does_not_recover_again(shell: Shell) -> None:
    assert shell.run("preprovision", RECOVER_VAULT="true").returncode == 0
    assert "azd env set RECOVER_VAULT false" in shell.calls


def test_settings_made_by_hand_are_refused_with_the_remedy(shell: Shell) -> None:
    shell.answer("functionapp list", APP)
    shell.answer("functionapp config appsettings list", "AZURE_CLIENT_ID\nMY_OWN\n")
    ended = shell.run("preprovision")
    assert ended.returncode == 1
    assert "would remove them: MY_OWN\n" in ended.stderr
    assert "azd env set AGENTMETER_SETTINGS" in ended.stderr
    assert "--setting-names MY_OWN" in ended.stderr


def test_settings_that_azd_knows_are_kept(shell: Shell) -> None:
    names = "AZURE_CLIENT_ID\nPAGERDUTY_CRITICAL_KEY\nLOG_LEVEL\nHEARTBEAT_URL\n"
    shell.answer("functionapp list", APP)
    shell.answer("functionapp config appsettings list", names)
    given = {
        "AGENTMETER_SETTINGS": json.dumps({"LOG_LEVEL": "DEBUG"}),
        "SECRET_SETTINGS": json.dumps(["HEARTBEAT_URL"]),
    }
    assert shell.run("preprovision", **given).returncode == 0


def test_settings_that_cannot_be_listed_stop_the_deployment(shell: Shell) -> None:
    shell.answer("functionapp list", fails=1)
    ended = shell.run("preprovision")
    assert ended.returncode == 1
    assert "az login" in ended.stderr


def test_an_app_that_is_no_more_has_no_settings_to_keep(shell: Shell) -> None:
    shell.answer("functionapp list", "")
    assert shell.run("preprovision").returncode == 0
    assert "appsettings" not in shell.calls


def test_deleted_vaults_that_cannot_be_listed_are_named(shell: Shell) -> None:
    shell.answer("keyvault list-deleted", fails=1)
    ended = shell.run("preprovision", RECOVER_VAULT="true")
    assert ended.returncode == 0
    assert "RECOVER_VAULT" in ended.stderr
    assert "azd env set" not in shell.calls


def test_a_first_deployment_asks_for_no_settings(shell: Shell) -> None:
    assert shell.run("preprovision", AZURE_FUNCTION_NAME="").returncode == 0
    assert "appsettings" not in shell.calls


def test_a_pipeline_finds_the_app_by_its_tag(shell: Shell) -> None:
    shell.answer("functionapp list", APP)
    shell.answer("functionapp config appsettings list", "MY_OWN\n")
    ended = shell.run("preprovision", AZURE_FUNCTION_NAME="", AZURE_RESOURCE_GROUP="")
    assert "tags.\"azd-env-name\"=='dev' && tags.application=='agentmeter'" in shell.calls
    assert (
        "delete -g rg-agentmeter-dev -n func-agentmeter-dev-abc --setting-names MY_OWN"
        in ended.stderr
    )


def test_a_deployment_waits_until_roles_count(shell: Shell) -> None:
    shell.answer("storage message peek", fails=2)
    ended = shell.run("postprovision")
    assert ended.returncode == 0
    assert shell.calls.count("az storage message peek") == 3
    assert "--account-name stagentmeter " in shell.calls


def test_roles_that_never_count_end_the_deployment_with_the_remedy(shell: Shell) -> None:
    shell.answer("storage message peek", fails=9)
    ended = shell.run("postprovision")
    assert ended.returncode == 1
    assert "Storage Queue Data Contributor" in ended.stderr


def test_a_private_storage_account_is_not_asked_from_outside(shell: Shell) -> None:
    shell.answer("storage account show", "Disabled\n")
    assert shell.run("postprovision").returncode == 0
    assert "message peek" not in shell.calls


@pytest.mark.parametrize(("given", "cap"), [("", "1000"), ("-1", "1000"), ("5", "5")])
def test_the_component_has_the_cap_of_the_workspace(shell: Shell, given: str, cap: str) -> None:
    shell.answer("resource list", "appi-agentmeter-dev\n")
    assert shell.run("postprovision", DAILY_CAP_GB=given).returncode == 0
    assert f"--app appi-agentmeter-dev -g rg-agentmeter-dev --cap {cap} " in shell.calls


def test_after_a_deployment_the_first_event_is_a_line_to_copy(shell: Shell) -> None:
    ended = shell.run("postdeploy")
    assert ended.returncode == 0
    assert "/config/configreferences/appsettings/refresh?api-version=" in shell.calls
    assert f'curl -s "{ENVIRONMENT["AGENTMETER_URL"]}/api/events"' in ended.stdout


def test_after_a_deployment_the_doctor_runs_with_the_key(shell: Shell) -> None:
    shell.answer("doctor", fails=1)
    ended = shell.run("postdeploy")
    assert ended.returncode == 0
    assert shell.calls.index("az functionapp keys list") < shell.calls.index("ops doctor")
    assert "run it again" in ended.stderr


def test_a_key_that_cannot_be_read_fails_no_deployment(shell: Shell) -> None:
    shell.answer("functionapp keys list", fails=1)
    ended = shell.run("postdeploy")
    assert ended.returncode == 0
    assert "doctor was not run" in ended.stderr
    assert "ops doctor" not in shell.calls


@pytest.mark.parametrize("given", ["APP_SUBNET_ID", "ENDPOINT_SUBNET_ID"])
def test_half_a_network_is_refused_with_the_remedy(shell: Shell, given: str) -> None:
    ended = shell.run("preprovision", PRIVATE_NETWORK="true", **{given: "/subscriptions/s"})
    assert ended.returncode == 1
    assert "APP_SUBNET_ID and ENDPOINT_SUBNET_ID go together" in ended.stderr
    both = {"APP_SUBNET_ID": "/subscriptions/a", "ENDPOINT_SUBNET_ID": "/subscriptions/b"}
    assert shell.run("preprovision", PRIVATE_NETWORK="true", **both).returncode == 0


def test_who_hears_of_silence_is_asked_once(shell: Shell) -> None:
    ended = shell.run("preprovision", "me@example.com\n", ASK_ANYHOW="1")
    assert ended.returncode == 0
    assert 'azd env set WATCH_EMAILS ["me@example.com"]' in shell.calls
    again = shell.run("preprovision", ASK_ANYHOW="1", WATCH_EMAILS='["me@example.com"]')
    assert "Who gets" not in again.stdout


def test_without_a_terminal_no_one_is_asked_and_that_is_said(shell: Shell) -> None:
    ended = shell.run("preprovision")
    assert ended.returncode == 0
    assert "azd env set WATCH_EMAILS" in ended.stderr
    assert shell.run("preprovision", WATCH_EMAILS="[]").stderr == ""


def test_a_secret_is_rotated_by_the_lines_of_the_docs(shell: Shell, tmp_path: Path) -> None:
    page = (INFRA.parent / "docs" / "security.md").read_text(encoding="utf-8")
    (lines,) = [block for block in FENCED.findall(page) if "keyvault" in block]
    script = tmp_path / "rotate.sh"
    script.write_text(f"set -e\n{lines}", encoding="utf-8")
    names = {"AZURE_KEY_VAULT_NAME": "kv", "OLD": "old key", "NEW": "new key"}
    assert shell.run_file(script, **names).returncode == 0
    assert shell.calls.splitlines() == [
        "az keyvault secret set --vault-name kv --name PAGERDUTY-CRITICAL-KEY-OLD"
        " --value old key -o none",
        "az keyvault secret set --vault-name kv --name PAGERDUTY-CRITICAL-KEY"
        " --value new key -o none",
        "az functionapp restart -g rg-agentmeter-dev -n func-agentmeter-dev-abc",
    ]


def test_a_component_that_was_there_keeps_its_cap(shell: Shell) -> None:
    ended = shell.run("postprovision")
    assert ended.returncode == 0
    assert "billing update" not in shell.calls


def test_every_hook_is_called_by_azd() -> None:
    text = (INFRA.parent / "azure.yaml").read_text(encoding="utf-8")
    for hook in INFRA.glob("hooks/*.sh"):
        assert f"  {hook.stem}: {{ shell: sh, run: infra/hooks/{hook.name}" in text
