"""A processor that dies at any step leaves what a redelivery makes right, others in between too."""

from collections.abc import Sequence
from typing import Any

import pytest

from shared.rows import EventRow, Exported, ExportOutcome
from shared.storage.memory import MemoryDatabase
from shared.storage.rows import Change, Rows, Transaction
from tests.corrections import ANSWER, CACHED, USED, Pipeline, call, exported, of, outcome, posted
from tests.unit.test_corrections import GATEWAY, NO_USAGE, spans
from tests.unit.test_many_writers import calls

POOR, RICH = posted(call(1, response_id=ANSWER)), posted(call(3, response_id=ANSWER, usage=CACHED))
BETTER = posted(call(2, response_id=ANSWER, usage=USED), call(4, usage=USED))
TWIN = spans(GATEWAY, 2)
WRAPPER, FIRST, SECOND = (exported(one) for one in calls((1, {}, 1), (2, {}, 1)))
CASES: dict[str, tuple[Sequence[str], str, Sequence[str]]] = {
    "new-calls": ([], BETTER, []),
    "correction": ([POOR], BETTER, []),
    "correction-and-another-meanwhile": ([POOR], BETTER, [RICH]),
    "first-report-after-its-correction": ([], POOR, [RICH]),
    "twin": ([spans(NO_USAGE, 1)], TWIN, []),
    "part": ([WRAPPER], FIRST, []),
    "part-and-another-meanwhile": ([WRAPPER], FIRST, [SECOND]),
    "wrapper-and-parts-meanwhile": ([], WRAPPER, [SECOND, FIRST]),
    "twin-and-another-meanwhile": ([], TWIN, [spans(NO_USAGE, 1), RICH]),
}
"""What came before, the message that dies, what comes before its redelivery."""


class Death(BaseException):
    """The process is gone."""


class Deaths:
    """Counts the steps, and kills before or behind one of them."""

    def __init__(self) -> None:
        self.at, self.behind, self.steps = 0, False, 0

    def step(self, work: Any, *given: Any) -> Any:
        self.steps += 1
        if self.steps == self.at and not self.behind:
            raise Death
        done = work(*given)
        if self.steps == self.at:
            raise Death
        return done


class DyingRows:
    """A table whose writes are steps; each transaction of several is one."""

    def __init__(self, rows: Rows, deaths: Deaths) -> None:
        self._rows, self._deaths = rows, deaths
        self.get, self.get_each = rows.get, rows.get_each
        self.query, self.query_each = rows.query, rows.query_each

    def commit(self, partition: str, changes: Sequence[Change]) -> None:
        self._deaths.step(self._rows.commit, partition, changes)

    def commit_each(self, transactions: Sequence[Transaction]) -> Sequence[bool]:
        made = (self._deaths.step(self._rows.commit_each, [one]) for one in transactions)
        return [is_made for (is_made,) in made]


class DyingDatabase(MemoryDatabase):
    def __init__(self, deaths: Deaths) -> None:
        super().__init__()
        self._deaths = deaths

    def table(self, name: str) -> Rows:
        return DyingRows(super().table(name), self._deaths)


def dying_at(step: int, behind: bool, case: str) -> tuple[Pipeline, bool]:
    """Return what comes of a death at that step, and whether there was such a step."""
    before, text, meanwhile = CASES[case]
    deaths = Deaths()
    pipeline = Pipeline(DyingDatabase(deaths)).run(*before)

    def sent(row: EventRow) -> ExportOutcome:
        deaths.step(lambda: None)
        return Exported()

    pipeline.exporter.event_outcome = sent
    deaths.at, deaths.behind, deaths.steps = step, behind, 0
    try:
        pipeline.run(text)
        died = False
    except Death:
        died = True
    deaths.at = 0
    pipeline.process = pipeline.another()
    return pipeline.run(*meanwhile).run(text, delivery=2), died


@pytest.mark.parametrize("behind", [False, True], ids=["before", "behind"])
@pytest.mark.parametrize("case", CASES)
def test_a_death_at_any_step_is_repaired(case: str, behind: bool) -> None:
    before, text, meanwhile = CASES[case]
    right = of([*before, text, *meanwhile])
    step, died = 1, True
    while died:
        pipeline, died = dying_at(step, behind, case)
        assert (step, outcome(pipeline)) == (step, right)
        step += 1
    assert step > 5
