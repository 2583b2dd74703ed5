"""A log that is asked each question once, however many rules have it."""

from datetime import datetime
from threading import Lock

from shared.errors import AgentmeterError
from shared.ports import Table, UsageLog

Question = tuple[str, datetime, datetime]


class AskedOnce:
    """Remembers answers and failures for as long as it lives; fits ports.UsageLog.

    Two that ask the same at once wait for one answer: the thresholds of a budget differ in what
    they make of its spend alone, which takes a while to add up. A question that the log was silent
    about for half a minute must not hold up the next ten who have it.
    """

    def __init__(self, log: UsageLog) -> None:
        self._log = log
        self._lock = Lock()
        self._asking: dict[Question, Lock] = {}
        self._answers: dict[Question, Table | AgentmeterError] = {}

    def query(self, kql: str, start: datetime, end: datetime) -> Table:
        """Return the answer there is, or ask. Raises what the log raised."""
        question = (kql, start, end)
        with self._lock:
            asking = self._asking.setdefault(question, Lock())
        with asking:
            if question not in self._answers:
                self._answers[question] = self._ask(question)
            answer = self._answers[question]
        if isinstance(answer, AgentmeterError):
            raise answer
        return answer

    def _ask(self, question: Question) -> Table | AgentmeterError:
        try:
            return self._log.query(*question)
        except AgentmeterError as exc:
            return exc
