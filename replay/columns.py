"""Judges queries by the columns of their answer, before there are rows."""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager

from shared.clock import Clock
from standin.monitor.store import MonitorStore

Columns = Callable[[str], Sequence[str]]
"""Returns the columns of a query. Raises AgentmeterError: it names what there is not."""


@contextmanager
def empty_tables(clock: Clock) -> Generator[Columns, None, None]:
    """Give what judges queries, over the tables of a workspace without rows."""
    with closing(MonitorStore(None, clock)) as store:
        yield lambda kql: store.query(kql).columns
