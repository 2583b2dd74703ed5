"""Sends the pages that are due, one attempt each, and never gives one up that may yet be taken."""

import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.alerting.page import Accepted, Dead, Delivery, Later, Page
from shared.ports import AlertStore, Notifier

MOST_AT_ONCE = 20
SENT_AT_ONCE = 4
WAITS_S = (5, 15, 30, 60)
"""A page that waits longer keeps a person in the dark after the other side is well again."""
LONGEST_ASKED_S = 3600
"""A longer Retry-After is cut to this, so that no odd header buries a page."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One page and what became of it. next_at: when it is tried again; now for a settled one."""

    page: Page
    outcome: Delivery
    next_at: datetime


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What became of the pages that were due."""

    attempts: tuple[Attempt, ...]

    @property
    def accepted(self) -> int:
        """Count the pages that were taken."""
        return sum(isinstance(item.outcome, Accepted) for item in self.attempts)

    @property
    def later(self) -> int:
        """Count the pages that wait on."""
        return sum(isinstance(item.outcome, Later) for item in self.attempts)

    @property
    def dead(self) -> int:
        """Count the pages that nobody will take."""
        return sum(isinstance(item.outcome, Dead) for item in self.attempts)


@dataclass(frozen=True)
class Deliver:
    """Empties the outbox. notifiers: by the receiver's name in config/routes.toml."""

    alerts: AlertStore
    notifiers: Mapping[str, Notifier]

    def run(self, now: datetime) -> DeliveryReport:
        """Try each page that is due once, the oldest of each incident.

        A page of a receiver that is no more waits, and says so, until there is one again.
        Raises:
            RetryLater: the store does not answer. What was sent may be sent once more.
        """
        pages = self.alerts.due(now, MOST_AT_ONCE)
        with ThreadPoolExecutor(SENT_AT_ONCE) as pool:
            outcomes = pool.map(self._send, pages)
            attempts = [
                Attempt(page, outcome, _next_at(page, outcome, now))
                for page, outcome in zip(pages, outcomes, strict=True)
            ]
        for attempt in attempts:
            self.alerts.settle(attempt.page, attempt.outcome, attempt.next_at)
            _log(attempt)
        return DeliveryReport(tuple(attempts))

    def _send(self, page: Page) -> Delivery:
        """Make one attempt on the page's own road."""
        notifier = self.notifiers.get(page.route)
        if notifier is None:
            return Later(f"No receiver is named {page.route}. Put it back into config/routes.toml.")
        return notifier.send(page)


def _next_at(page: Page, outcome: Delivery, now: datetime) -> datetime:
    """Return when to try again: when the other side asked for it, or later each time."""
    if not isinstance(outcome, Later):
        return now
    wait_s = outcome.retry_after_s
    if wait_s is None:
        wait_s = WAITS_S[min(page.attempts, len(WAITS_S) - 1)]
    return now + timedelta(seconds=min(wait_s, LONGEST_ASKED_S))


def _log(attempt: Attempt) -> None:
    """Say what was sent, and loudly what was not."""
    page, outcome = attempt.page, attempt.outcome
    said = (page.action, page.summary, page.route)
    if isinstance(outcome, Accepted):
        logger.info("%s of %s was taken by %s", *said)
    elif isinstance(outcome, Later):
        logger.warning("%s of %s waits for %s: %s", *said, outcome.why)
    else:
        logger.error("%s of %s will never be taken by %s: %s", *said, outcome.why)
