"""A log that is asked each question once, however many rules have it."""

from datetime import datetime
from threading import Lock

from shared.ports import Table, UsageLog

Question = tuple[str, datetime, datetime]


class AskedOnce:
    """Remembers answers for as long as it lives, and no failure; fits ports.UsageLog.

    Two that ask the same at once wait for one answer: the thresholds of a budget differ in what
    they make of its spend alone, which takes a while to add up.
    """

    def __init__(self, log: UsageLog) -> None:
        self._log = log
        self._lock = Lock()
        self._asking: dict[Question, Lock] = {}
        self._answers: dict[Question, Table] = {}

    def query(self, kql: str, start: datetime, end: datetime) -> Table:
        """Return the answer there is, or ask. Raises as the log does."""
        question = (kql, start, end)
        with self._lock:
            asking = self._asking.setdefault(question, Lock())
        with asking:
            if question not in self._answers:
                self._answers[question] = self._log.query(kql, start, end)
            return self._answers[question]
