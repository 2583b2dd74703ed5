"""Works that run side by side, one at a time, and take turns at each read and write as a seed says.

So every order in which real processes may meet at a store can be tried, and tried again.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Semaphore, local

from shared.storage.memory import MemoryDatabase
from shared.storage.rows import EVERY, Change, Row, Rows, Transaction, Within

Work = Callable[[], None]


class Turns:
    """Hands the turn to one of the works after another."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._mine = local()
        self._back = Semaphore(0)

    def run(self, works: Sequence[Work]) -> None:
        """Run the works to their ends; raise what one of them raised."""
        waiting = [Semaphore(0) for _ in works]
        over = [False] * len(works)

        def begin(index: int) -> None:
            self._mine.turn = waiting[index]
            waiting[index].acquire()
            try:
                works[index]()
            finally:
                over[index] = True
                self._back.release()

        with ThreadPoolExecutor(len(works)) as pool:
            begun = [pool.submit(begin, index) for index in range(len(works))]
            while going := [index for index, is_over in enumerate(over) if not is_over]:
                waiting[self._random.choice(going)].release()
                self._back.acquire()
            for one in begun:
                one.result()

    def end(self) -> None:
        """End this work's turn, and wait for its next."""
        if turn := getattr(self._mine, "turn", None):
            self._back.release()
            turn.acquire()


class InTurns:
    """Rows at which a work's turn ends before each read and each transaction; fits rows.Rows."""

    def __init__(self, rows: Rows, turns: Turns) -> None:
        self._rows = rows
        self._turns = turns

    def get(self, partition: str, key: str, *fields: str) -> Row | None:
        self._turns.end()
        return self._rows.get(partition, key, *fields)

    def get_each(self, places: Sequence[tuple[str, str]], *fields: str) -> Sequence[Row | None]:
        return [self.get(*place, *fields) for place in places]

    def query(self, partitions: Within, keys: Within = EVERY, *fields: str) -> Iterator[Row]:
        self._turns.end()
        return self._rows.query(partitions, keys, *fields)

    def query_each(self, places: Sequence[tuple[str, Within]]) -> Sequence[Sequence[Row]]:
        return [list(self.query(*place)) for place in places]

    def commit(self, partition: str, changes: Sequence[Change]) -> None:
        self._turns.end()
        self._rows.commit(partition, changes)

    def commit_each(self, transactions: Sequence[Transaction]) -> Sequence[bool]:
        return [self._rows.commit_each([one])[0] for one in self._each(transactions)]

    def _each(self, transactions: Sequence[Transaction]) -> Iterator[Transaction]:
        for one in transactions:
            self._turns.end()
            yield one


class TurnsDatabase(MemoryDatabase):
    """Rows in memory at which works take turns; fits rows.Database."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.turns = Turns(seed)

    def table(self, name: str) -> Rows:
        return InTurns(super().table(name), self.turns)
