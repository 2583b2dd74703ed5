"""Sends the pages that are due, one attempt each, and never gives one up that may yet be taken."""

import logging
import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from shared.alerting.chronicle import delivery
from shared.alerting.outgoing import PER_MINUTE, needless, paced, rested
from shared.alerting.page import Accepted, Dead, Delivery, Dropped, Later, Page
from shared.clock import Clock
from shared.invocation import about, carried
from shared.ports import AlertStore, Notifier
from shared.usecases.evaluation.page_context import traces_of

MOST_AT_ONCE = PER_MINUTE
SENT_AT_ONCE = 4
FAILURES_BORNE = 8
"""After so many failures of a road in a run, its other pages wait for the next run."""
LEASE = timedelta(minutes=3)
"""Longer than an attempt and what went before it in its tick; a page whose sender vanished waits
for so long."""
WAITS_S = (5, 15, 30, 60)
"""A page that waits longer keeps a person in the dark after the other side is well again."""
STALE = timedelta(hours=1)
"""A change event that nobody took for so long is of no use."""
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
        return self._count(Later)

    @property
    def dead(self) -> int:
        """Count the pages that nobody will take."""
        return self._count(Dead)

    def _count(self, outcome: type[Later | Dead]) -> int:
        """Count pages that somebody waits for."""
        pages = (item for item in self.attempts if item.page.action != "change")
        return sum(isinstance(item.outcome, outcome) for item in pages)


@dataclass(frozen=True)
class Deliver:
    """Empties the outbox.

    notifiers: by the receiver's name in config/routes.toml. clock: dates each attempt in the
        history; without one, the moment of the run does.
    """

    alerts: AlertStore
    notifiers: Mapping[str, Notifier]
    clock: Clock | None = None

    def run(self, now: datetime) -> DeliveryReport:
        """Try each page that is due once, the oldest of each incident.

        However many do this at once, a page is tried by one of them at a time. One of a receiver
        that is no more waits, and says so, until there is one again.
        Raises:
            RetryLater: the store does not answer. What was sent may be sent once more.
        """
        if not self.alerts.due(now, 1):
            return DeliveryReport(())
        token = secrets.token_hex(8)
        dropped = [
            attempt
            for page in needless(self.alerts.waiting())
            if (attempt := self._attempt(page, token, now, _not_needed))
        ]
        failures = Counter[str]()
        with ThreadPoolExecutor(SENT_AT_ONCE) as pool:
            work = partial(self._send, token=token, now=now, failures=failures)
            made = [attempt for attempt in pool.map(carried(work), self._going(now)) if attempt]
        return DeliveryReport((*dropped, *made))

    def _going(self, now: datetime) -> list[Page]:
        """Return the pages that go out in this run."""
        settled = self.alerts.history(2 * PER_MINUTE)
        pages = rested(self.alerts.due(now, MOST_AT_ONCE), settled, now)
        return paced(pages, self.alerts.waiting(), settled, self._road, now)

    def _road(self, page: Page) -> str:
        """Return the first receiver that has the notifier of this page's."""
        notifier = self.notifiers.get(page.route)
        return next((n for n, item in self.notifiers.items() if item is notifier), page.route)

    def _send(
        self, page: Page, token: str, now: datetime, failures: Counter[str]
    ) -> Attempt | None:
        """Make one attempt on the page's own road; none where the road is blocked.

        failures: counts those of this run by road; without an end to them, a run would last longer
        than the minute until the next.
        """
        road = self._road(page)
        if failures[road] >= FAILURES_BORNE:
            return None
        attempt = self._attempt(page, token, now, self._notify)
        if attempt and isinstance(attempt.outcome, Later):
            failures[road] += 1
        return attempt

    def _attempt(
        self, page: Page, token: str, now: datetime, act: Callable[[Page], Delivery]
    ) -> Attempt | None:
        """Take the page, do it and note what came of it; None where somebody else has it."""
        taken = self.alerts.lease(page, token, now, now + LEASE)
        if taken is None:
            return None
        keys = {"rule": page.rule, "page": page.id, "dedup_key": page.dedup_key}
        with about(**keys, action=page.action, **traces_of(page)):
            outcome = act(taken)
        attempt = Attempt(taken, outcome, _next_at(taken, outcome, now))
        at = self.clock.now() if self.clock else now
        self.alerts.settle(taken, outcome, attempt.next_at, delivery(taken, outcome, at))
        _log(attempt)
        return attempt

    def _notify(self, page: Page) -> Delivery:
        """Hand the page to its notifier."""
        if page.action == "change" and (page.tried_at or page.created_at) > page.created_at + STALE:
            return Dropped("nobody took the change event")
        notifier = self.notifiers.get(page.route)
        if notifier is None:
            return Later(f"No receiver is named {page.route}. Put it back into config/routes.toml.")
        return notifier.send(page)


def _not_needed(page: Page) -> Delivery:
    """Say why a page is not sent of whose incident nobody has heard."""
    return Dropped("resolved before notified")


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
    elif isinstance(outcome, Dropped):
        logger.info("%s of %s was not sent to %s: %s", *said, outcome.reason)
    else:
        logger.error("%s of %s will never be taken by %s: %s", *said, outcome.why)
