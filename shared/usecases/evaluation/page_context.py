"""Leads from a page back to its traces: that of its decision, and those of what it is about."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import cast

from shared.alerting.page import Page
from shared.alerting.rule import Look, Rule, bind
from shared.errors import AgentmeterError
from shared.events.columns import COLUMNS
from shared.invocation import trace_id
from shared.ports import UsageLog

TRACES_SHOWN = 3
PAGES_ASKED_FOR = 5
"""Of a rule in a tick: each costs a query, and a minute is short."""
TEXTS = {column.name for column in COLUMNS if column.type == "string"}
SOURCE, SUMMARY = "UsageEvents\n", "\n| summarize "


def traced(pages: Sequence[Page], rule: Rule, log: UsageLog, at: datetime) -> Iterator[Page]:
    """Yield the pages with `trace_id` and `event_traces` among their details, where there are any.

    at: the planned time that they were decided at. trace_id: of the tick that decided.
    event_traces: of the latest events that the rule looked at, three at most. A log that does not
    answer costs a page nothing but them.
    """
    for number, page in enumerate(map(decided_here, pages)):
        if page.action == "trigger" and number < PAGES_ASKED_FOR:
            traces = _of_events(_details(page), rule, log, at)
            yield _with(page, {"event_traces": traces} if traces else {})
        else:
            yield page


def decided_here(page: Page) -> Page:
    """Return the page with the trace of the tick that runs, if one does."""
    own = trace_id()
    return _with(page, {"trace_id": own} if own else {})


def traces_of(page: Page) -> Mapping[str, str]:
    """Return what the page knows of traces, as texts for the row of its delivery."""
    details = _details(page)
    events = ",".join(cast("Sequence[str]", details.get("event_traces", ())))
    found = {"decided_in": str(details.get("trace_id", "")), "event_traces": events}
    return {name: value for name, value in found.items() if value}


def _details(page: Page) -> Mapping[str, object]:
    return cast("Mapping[str, object]", page.body.get("custom_details", {}))


def _with(page: Page, found: Mapping[str, object]) -> Page:
    return replace(page, body={**page.body, "custom_details": {**_details(page), **found}})


def _of_events(details: Mapping[str, object], rule: Rule, log: UsageLog, at: datetime) -> list[str]:
    """Ask for the traces of the events in the look's window."""
    look = next(look for look in rule.looks if look.name == details["look"])
    labels = cast("Mapping[str, str]", details["labels"])
    end = at - look.offset
    start = end - look.window
    kql = samples_kql(look, labels)
    try:
        table = log.query(bind(kql, start, end, look.calendar), start, end) if kql else None
    except AgentmeterError:
        return []
    if table is None or "OperationId" not in table.columns:
        return []
    place = table.columns.index("OperationId")
    return [str(row[place]) for row in table.rows[:TRACES_SHOWN]]


def samples_kql(look: Look, labels: Mapping[str, str]) -> str:
    """Return what asks for the traces of the events that the look sums up, "" where its query is
    not UsageEvents, filtered, then summarized.

    labels: of the series, by which it is narrowed where they are columns.
    """
    head, summarized, _ = look.query.strip().partition(SUMMARY)
    if not summarized or not head.startswith(SOURCE):
        return ""
    filters = _narrowed(labels)
    latest = (
        "| where isnotempty(OperationId)",
        "| summarize Seen = max(TimeGenerated) by OperationId",
        f"| top {TRACES_SHOWN} by Seen desc",
    )
    return "\n".join((head, *filters, *latest))


def _narrowed(labels: Mapping[str, str]) -> Iterator[str]:
    for name, value in labels.items():
        if name in TEXTS:
            yield f"| where {name} == {json.dumps(value)}"
