"""Adds context to a page: samples, contributors and links, and the traces that it is about."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import cast

from shared.alerting.about import About, Links
from shared.alerting.evidence import Evidence
from shared.alerting.page import Page
from shared.alerting.record import RuleRecord
from shared.alerting.rule import Condition, Rule, bind
from shared.errors import AgentmeterError
from shared.events.columns import COLUMNS
from shared.invocation import trace_id
from shared.ports import UsageLog

TRACES_SHOWN = 3
PAGES_ASKED_FOR = 5
"""Of a rule in a tick: each costs a query, and a minute is short."""
TEXTS = {column.name for column in COLUMNS if column.type == "string"}
SOURCE, SUMMARY = "UsageEvents\n", "\n| summarize "
CONTRIBUTORS_SHOWN = 10
Details = Mapping[str, object]


def traced(pages: Sequence[Page], rule: Rule, log: UsageLog, at: datetime) -> Iterator[Page]:
    """Yield the pages with `trace_id` and `event_traces` among their details, where there are any.

    at: the planned time that they were decided at. trace_id: of the tick that decided.
    event_traces: of the latest events that the rule read, three at most. A log that does not
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
    """Ask for the traces of the events in the condition's window."""
    condition = next(
        condition for condition in rule.conditions if condition.name == details["look"]
    )
    labels = cast("Mapping[str, str]", details["labels"])
    end = at - condition.offset
    start = end - condition.window
    kql = samples_kql(condition, labels)
    try:
        table = log.query(bind(kql, start, end, condition.calendar), start, end) if kql else None
    except AgentmeterError:
        return []
    if table is None or "OperationId" not in table.columns:
        return []
    place = table.columns.index("OperationId")
    return [str(row[place]) for row in table.rows[:TRACES_SHOWN]]


def samples_kql(condition: Condition, labels: Mapping[str, str]) -> str:
    """Return what asks for the traces of the events that the condition sums up, "" where its query
    is not UsageEvents, filtered, then summarized.

    labels: of the series, by which it is narrowed where they are columns.
    """
    head, summarized, _ = condition.query.strip().partition(SUMMARY)
    if not summarized or not head.startswith(SOURCE):
        return ""
    filters = narrowed(labels)
    latest = (
        "| where isnotempty(OperationId)",
        "| summarize Seen = max(TimeGenerated) by OperationId",
        f"| top {TRACES_SHOWN} by Seen desc",
    )
    return "\n".join((head, *filters, *latest))


def narrowed(labels: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines of KQL that keep the series, where its labels are columns."""
    for name, value in labels.items():
        if name in TEXTS:
            yield f"| where {name} == {json.dumps(value)}"


def with_facts(
    pages: Iterable[Page], rule: Rule, record: RuleRecord, log: UsageLog, links: Links
) -> Iterator[Page]:
    """Yield the pages, triggers with `samples` and `contributors` among their details, and `links`.

    A log that does not answer costs a page nothing but its contributors, and the page says so.
    """
    for page in pages:
        if page.action != "trigger":
            yield page
            continue
        details = cast("Details", page.body["custom_details"])
        labels = cast("Mapping[str, str]", details["labels"])
        found = next((item for item in record.looked if item.look == details["look"]), None)
        more = {**details, **_samples(found, labels), **_contributors(rule, found, labels, log)}
        linked = list(links(About(rule, labels, found)))
        yield replace(page, body={**page.body, "custom_details": more, "links": linked})


def _samples(found: Evidence | None, labels: Mapping[str, str]) -> Details:
    """Return how many samples the value is of, where the query says so."""
    rows = found.rows if found else ()
    row = next((row for row in rows if row.labels == labels), None)
    return {"samples": row.samples} if row and row.samples is not None else {}


def _contributors(
    rule: Rule, found: Evidence | None, labels: Mapping[str, str], log: UsageLog
) -> Details:
    """Return what makes up most of what is wrong, over the window that the condition read."""
    if not rule.contributors or not found:
        return {}
    kql = bind(rule.contributors, found.start, found.end, rule.calendar)
    try:
        table = log.query(kql, found.start, found.end)
    except AgentmeterError as exc:
        return {"contributors": f"unknown: {exc}"}
    rows = (dict(zip(table.columns, row, strict=True)) for row in table.rows)
    own = [row for row in rows if all(row.get(k, value) == value for k, value in labels.items())]
    return {"contributors": own[:CONTRIBUTORS_SHOWN]}
