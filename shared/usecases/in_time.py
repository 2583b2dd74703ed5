"""Questions that no page waits for."""

from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from types import TracebackType

from shared.errors import RetryLater
from shared.invocation import carried
from shared.ports import Table, UsageLog
from shared.usecases.evaluation.log_wrappers import Question

WAIT_S = 2.0
"""What a tick gives these questions in vain: after the first late one, none is asked."""


class InTime:
    """A log that answers soon or not at all; fits ports.UsageLog. Use it as a context, in one tick.

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
