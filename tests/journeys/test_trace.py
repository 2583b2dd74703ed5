"""One POST, followed by its trace id to its events, its alert and its page; no secret is told."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared import logs
from shared.clock import SystemClock
from shared.invocation import Span
from tests.factories import event
from tests.fakes import FakeClock
from tests.journeys.laptop import TIMEOUT_S, Laptop, laptop, minutes, small_config

POSTED = Span("5f" * 16, "7a" * 8)
"""The trace that the agent sends along."""
RULE = """\
name = "Trouble"
group = "tests"
severity = "critical"
window = "PT5M"
condition = "> 2"
summary = "{value:.0f} errors of {Component}"
runbook = "docs/runbooks/HighErrorRate.md"
query = '''
UsageEvents
| where TimeGenerated >= {start} and TimeGenerated < {end}
| where Name == "error"
| summarize value = sum(Count) by Component
'''
"""


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Laptop]:
    config = small_config(tmp_path / "config", "")
    (tmp_path / "config" / "rules" / "Trouble.toml").write_text(RULE, encoding="utf-8")
    clock = FakeClock(SystemClock().now().replace(second=0, microsecond=0))
    logs.set_up("INFO")
    with laptop(tmp_path / "home", clock, AGENTMETER_CONFIG=config) as running:
        yield running
    for name in logs.PACKAGES:
        own = logging.getLogger(name)
        own.handlers.clear()
        own.propagate = True
        own.setLevel(logging.NOTSET)


def post(box: Laptop, *events: dict[str, Any]) -> None:
    headers = {"x-functions-key": box.stack.places.key(), "traceparent": POSTED.traceparent}
    url = f"{box.stack.app_url}/api/events"
    answer = box.http.post(url, json=events, headers=headers, timeout=TIMEOUT_S)
    assert answer.status_code == 207, answer.text
    box.stack.host.drain()


def in_trouble(box: Laptop) -> None:
    """Post errors, and let them page."""
    at = box.clock.now()
    stated = [event("error", n, component="planner") for n in range(3)]
    post(box, *({**one, "time": at.isoformat()} for one in stated), event(status=None))
    for moment in minutes(at, 3):
        box.tick(moment)


def test_a_post_is_followed_to_its_page_and_back(box: Laptop) -> None:
    in_trouble(box)
    trace = f'| where OperationId == "{POSTED.trace_id}" '

    ((name, code, span, parent),) = box.query(
        f"AppRequests {trace} | project Name, ResultCode, Id, ParentId"
    )
    assert (name, code, parent) == ("post_events", "207", POSTED.span_id)

    work = box.query(
        f'AppDependencies {trace} | where Name == "process_events" | project Id, ParentId, '
        "Success, DependencyType, tostring(Properties.invocation_trace_id)"
    )
    ((work_span, work_parent, *rest, host_trace),) = work
    assert (work_parent, rest) == (span, [True, "InProc"])
    sent = box.query(
        f'AppDependencies {trace} | where Name == "POST /v2.1/track" '
        "| summarize count() by ParentId, ResultCode, DependencyType, Success"
    )
    assert sent == [[work_span, "200", "HTTP", True, 1]]
    assert box.query(
        f'AppRequests | where OperationId == "{host_trace}" | project Name, Success'
    ) == [["process_events", True]]

    events = box.query(f"UsageEvents {trace} | project Name, ParentId")
    assert events == [["error", span]] * 3

    (incident,) = [one for one in box.incidents() if "planner" in one.summary]
    pages = box.query(
        f'AppDependencies | where tostring(Properties.event_traces) has "{POSTED.trace_id}" '
        "| project Name, ResultCode, OperationId, tostring(Properties.dedup_key), "
        "tostring(Properties.decided_in)"
    )
    ((called, status, tick, dedup_key, decided_in),) = pages
    assert (called, status, dedup_key) == ("POST /v2/enqueue", "202", incident.dedup_key)
    assert tick == decided_in
    assert box.query(f'AppRequests | where OperationId == "{tick}" | project Name') == [
        ["evaluate_alerts"]
    ]
    asked = box.query(
        f'AppDependencies | where OperationId == "{tick}" and Name has "query" '
        "| summarize count() by tostring(Properties.rule), Success"
    )
    assert {rule for rule, *_ in asked} >= {"HighErrorRate/critical", "Trouble/critical"}
    assert all(succeeded for _, succeeded, _ in asked)

    (page,) = [one for one in sent_pages(box) if "planner" in one["payload"]["summary"]]
    details = page["payload"]["custom_details"]
    assert details["event_traces"] == [POSTED.trace_id]
    assert details["trace_id"] == tick


def test_all_log_lines_are_json_of_their_invocation_and_one_for_each_outcome(box: Laptop) -> None:
    in_trouble(box)
    lines = box.query(
        "AppTraces | join kind=inner AppRequests on OperationId "
        "| project Message, Name, Id, tostring(Properties.InvocationId)"
    )
    written = [(json.loads(message), name, invocation) for message, name, _, invocation in lines]
    for line, name, invocation in written:
        assert (line["function"], line["invocation_id"]) == (name, invocation)
    by_function = {
        name: [line for line, of, _ in written if of == name]
        for name in {name for _, name, _ in written}
    }
    (taken,) = by_function["post_events"]
    assert (taken["accepted"], taken["refused"]) == (3, 1)
    assert taken["trace_id"] == POSTED.trace_id
    (done,) = [line for line in by_function["process_events"] if line.get("exported")]
    assert (done["exported"], done["duplicates"], done["trace_id"]) == (3, 0, POSTED.trace_id)
    paged = [line for line in by_function["evaluate_alerts"] if "was taken by" in line["message"]]
    assert len(paged) == 1


def test_nothing_is_reported_of_the_exporters_own_requests(box: Laptop) -> None:
    in_trouble(box)
    before = box.query("AppDependencies | count")
    box.stack.host.insights.flush()
    assert box.query("AppDependencies | count") == before
    assert box.query('AppTraces | where Message has "v2.1/track" | count') == [[0]]


def test_no_secret_is_in_a_log_a_row_or_a_page(
    box: Laptop, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    in_trouble(box)
    box.get("/api/alerts")
    box.get("/metrics")
    tables = ("AppTraces", "AppRequests", "AppDependencies", "AppExceptions", "AppEvents")
    rows = [json.dumps(box.query(table)) for table in tables]
    out, err = capfd.readouterr()
    pages = [json.dumps(page) for page in sent_pages(box)]
    said = "\n".join((caplog.text, out, err, *rows, *pages))
    assert "planner" in said
    for setting in ("PAGERDUTY_CRITICAL_KEY", "PAGERDUTY_WARNING_KEY", "PAGERDUTY_DEFAULT_KEY"):
        assert box.stack.settings[setting] not in said
    assert box.stack.places.key() not in said
    assert box.stack.settings["APPLICATIONINSIGHTS_CONNECTION_STRING"] not in said


def sent_pages(box: Laptop) -> list[dict[str, Any]]:
    """Return what the pager was sent, without the keys that it was sent with."""
    events = box.http.get(f"{box.stack.pagerduty_url}/events", timeout=TIMEOUT_S).json()
    return [{**event["payload"], "routing_key": ""} for event in events]
