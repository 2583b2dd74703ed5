import traceback

import pytest

from shared.errors import Misconfigured
from shared.settings import Settings, read

NEEDED = {"APPLICATIONINSIGHTS_CONNECTION_STRING": "InstrumentationKey=x", "LOGS_WORKSPACE_ID": "w"}


def test_what_is_needed_is_enough() -> None:
    settings = read(NEEDED | {"UNRELATED": "x"})
    assert settings.BATCH_MAX_EVENTS == 1000


def test_every_problem_is_said_at_once_and_no_value() -> None:
    wrong = {
        "BATCH_MAX_EVENTS": "hunter2",
        "LOGS_ENDPOINT": "ftp://hunter2",
        "LOGS_WORKSPACE_ID": "",
    }
    with pytest.raises(Misconfigured) as caught:
        read(wrong)
    for name in (*wrong, "APPLICATIONINSIGHTS_CONNECTION_STRING"):
        assert name in str(caught.value)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_a_reference_to_a_secret_that_there_is_not_counts_as_absent() -> None:
    reference = "@Microsoft.KeyVault(VaultName=kv;SecretName=PAGERDUTY-CRITICAL-KEY)"
    settings = read(NEEDED | {"PAGERDUTY_CRITICAL_KEY": reference})
    assert settings.PAGERDUTY_CRITICAL_KEY.get_secret_value() == ""


def test_secrets_do_not_show() -> None:
    settings = read(NEEDED | {"PAGERDUTY_CRITICAL_KEY": "hunter2"})
    assert "hunter2" not in repr(settings)
    assert "InstrumentationKey" not in str(settings)


def test_every_setting_is_described() -> None:
    assert all(field.description for field in Settings.model_fields.values())
