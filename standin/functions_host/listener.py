"""Reads one queue with several threads, as Azure's queue listener does."""

import logging
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta

from shared.clock import Clock
from standin.functions_host.hostjson import HostOptions
from standin.functions_host.queues import LEASE, Message, Queues

FIRST_WAIT_S = 0.1
STOP_LIMIT_S = 10.0

log = logging.getLogger("agentmeter.host")


class Listener:
    """Leases batches while fewer than newBatchThreshold messages are at work."""

    def __init__(
        self,
        queue: str,
        queues: Queues,
        options: HostOptions,
        handle: Callable[[Message], None],
        clock: Clock,
    ) -> None:
        self._queue = queue
        self._queues = queues
        self._options = options
        self._handle = handle
        self._clock = clock
        self._running: dict[Future[None], Message] = {}
        self._renew_at = clock.now() + LEASE / 2
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._listen, name=f"queue-{queue}", daemon=True)
        self._pool = ThreadPoolExecutor(
            options.batch_size + options.new_batch_threshold, thread_name_prefix=queue
        )

    def start(self) -> None:
        """Begin to listen."""
        self._queues.listen(self._queue, self._wake)
        self._thread.start()

    def stop(self) -> None:
        """Lease no more; let messages at work end, for up to 10 s; give back the others."""
        self._stopping = True
        self._wake.set()
        self._thread.join()
        for future, message in self._running.items():
            if future.cancel():
                self._queues.release(message, 0)
        wait(self._running, timeout=STOP_LIMIT_S)
        self._pool.shutdown(wait=False)

    def _listen(self) -> None:
        wait_s = FIRST_WAIT_S
        while not self._stopping:
            # Cleared before the poll, so that a put during the poll ends the wait at once.
            self._wake.clear()
            if self._take():
                wait_s = FIRST_WAIT_S
            elif not self._stopping:
                self._wake.wait(wait_s)
                wait_s = min(wait_s * 2, self._options.max_polling_interval_s)

    def _take(self) -> bool:
        """Start a batch if there is room; return whether there was any message."""
        try:
            return self._lease()
        except sqlite3.Error as exc:
            log.warning("queue %s cannot be read, trying again: %s", self._queue, exc)
            return False

    def _lease(self) -> bool:
        self._running = {f: message for f, message in self._running.items() if not f.done()}
        self._renew()
        if len(self._running) > self._options.new_batch_threshold:
            return False
        batch = self._queues.lease(self._queue, self._options.batch_size)
        for message in batch:
            future = self._pool.submit(self._handle, message)
            self._running[future] = message
            future.add_done_callback(self._ended)
        return bool(batch)

    def _ended(self, future: Future[None]) -> None:
        """Make room known. A message that could not be settled comes again after its lease."""
        if not future.cancelled() and (exc := future.exception()):
            log.warning("queue %s: a message was not settled: %s", self._queue, exc)
        self._wake.set()

    def _renew(self) -> None:
        """Prolong the leases of all at work, at half of a lease's life."""
        if self._clock.now() < self._renew_at:
            return
        for message in self._running.values():
            self._queues.renew(message)
        self._renew_at = self._clock.now() + LEASE / 2 - timedelta(seconds=1)
