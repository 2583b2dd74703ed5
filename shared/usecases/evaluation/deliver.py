"""Sends the pages that are due, one attempt each, and never gives one up that may yet be taken."""

import logging
import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from shared.alerting.chronicle import delivery
from shared.alerting.outgoing import PER_MINUTE, needless, paced, repaired_last, rested
from shared.alerting.page import Accepted, Delivery, Dropped, Later, Page
from shared.clock import Clock
from shared.errors import RetryLater
from shared.invocation import about, carried, failed
from shared.ports import Receivers
from shared.store_ports import AlertStore
from shared.usecases.evaluation.page_context import traces_of

MOST_SEEN = 10 * PER_MINUTE
"""Of pages that are due; a minute's worth goes out, those that wait for a repair last."""
SENT_AT_ONCE = 4
FAILURES_BORNE = 8
"""After so many failures of a destination in a run, its other pages wait for the next run."""
LEASE = timedelta(minutes=3)
"""Longer than an attempt and what went before it in its tick; a page whose sender vanished waits
for so long."""
WAITS_S = (5, 15, 30, 60)
"""A page that waits longer keeps a person in the dark after the other side is well again."""
STALE = timedelta(hours=1)
"""A change event that was refused for so long is of no use."""
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
        """Count the pages, change events left out, that wait on."""
        pages = (item for item in self.attempts if item.page.action != "change")
        return sum(isinstance(item.outcome, Later) for item in pages)


@dataclass(frozen=True)
class Deliver:
    """Empties the outbox.

    clock: dates each attempt in the history; without one, the moment of the run does.
    """

    alerts: AlertStore
    receivers: Receivers
    clock: Clock | None = None

    def run(self, now: datetime) -> DeliveryReport:
        """Try each page that is due once, the oldest of each incident.

        However many do this at once, a page is tried by one of them at a time. One of a receiver
        that is no more waits, and says so, until there is one again. A fault at one page stops no
        other.
        Raises:
            RetryLater: the store does not answer. What was sent may be sent once more.
        """
        if not self.alerts.due(now, 1):
            return DeliveryReport(())
        token = secrets.token_hex(8)
        drop = partial(self._attempt, token=token, now=now, act=_not_needed)
        send = partial(self._send, token=token, now=now, failures=Counter[str]())
        dropped = _each(needless(self.alerts.waiting()), drop)
        return DeliveryReport((*dropped, *_each(self._going(now), send)))

    def _going(self, now: datetime) -> list[Page]:
        """Return the pages that go out in this run."""
        settled = self.alerts.history(2 * PER_MINUTE)
        pages = rested(self.alerts.due(now, MOST_SEEN), settled, now)
        return paced(
            repaired_last(pages), self.alerts.waiting(), settled, self.receivers.destination, now
        )

    def _send(
        self, page: Page, token: str, now: datetime, failures: Counter[str]
    ) -> Attempt | None:
        """Make one attempt at the page's own destination; none where that is blocked.

        failures: counts those of this run by destination; without an end to them, a run would last
        longer than the minute until the next.
        """
        destination = self.receivers.destination(page)
        if failures[destination] >= FAILURES_BORNE:
            return None
        attempt = self._attempt(page, token, now, self._notify)
        if attempt and isinstance(attempt.outcome, Later):
            failures[destination] += 1
        return attempt

    def _attempt(
        self, page: Page, token: str, now: datetime, act: Callable[[Page], Delivery]
    ) -> Attempt | None:
        """Take the page, do it and note what came of it; None where another process has it."""
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
            return Dropped("no receiver accepted the change event")
        return self.receivers.notifier(page).send(page)


def _each(pages: Sequence[Page], work: Callable[[Page], Attempt | None]) -> list[Attempt]:
    """Do the work for every page, whatever becomes of the others.

    Raises:
        RetryLater: the store does not answer, which is no fault of a page.
    """
    with ThreadPoolExecutor(SENT_AT_ONCE) as pool:
        futures = [(page, pool.submit(carried(work), page)) for page in pages]
    for page, future in futures:
        exc = future.exception()
        if isinstance(exc, RetryLater):
            raise exc
        if exc:
            logger.error("%s of %s failed", page.action, page.id, exc_info=exc)
            failed(exc, rule=page.rule)
    made = (future.result() for _, future in futures if not future.exception())
    return [attempt for attempt in made if attempt]


def _not_needed(page: Page) -> Delivery:
    """Say why a page is not sent whose incident was never opened."""
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
