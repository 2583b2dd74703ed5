"""Examine a deployment by real calls, and say how to fix what is wrong.

On a laptop it examines the stack that `make run` started. Elsewhere sign in with `az login` and set
the outputs of the deployment (docs/deploy.md); what is not named is skipped, and said to be.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from functools import partial

from pydantic import SecretStr

from ops.console.command import Desk
from ops.console.moments import span
from ops.console.monitor import find_log
from ops.console.stack import Stack, declare_api, find_api, find_stack
from ops.doctor import app as doctor_app
from ops.doctor import azure as doctor_azure
from ops.doctor import metrics as doctor_metrics
from ops.doctor import pager as doctor_pager
from ops.doctor import storage as doctor_storage
from ops.doctor.finding import Check, Finding, examine, skipped
from shared.errors import Misconfigured
from shared.setting_forms import plain_outward
from shared.settings import Settings

EXAMPLES = """\
  bin/ops doctor
  bin/ops doctor --drill
  bin/ops doctor --url https://my-app.azurewebsites.net --json"""
KEYS = ("PAGERDUTY_DEFAULT_KEY", "PAGERDUTY_CRITICAL_KEY", "PAGERDUTY_WARNING_KEY")
MARKS = {"ok": "ok", "wrong": "WRONG", "skipped": "-"}


def declare(parser: ArgumentParser) -> None:
    """Add what to examine, and how long to wait."""
    declare_api(parser)
    parser.add_argument(
        "--wait",
        type=span,
        default=timedelta(minutes=5),
        metavar="SPAN",
        help="how long an event may take to be found; default: 5m",
    )
    parser.add_argument(
        "--drill", action="store_true", help="open and resolve an incident with each pager key"
    )


def run(given: Namespace, desk: Desk) -> int:
    """Make every check; exit 1 when something is wrong."""
    checks = _checks(given, desk)
    findings: list[Finding] = []
    with desk.terminal.progress("checks", len(checks)) as advance:
        for check in checks:
            findings.extend(examine(check))
            advance(1)
    if given.json:
        desk.terminal.json([asdict(finding) for finding in findings])
    else:
        rows = [(f.check, MARKS[f.outcome], f.said, f.mend) for f in findings]
        desk.terminal.table(("check", "", "what was found", "how to fix it"), rows)
    return 1 if any(finding.outcome == "wrong" for finding in findings) else 0


def _checks(given: Namespace, desk: Desk) -> Sequence[Check]:
    """Return the checks in the order in which their causes follow from each other.

    Raises:
        Misconfigured: nothing runs here, and the environment names nothing.
    """
    environment = desk.environment
    stack = _stack(given, environment)
    if not (stack or environment.get("LOGS_WORKSPACE_ID")):
        raise Misconfigured(
            "There is nothing to examine. Start the stack with `make run`, or set the outputs of "
            "the deployment: AGENTMETER_URL, LOGS_WORKSPACE_ID and the others (docs/deploy.md)."
        )
    api = find_api(given.url, given.key, environment)
    log = find_log(None if stack else environment["LOGS_WORKSPACE_ID"], environment)[1]
    app = doctor_app.App(api, log, environment.get("METRICS_TOKEN", ""))
    return [
        *_places(stack, environment),
        ("app", partial(doctor_app.health, app)),
        ("key", partial(doctor_app.key, app)),
        ("chunks", partial(doctor_app.chunks, app)),
        ("query", partial(doctor_app.query, app, desk.clock.now())),
        ("round trip", partial(doctor_app.round_trip, app, desk, given.wait)),
        ("metrics", partial(doctor_metrics.compared, app, desk, given.wait)),
        *_pager(stack, desk, drill=given.drill),
    ]


def _stack(given: Namespace, environment: Mapping[str, str]) -> Stack | None:
    """Return the laptop's stack, None where another deployment is named."""
    return None if given.url or environment.get("AGENTMETER_URL") else find_stack(environment)


def _places(stack: Stack | None, environment: Mapping[str, str]) -> Iterator[Check]:
    """Yield the checks of what the app stands on."""
    if stack:
        yield "queues", partial(doctor_storage.laptop, stack)
        return
    arm = doctor_azure.arm_of(environment)
    if arm:
        yield "settings", partial(doctor_azure.settings, arm)
        yield "functions", partial(doctor_azure.functions, arm)
        yield "roles", partial(doctor_azure.roles, arm)
    else:
        unnamed = doctor_storage.unnamed("settings, roles", " or ".join(doctor_azure.NAMES))
        yield "settings", lambda: [skipped(*unnamed)]
    yield "queues", partial(doctor_storage.account_queues, environment)
    yield "tables", partial(doctor_storage.account_tables, environment)


def _pager(stack: Stack | None, desk: Desk, *, drill: bool) -> Iterator[Check]:
    """Yield the checks of the pager; the laptop's takes any key of the right form."""
    local = "doctor".ljust(32, "0") if stack else ""
    named = {name: SecretStr(desk.environment.get(name) or local) for name in KEYS}
    yield "pager", partial(doctor_pager.keys, named)
    default: str = Settings.model_fields["PAGERDUTY_URL"].default
    named_url = desk.environment.get("PAGERDUTY_URL")
    if named_url and "PAGERDUTY_URL" in plain_outward(desk.environment):
        named_url = None  # as the app, which calls the default then
    url = stack.pagerduty_url if stack else named_url or default
    if drill:
        yield "drill", partial(doctor_pager.drill, url, named, desk)
