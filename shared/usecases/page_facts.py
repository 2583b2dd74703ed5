"""What helps whoever is woken: what stands out in the figures, and links to look further."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import cast

from shared.alerting.about import About, Links
from shared.alerting.evidence import Evidence
from shared.alerting.page import Page
from shared.alerting.record import RuleRecord
from shared.alerting.rule import Rule, bind
from shared.errors import AgentmeterError
from shared.ports import UsageLog

CONTRIBUTORS_SHOWN = 10
Details = Mapping[str, object]


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
    """Return what makes up most of what is wrong, over the window that the look read."""
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
