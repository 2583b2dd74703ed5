"""Brings events from memory to the endpoint, in batches, as often as it takes."""

from __future__ import annotations

import gzip
import logging
import threading
import time
from collections.abc import Sequence

from agentmeter_client.answer import Later, Refusal, Split, Taken
from agentmeter_client.backlog import Backlog
from agentmeter_client.backoff import Backoff
from agentmeter_client.event import Event, encode, join
from agentmeter_client.settings import Limits
from agentmeter_client.spool import Kept, Spool
from agentmeter_client.transport import Transport

log = logging.getLogger("agentmeter_client")
SAY_EVERY_S = 60.0
GZIP_LEVEL = 1


class Sender:
    """One round sends what it can; between rounds nothing runs. Used by one thread at a time.

    settled: notified when events have left memory.
    """

    def __init__(
        self, backlog: Backlog, transport: Transport, spool: Spool | None, limits: Limits
    ) -> None:
        self._backlog = backlog
        self._transport = transport
        self._spool = spool
        self._limits = limits
        self._held: list[bytes] = []
        self._said_at = float("-inf")
        self.settled = threading.Condition()
        self.backoff = Backoff(limits.backoff_s, limits.longest_backoff_s)
        self.sent = self.refused = self.spooled = self.requests = self.failures = 0
        self.last_error: str | None = None

    @property
    def held(self) -> int:
        """Return how many events were taken out of the backlog and wait for a repeat."""
        return len(self._held)

    def nap_s(self) -> float:
        """Return how long there is nothing to do, unless woken."""
        waits = self._held or (self._spool and self._spool.files)
        longest_s = self._limits.max_age_s
        return min(longest_s, self.backoff.wait_s()) if waits else longest_s

    def round(self) -> None:
        """Send all that waits; stop at the first failure, with the rest in memory or on disk."""
        while self._collect():
            if not self.backoff.wait_s():
                self._held = self._deliver(self._held)
                self._settle_if_empty()
            elif not self.put_aside():
                return
        while not self.backoff.wait_s() and self._spool and (kept := self._spool.oldest()):
            self._deliver_kept(self._spool, kept)
            if len(self._backlog):
                return

    def put_aside(self) -> bool:
        """Write what is held to the disk; False where there is none, or it is full."""
        if self._spool is None or not self._held:
            return False
        try:
            self._spool.keep(self._held)
        except OSError as exc:
            self._complain(f"the spool directory cannot be written ({type(exc).__name__})")
            return False
        self.spooled += len(self._held)
        self._held = []
        self._settle_if_empty()
        return True

    def collect_all(self) -> None:
        """Take everything out of the backlog, for the last time."""
        while events := self._backlog.take(self._limits.batch_events):
            self._held += self._encoded(events)

    def hang_up(self) -> None:
        """End the connection."""
        self._transport.close()

    def give_up(self) -> int:
        """Forget what is held; return how many events those were."""
        lost, self._held = len(self._held), []
        return lost

    def _collect(self) -> bool:
        """Hold the next batch, unless one is held; say whether there is one."""
        while not self._held and (events := self._backlog.take(self._limits.batch_events)):
            self._held = self._encoded(events)
            self._settle_if_empty()
        return bool(self._held)

    def _encoded(self, events: Sequence[Event]) -> list[bytes]:
        """Return the events as JSON; one that cannot be written does not stop its neighbours."""
        lines: list[bytes] = []
        for event in events:
            try:
                lines.append(encode(event))
            except (TypeError, ValueError, OverflowError, RecursionError) as exc:
                self._refuse(f"{event.kind} {event.id}: {exc}")
        return lines

    def _deliver(self, events: list[bytes]) -> list[bytes]:
        """Send the events; return those that must be sent again."""
        parts = _portions(events, self._limits.batch_bytes)
        while parts:
            verdict = self._post(parts[0])
            if isinstance(verdict, Later):
                self._put_off(verdict)
                return [event for part in parts for event in part]
            part = parts.pop(0)
            self._succeed()
            if isinstance(verdict, Taken):
                self._count(part, verdict.refused)
            elif len(part) > 1:
                parts[:0] = [part[: len(part) // 2], part[len(part) // 2 :]]
            else:
                self._refuse(verdict.why)
        return []

    def _deliver_kept(self, spool: Spool, kept: Kept) -> None:
        """Send a file of the spool, and forget it once every event is settled.

        After a failure in the middle the whole file is sent again: the API knows the repeats.
        """
        events = spool.read(kept)
        before = self.sent, self.refused
        if self._deliver(events):
            self.sent, self.refused = before
        else:
            spool.remove(kept)

    def _post(self, part: Sequence[bytes]) -> Taken | Split | Later:
        """Make one request."""
        self.requests += 1
        return self._transport.post(gzip.compress(join(part), GZIP_LEVEL))

    def _count(self, part: Sequence[bytes], refused: Sequence[Refusal]) -> None:
        """Count what was taken and say what was not."""
        named = [one for one in refused if 0 <= one.place < len(part)]
        self.sent += len(part) - len(named)
        self.refused += len(named)
        if named:
            self.last_error = named[0].error
            log.warning(
                "agentmeter refused %d of %d events; the first: %s",
                len(named),
                len(part),
                named[0].error,
            )

    def _refuse(self, why: str) -> None:
        """Give up one event that can never be sent."""
        self.refused += 1
        self.last_error = why
        log.warning("An event was not sent, and never can be: %s", why)

    def _put_off(self, verdict: Later) -> None:
        """Note a failure."""
        self.failures += 1
        self.backoff.failed(verdict.retry_after_s)
        wrong = "will not take events until this is fixed" if verdict.broken else "is not there"
        self._complain(f"the endpoint {wrong}: {verdict.why}")

    def _succeed(self) -> None:
        """End the waiting, and say so if it was said to have begun."""
        if self._said_at > float("-inf"):
            log.info("The agentmeter endpoint answers again.")
        self._said_at = float("-inf")
        self.backoff.succeeded()

    def _complain(self, what: str) -> None:
        """Log a failure, once a minute while it lasts."""
        self.last_error = what
        if time.monotonic() - self._said_at >= SAY_EVERY_S:
            self._said_at = time.monotonic()
            log.warning("agentmeter: %s. Events wait, and are sent again.", what)

    def _settle_if_empty(self) -> None:
        """Wake the callers that wait in flush()."""
        if not self._held:
            self._backlog.settle()
            with self.settled:
                self.settled.notify_all()


def _portions(events: Sequence[bytes], limit_bytes: int) -> list[list[bytes]]:
    """Cut a batch where a request would grow over the limit."""
    portions: list[list[bytes]] = [[]]
    size = 0
    for event in events:
        if portions[-1] and size + len(event) > limit_bytes:
            portions.append([])
            size = 0
        portions[-1].append(event)
        size += len(event)
    return portions if portions[-1] else []
