"""Each secret that docs/security.md says how to rotate, rotated on a stack that runs."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from tests.factories import event
from tests.fakes import START, FakeClock
from tests.journeys.laptop import TIMEOUT_S, Laptop, laptop, minutes
from tests.loopback import Loopback, Reply, Request, loopback

OLD, NEW = "0" * 31 + "a", "1" * 31 + "b"
HOSTS = {OLD: "127.0.0.1", NEW: "localhost"}
ROUTES = """
meta = "rest"
accept_log_as_meta = true
[receivers.pager]
severities = ["critical"]
notifier = "pagerduty"
key = "PAGERDUTY_CRITICAL_KEY"
[receivers.hook]
severities = ["warning"]
notifier = "webhook"
url = "WEBHOOK_URL"
key = "WEBHOOK_SECRET"
[receivers.chat]
severities = ["error"]
notifier = "slack"
key = "SLACK_WEBHOOK_URL"
[receivers.team]
severities = ["info"]
notifier = "teams"
key = "RECEIVER_TEAM"
[receivers.rest]
severities = []
notifier = "log"
"""
RULE = """
name = "Trouble"
group = "g"
severity = "%s"
window = "PT4M"
condition = "> 0"
no_data = "ok"
summary = "trouble"
runbook = "docs/runbooks/HighErrorRate.md"
query = '''
UsageEvents | where TimeGenerated >= {start} and TimeGenerated < {end} and Name == "error"
| summarize value = count()'''
"""


@pytest.fixture
def config(tmp_path: Path) -> str:
    folder = tmp_path / "config"
    (folder / "rules").mkdir(parents=True)
    (folder / "prices.toml").write_text("trusted_providers = []", encoding="utf-8")
    (folder / "routes.toml").write_text(ROUTES, encoding="utf-8")
    for severity in ("critical", "warning", "error", "info"):
        (folder / "rules" / f"{severity}.toml").write_text(RULE % severity, encoding="utf-8")
    return str(folder)


def settings(outside: Loopback, config: str, value: str) -> dict[str, str]:
    """Return every secret that holds this value, or an address that ends with it."""
    return {
        "AGENTMETER_CONFIG": config,
        "PAGERDUTY_URL": pagerduty(outside, value),
        "PAGERDUTY_CRITICAL_KEY": value,
        "WEBHOOK_URL": f"{outside.url}/hook/{value}",
        "WEBHOOK_SECRET": f"secret-{value}",
        "SLACK_WEBHOOK_URL": f"{outside.url}/chat/{value}",
        "RECEIVER_TEAM": f"{outside.url}/team/{value}",
        "HEARTBEAT_URL": f"{outside.url}/beat/{value}",
        "METRICS_TOKEN": f"token-{value}",
    }


def pagerduty(outside: Loopback, value: str) -> str:
    """Return PagerDuty's address of the account that has this key: the new one is another."""
    return outside.url.replace("127.0.0.1", HOSTS[value])


def trouble(box: Laptop) -> None:
    """Send an error, and let three minutes pass, in which it is paged."""
    at = box.clock.now() + timedelta(seconds=30)
    box.post([{**event("error"), "id": at.isoformat(), "time": at.isoformat()}])
    calm(box, 3)


def calm(box: Laptop, count: int) -> None:
    for at in minutes(box.clock.now(), count):
        box.tick(at)


def heard(calls: list[Request], newest: str) -> set[tuple[str, str, str]]:
    """Return which receiver heard what, by which of both values, and forget the calls.

    newest: what webhooks are signed with.
    """
    found: set[tuple[str, str, str]] = set()
    for call in calls:
        if call.path == "/v2/enqueue":
            said = call.json()
            assert call.headers["host"].startswith(HOSTS[said["routing_key"]])
            found.add(("pager", said["event_action"], said["routing_key"]))
        elif call.path.startswith("/hook/"):
            assert call.headers["x-agentmeter-signature"] == signature(call, newest)
            found.add(("hook", call.json()["action"], call.path.rpartition("/")[2]))
        elif call.path.startswith(("/chat/", "/team/", "/beat/")):
            _, kind, value = call.path.split("/")
            found.add((kind, "", value))
    calls.clear()
    return found


def signature(call: Request, value: str) -> str:
    """Return what the secret signs the call with."""
    seconds = call.headers["x-agentmeter-signature"].partition(",")[0].removeprefix("t=")
    signed = hmac.new(
        f"secret-{value}".encode(), f"{seconds}.".encode() + call.body, hashlib.sha256
    )
    return f"t={seconds},v1={signed.hexdigest()}"


def opens(box: Laptop, token: str) -> bool:
    """Tell whether a scraper with that token is let in."""
    headers = {"authorization": f"Bearer {token}"}
    url = f"{box.stack.app_url}/metrics"
    return box.http.get(url, headers=headers, timeout=TIMEOUT_S).status_code == 200


def old_ones(rotated: Mapping[str, str]) -> dict[str, str]:
    """Return the settings that docs/security.md keeps beside the new ones."""
    named = ("PAGERDUTY_CRITICAL_KEY", "WEBHOOK_URL", "METRICS_TOKEN")
    return {f"{name}_OLD": rotated[name] for name in named}


@pytest.mark.slow
def test_each_secret_is_rotated_and_no_page_is_lost(tmp_path: Path, config: str) -> None:
    clock, home = FakeClock(START), tmp_path / "home"
    with loopback(lambda _: Reply(202)) as outside:
        calls = outside.received
        before = settings(outside, config, OLD)
        with laptop(home, clock, **before) as box:
            trouble(box)
            plain = {("chat", ""), ("team", ""), ("beat", "")}
            receivers = {("pager", "trigger"), ("hook", "trigger"), *plain}
            assert heard(calls, OLD) == {(*one, OLD) for one in receivers}
            assert (opens(box, f"token-{OLD}"), opens(box, f"token-{NEW}")) == (True, False)

        after = settings(outside, config, NEW) | old_ones(before)
        with laptop(home, clock, **after) as box:
            calm(box, 5)
            closed = {("pager", "resolve", OLD), ("hook", "resolve", OLD)}
            assert heard(calls, NEW) == {*closed, *((*one, NEW) for one in plain)}
            trouble(box)
            assert heard(calls, NEW) == {(*one, NEW) for one in receivers}
            assert (opens(box, f"token-{OLD}"), opens(box, f"token-{NEW}")) == (True, True)

        with laptop(home, clock, **settings(outside, config, NEW)) as box:
            calm(box, 5)
            ends = {("pager", "resolve"), ("hook", "resolve"), *plain}
            assert heard(calls, NEW) == {(*one, NEW) for one in ends}
            assert not opens(box, f"token-{OLD}")
