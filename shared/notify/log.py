"""Writes pages to the log, for a receiver that pages no one."""

import json
import logging

from shared.alerting.page import Accepted, Answer, Page

logger = logging.getLogger(__name__)


class LogNotifier:
    """Writes each page to the log, as one JSON object; fits ladder.Receiving."""

    def send(self, page: Page) -> Answer:
        """Write the page down; this always succeeds."""
        said = {
            "page": page.action,
            "summary": page.summary,
            "severity": page.severity,
            "dedup_key": page.dedup_key,
            "route": page.route,
            "reason": page.reason,
            "details": page.body.get("custom_details"),
            "links": page.body.get("links"),
        }
        logger.warning("%s", json.dumps(said, default=str))
        return Accepted(200)
