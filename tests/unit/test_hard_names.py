"""Names come from anybody: every panel answers with them in all texts, and finds them by key."""

from base64 import b64encode
from collections.abc import Generator
from datetime import timedelta

import pytest

from dashboards.kql import Dialect, bind
from dashboards.panel import Panel, read_pages
from shared.events.columns import ADJUSTMENT, NUMBERS, TEXT
from standin.monitor.store import MonitorStore
from tests.fakes import START, FakeClock
from tests.monitor import event

pytestmark = pytest.mark.slow  # every panel's query is translated twice

HARD = (
    "Zürich",
    'a "quoted" \\ name',
    "it's {start} '*'",
    "東京\u2028🦊",
    "tab\tline\nend",
    "ß" * 1_024,  # the longest that a name may be
    "",
)
HOUR = timedelta(hours=1)
KINDS = ("llm.call", "error", "agent.operation", "task.operation", "http.request", ADJUSTMENT)
PANELS = [
    pytest.param(panel, id=f"{page.name}/{panel.name}")
    for page in read_pages()
    for panel in page.panels
]


@pytest.fixture(scope="module")
def store() -> Generator[MonitorStore]:
    """Return a log in which each text of each kind of event is hard."""
    log = MonitorStore(None, FakeClock(START + HOUR))
    numbers = {column.stored: 1.0 for column in NUMBERS}
    log.track(
        [
            event(
                {column.stored: text for column in TEXT} | {"id": f"{kind} {number}"},
                numbers,
                name=kind,
            )
            for number, text in enumerate(HARD)
            for kind in KINDS
        ]
    )
    yield log
    log.close()


def key_of(*names: str) -> str:
    """Return what stands for a row in a parameter."""
    return b64encode("".join(f"\n{name}" for name in names).encode()).decode()


def chosen(panel: Panel, *names: str) -> str:
    """Return the panel's query for one who chose these names wherever there is a choice."""
    keys = ", ".join(f'"{key_of(name)}"' for name in names)
    start, end = (f"datetime({at:%FT%TZ})" for at in (START - HOUR, START + HOUR))
    return bind(
        panel.query, Dialect(start, end, "5m", f"dynamic([{keys}])%.0s", f"'{key_of(names[0])}'")
    )


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_answers_with_hard_names(store: MonitorStore, panel: Panel) -> None:
    for names in (HARD, HARD[-2:-1]):
        answer = store.query(chosen(panel, *names))
        if "TeamId" in answer.columns:
            place = answer.columns.index("TeamId")
            assert {row[place] for row in answer.rows} <= {*names, "(none)", "", None}
