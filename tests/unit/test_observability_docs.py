"""The queries of docs/observability.md can be asked."""

import re
from pathlib import Path

import pytest

from standin.monitor.store import MonitorStore
from tests.fakes import FakeClock

PAGE = Path(__file__).parents[2] / "docs" / "observability.md"
QUERIES = re.findall(r"```kql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("kql", QUERIES)
def test_a_query_of_the_page_has_an_answer(kql: str) -> None:
    store = MonitorStore(None, FakeClock())
    assert store.query(kql).columns
    store.close()


def test_the_page_has_queries() -> None:
    assert len(QUERIES) > 5
