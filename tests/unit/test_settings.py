import traceback

import pytest

from shared.errors import Misconfigured
from shared.setting_forms import OUTWARD
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


KEY = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize("around", ["\n", " ", "\r\n", "\t", "\ufeff", "\u200b \u2060"])
def test_space_around_a_value_is_none_of_it(around: str) -> None:
    settings = read(NEEDED | {"PAGERDUTY_CRITICAL_KEY": f"{around}{KEY}{around}"})
    assert settings.PAGERDUTY_CRITICAL_KEY.get_secret_value() == KEY
    assert settings.problems() == []


@pytest.mark.parametrize("name", ["AGENTMETER_LINK", "AGENTMETER_RUNBOOKS", "LOGS_RESOURCE_ID"])
@pytest.mark.parametrize("link", ["https//grafana.test/d", "grafana.test", "https:/grafana.test"])
def test_a_wrong_link_is_set_aside_and_named(name: str, link: str) -> None:
    settings = read(NEEDED | {name: link})
    assert getattr(settings, name) == ""
    (said,) = settings.problems()
    assert said.startswith(f"{name} is no link")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PAGERDUTY_CRITICAL_KEY", "hunter2"),
        ("PAGERDUTY_CRITICAL_KEY", f"{KEY}0"),
        ("PAGERDUTY_WARNING_KEY", f"{KEY[:16]} {KEY[17:]}"),
        ("METRICS_TOKEN", "hunter2 hunter2"),
        ("SLACK_WEBHOOK_URL", "hooks.slack.test/hunter2"),
        ("WEBHOOK_URL", "https//hunter2"),
        ("HEARTBEAT_URL", "hunter2"),
    ],
)
def test_a_secret_of_an_odd_form_is_named_and_kept(name: str, value: str) -> None:
    settings = read(NEEDED | {name: value})
    assert getattr(settings, name).get_secret_value() == value
    (said,) = settings.problems()
    assert said.startswith(f"{name} has an odd form")
    assert "hunter2" not in said


def test_a_value_that_is_no_text_is_made_one() -> None:
    assert read(NEEDED | {"LOGS_WORKSPACE_ID": "w\udcff"}).LOGS_WORKSPACE_ID == "w?"


@pytest.mark.parametrize("name", [*OUTWARD, "RECEIVER_OPS_TEAMS"])
def test_plain_http_to_others_is_not_called(name: str) -> None:
    given = {**NEEDED, name: "http://hooks.example/secret-path"}
    settings = read(given)
    assert str(given[name]) not in str(settings.problems())
    assert [said.partition(" ")[0] for said in settings.problems()] == [name]
    found = settings.model_extra or {}
    field = Settings.model_fields.get(name)
    assert getattr(settings, name, None) == (field.default if field else None)
    assert name not in found


@pytest.mark.parametrize(
    ("url", "more"),
    [
        ("http://127.0.0.1:1/secret-path", {}),
        ("http://localhost/secret-path", {}),
        ("https://hooks.example/secret-path", {}),
        ("http://hooks.example/secret-path", {"ALLOW_PLAIN_HTTP": "1"}),
    ],
)
def test_what_may_be_called_is(url: str, more: dict[str, str]) -> None:
    settings = read({**NEEDED, **more, "HEARTBEAT_URL": url})
    assert (settings.HEARTBEAT_URL.get_secret_value(), settings.problems()) == (url, [])
