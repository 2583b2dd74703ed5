"""Links below a page: its runbook, its query in the portal, and where it can be silenced."""

import base64
import gzip
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from shared.alerting.about import About
from shared.alerting.evidence import Evidence
from shared.clouds import PUBLIC

LOGS = "#blade/Microsoft_Azure_Monitoring_Logs/LogsBlade"
LONGEST = 4000
"""Browsers and pagers cut longer addresses."""


@dataclass(frozen=True, slots=True)
class PageLinks:
    """Makes the links that the settings allow; an about.Links.

    runbooks: the address of the folder that holds docs/. workspace: its resource id.
    silences: the address of a page that silences, where `{labels}` becomes `name=value&...`.
    Each may be "": without that link. portal: the address of Azure's portal.
    """

    runbooks: str = ""
    workspace: str = ""
    silences: str = ""
    portal: str = PUBLIC.portal

    def __call__(self, about: About) -> Sequence[Mapping[str, str]]:
        """Return the links, those first that are wanted first."""
        return [{"text": text, "href": href} for text, href in self._links(about) if href]

    def _links(self, about: About) -> Iterator[tuple[str, str]]:
        yield "Runbook", self._runbook(about.rule.runbook)
        if about.found and about.rule.group != "agentmeter":
            yield "Query in the portal", self._query(about.found)
        labels = {"alertname": about.rule.name, "severity": about.rule.severity}
        yield "Silence", self.silences.replace("{labels}", urlencode(labels))

    def _runbook(self, runbook: str) -> str:
        """Return the runbook's address, where it has one."""
        if "://" in runbook or not runbook:
            return runbook
        return f"{self.runbooks.rstrip('/')}/{runbook}" if self.runbooks else ""

    def _query(self, found: Evidence) -> str:
        """Return what opens the very query in the portal, with its own window."""
        packed = base64.b64encode(gzip.compress(found.query.encode(), mtime=0)).decode()
        span = f"{_iso(found.start)}/{_iso(found.end)}"
        place = f"{self.portal}/{LOGS}/resourceId/{quote(self.workspace, '')}"
        asked = f"source/LogsBlade.AnalyticsShareLinkToQuery/q/{quote(packed, '')}"
        href = f"{place}/{asked}/timespan/{quote(span, '')}"
        return href if self.workspace and len(href) <= LONGEST else ""


def _iso(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z"
