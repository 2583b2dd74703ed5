"""The way of events out of a process: memory, a thread of its own, the end of the process."""

from __future__ import annotations

import atexit
import logging
import os
import queue
import sys
import threading
import time
import weakref
from collections.abc import Mapping
from pathlib import Path

from agentmeter_client.active import ActiveAgents
from agentmeter_client.backlog import Backlog
from agentmeter_client.sender import Sender
from agentmeter_client.settings import Limits, Target
from agentmeter_client.spool import Spool
from agentmeter_client.stats import Stats
from agentmeter_client.transport import Transport

log = logging.getLogger("agentmeter_client")
_lines: weakref.WeakSet[Line] = weakref.WeakSet()


class Line:
    """Takes events at once and sends them behind the agent's back.

    A child made by fork() begins anew with an empty memory: its parent sends what it holds.
    """

    def __init__(
        self, target: Target, limits: Limits, spool: Path | None, data: Mapping[str, str]
    ) -> None:
        """data: the attribution of the counts of active agents."""
        self._target = target
        self._limits = limits
        self._spool_folder = spool
        self._who = data
        self._enough = min(limits.batch_events, max(1, limits.max_queue // 2))
        self._closed = False
        self._begin()
        if self._spool:
            self._spool.take_over()
        _lines.add(self)

    def _begin(self) -> None:
        """Make everything that must not be shared between processes."""
        self._lock = threading.RLock()
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._drops_logged = 0
        self.agents = ActiveAgents()
        self.backlog = Backlog(self._limits.max_queue)
        if self._closed:
            self.backlog.close()
        self._spool = self._open_spool()
        transport = Transport(self._target, self._limits.timeout_s)
        self._sender = Sender(self.backlog, transport, self._spool, self._limits)

    def put(
        self,
        source: str,
        kind: str,
        traceparent: str | None,
        who: Mapping[str, str],
        data: Mapping[str, object],
    ) -> None:
        """Take an event; never waits."""
        waiting = self.backlog.put(source, kind, traceparent, who, data)
        if self._thread is None and not self._closed:
            self._start()
        if waiting == self._enough:
            self._wake.put(None)

    def flush(self, timeout_s: float) -> bool:
        """Send what waits now; True once it is delivered, refused, or safe in the spool."""
        if self._closed:
            return not len(self.backlog) + self._sender.held
        self._track_active()
        number = self.backlog.recorded
        deadline = time.monotonic() + timeout_s
        self._sender.backoff.hurry()
        if self._thread is None:
            self._start()
        if self._thread is None:
            self._sender.round()
        self._wake.put(None)
        with self._sender.settled:
            while not self.backlog.settled(number):
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    return False
                self._sender.settled.wait(min(left_s, 0.5))
        return True

    def close(self, timeout_s: float) -> bool:
        """Flush, end the thread; what is left goes to the spool, or is counted as dropped."""
        if self._closed:
            return True
        deadline = time.monotonic() + timeout_s
        done = self.flush(timeout_s)
        self._closed = True
        self.backlog.close()
        self._stopping = True
        self._wake.put(None)
        if self._thread:
            self._thread.join(max(0.05, deadline - time.monotonic()))
        self._log_drops()
        if not done:
            self._save_the_rest()
        return done

    def shut(self) -> None:
        """Take no events at all."""
        self._closed = True
        self.backlog.close()

    def stats(self) -> Stats:
        """Return the counts so far."""
        sender, spool = self._sender, self._spool
        return Stats(
            recorded=self.backlog.recorded,
            sent=sender.sent,
            refused=sender.refused,
            dropped=self.backlog.dropped + (spool.dropped if spool else 0),
            waiting=len(self.backlog) + sender.held,
            spooled=spool.events if spool else 0,
            requests=sender.requests,
            failures=sender.failures,
            last_error=sender.last_error,
        )

    def forked(self) -> None:
        """Begin anew in a child."""
        self._begin()

    def _start(self) -> None:
        """Start the thread; one that cannot be started is tried again with the next event."""
        with self._lock:
            if self._thread is not None:
                return
            thread = threading.Thread(target=self._run, name="agentmeter", daemon=True)
            self._thread = thread
            try:
                thread.start()
            except RuntimeError:  # Python is ending, or the system has no more threads
                self._thread = None
                return
        _flush_at_the_end_of_a_worker(self)

    def _run(self) -> None:
        """Send until stopped; no error ends the thread."""
        sender = self._sender
        while not self._stopping:
            self._rest(sender.nap_s())
            try:
                self._track_active()
                self._log_drops()
                sender.round()
            except Exception:
                log.exception("agentmeter met an error of its own; it goes on.")
                sender.backoff.failed(None)
        sender.hang_up()

    def _rest(self, seconds: float) -> None:
        """Wait until woken, and take all the calls at once."""
        try:
            self._wake.get(timeout=seconds)
            while not self._wake.empty():
                self._wake.get_nowait()
        except queue.Empty:
            return

    def _track_active(self) -> None:
        """Record how many agents are at work, as seen from this process alone."""
        if self._closed:
            return
        for agent_type, number in self.agents.news():
            self.backlog.put(
                f"process-{self.backlog.line}",
                "agent.active",
                None,
                self._who,
                {"agent_type": agent_type, "value": number},
            )

    def _log_drops(self) -> None:
        """Say what was lost since it was last said."""
        dropped = self.backlog.dropped + (self._spool.dropped if self._spool else 0)
        if dropped > self._drops_logged:
            log.warning(
                "agentmeter dropped %d events for want of room.", dropped - self._drops_logged
            )
            self._drops_logged = dropped

    def _save_the_rest(self) -> None:
        """Write what no time was left for to the disk, or count it as lost."""
        sender = self._sender
        sender.collect_all()
        lost = sender.held
        if lost and not sender.put_aside():
            self.backlog.dropped += sender.give_up()
            log.warning("agentmeter lost %d events: the endpoint did not take them in time.", lost)

    def _open_spool(self) -> Spool | None:
        """Return the spool, None where there is none or the directory cannot be used."""
        if self._spool_folder is None:
            return None
        limits = self._limits
        try:
            return Spool(
                self._spool_folder, self.backlog.line, limits.spool_bytes, limits.batch_events
            )
        except OSError as exc:
            log.warning("agentmeter works without its spool directory: %s", exc)
            return None

    def at_exit(self) -> None:
        """Send what is left when the process ends, for as long as the limits say."""
        self.close(self._limits.exit_timeout_s)


def _flush_at_the_end_of_a_worker(line: Line) -> None:
    """Workers of multiprocessing end without atexit; they have a way of their own."""
    process = sys.modules.get("multiprocessing.process")
    util = sys.modules.get("multiprocessing.util")
    if process and util and process.parent_process() is not None:
        util.Finalize(None, line.at_exit, exitpriority=0)


def _at_exit() -> None:
    """Close every line that is open."""
    for line in list(_lines):
        line.at_exit()


def _after_fork() -> None:
    """Give the child lines of its own."""
    for line in list(_lines):
        line.forked()


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
