"""Wrap the log: ask each question once, and give optional questions a deadline."""

from collections.abc import Collection, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime
from threading import Lock
from types import TracebackType

from shared.errors import AgentmeterError, RetryLater
from shared.invocation import carried
from shared.ports import Table, UsageLog

Question = tuple[str, datetime, datetime]
WAIT_S = 2.0
"""What a tick gives these questions in vain: after the first late one, none is asked."""


class NotYet(RetryLater):
    """The log is still thinking; the next run asks again, and finds what it has said by then."""


class Asking:
    """Asks in the background, so that slow queries hold up no run; fits ports.UsageLog.

    What has no answer in time goes on, and a later run that has the same question finds it.
    """

    def __init__(self, log: UsageLog, workers: int, wait_s: float | None) -> None:
        """wait_s: what expect() waits at most; None for as long as it takes."""
        self._log = log
        self._pool = ThreadPoolExecutor(workers)
        self._wait_s = wait_s
        self._asked: dict[Question, Future[Table]] = {}

    def ask(self, questions: Iterable[Question]) -> Collection[Question]:
        """Ask what is not asked yet, about what the caller is about; return the questions."""
        wanted = dict.fromkeys(questions)
        for one in wanted:
            if one not in self._asked:
                self._asked[one] = self._pool.submit(carried(self._ask), one)
        return wanted

    def expect(self, questions: Iterable[Question]) -> None:
        """Ask what is not asked yet, and wait for the answers."""
        wanted = self.ask(questions)
        wait([self._asked[one] for one in wanted], self._wait_s)

    def forget_others(self, questions: Iterable[Question]) -> None:
        """Forget the answers that are not needed any more."""
        wanted = set(questions)
        for one in [one for one in self._asked if one not in wanted]:
            self._asked.pop(one).cancel()

    def query(self, kql: str, start: datetime, end: datetime) -> Table:
        """Return the answer. Raises what the log raised, and NotYet where there is none yet."""
        asked = self._asked.get((kql, start, end))
        if asked is None:
            return self._log.query(kql, start, end)
        if not asked.done():
            raise NotYet("The log has not answered yet; the next run takes its answer.")
        return asked.result()

    def _ask(self, question: Question) -> Table:
        return self._log.query(*question)


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


class InTime:
    """Answers within a deadline or not at all, so that optional questions delay no page.

    Fits ports.UsageLog. Use it as a context, in one tick.

    A question that is given up goes on in the background for as long as the log lets it.
    """

    def __init__(self, log: UsageLog, wait_s: float = WAIT_S) -> None:
        self._log = log
        self._wait_s = wait_s
        self._pool = ThreadPoolExecutor(1)
        self._late: Future[Table] | None = None

    def __enter__(self) -> "InTime":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def query(self, kql: str, start: datetime, end: datetime) -> Table:
        """Ask the log. Raises as it does, and RetryLater where one question was late before."""
        if self._late is None:
            asked = self._pool.submit(carried(self._ask), (kql, start, end))
            try:
                return asked.result(self._wait_s)
            except TimeoutError:
                self._late = asked
        raise RetryLater("The log did not answer in time; the page goes without.")

    def _ask(self, question: Question) -> Table:
        return self._log.query(*question)
