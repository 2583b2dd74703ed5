"""A query that is shown few columns says what it says of all."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.adapters.config.config_folder import read_rules
from shared.alerting.rule import Condition, bind
from shared.events.columns import measurements, properties
from standin.monitor.store import MonitorStore
from standin.monitor.translate import translate
from tests.factories import DATA
from tests.fakes import START, FakeClock
from tests.monitor import event

NOW = datetime(2026, 11, 23)  # noqa: DTZ001 - DuckDB's TIMESTAMP is UTC without a zone
CONDITIONS = [
    pytest.param(condition, id=f"{rule.name}-{condition.name}")
    for rule in read_rules(Path(__file__).parents[2] / "config")
    for condition in rule.conditions
    if not condition.query.lstrip().startswith("let ")  # all that a let may need is shown
]


@pytest.mark.parametrize(
    ("kql", "columns"),
    [
        ("UsageEvents | summarize sum(Count)", {"Count"}),
        ("UsageEvents | where Name == 'a' | project x = Model", {"Name", "Model"}),
        ("UsageEvents | summarize a = sum(Value) by Source | extend b = a", {"Value", "Source"}),
        ("UsageEvents | summarize arg_max(Value, Source)", {"Value", "Source"}),
        ("UsageEvents | summarize count()", set[str]()),
        ("UsageEvents | summarize arg_max(Value, *)", None),
        ("UsageEvents | take 5 | summarize count()", None),
        ("UsageEvents | where Count > 1", None),
        ("UsageEvents", None),
        ("UsageEvents | summarize by Source | join (UsageEvents) on Source", None),
        ("UsageEvents | summarize c = sum(Count) | union (UsageEvents | take 1)", None),
        ("let one = UsageEvents | take 5; one | summarize sum(Count)", None),
        ("UsageEvents | extend x = Value | summarize sum(x)", None),
        ("UsageEvents | project-away Name | summarize sum(Count)", None),
    ],
)
def test_columns_are_left_out_where_that_is_certain(kql: str, columns: set[str] | None) -> None:
    assert translate(kql, NOW).columns == columns


@pytest.fixture(scope="module")
def store() -> Iterator[MonitorStore]:
    store = MonitorStore(None, FakeClock())
    store.track(
        [
            event(
                properties({"id": f"{kind}-{n}", "source": f"s{n % 3}", **_split(kind)[0]}),
                measurements(
                    {"count": 100.0 + n, "value": n, "cost_usd": n / 7, **_split(kind)[1]}
                ),
                START - timedelta(seconds=30 * n + 10),
                kind,
            )
            for kind in DATA
            for n in range(12)
        ]
    )
    yield store
    store.close()


def _split(kind: str) -> tuple[dict[str, str], dict[str, float]]:
    texts = {name: str(v) for name, v in DATA[kind].items() if isinstance(v, str)}
    numbers = {name: float(v) for name, v in DATA[kind].items() if isinstance(v, int | float)}
    return texts, numbers


@pytest.mark.parametrize("condition", CONDITIONS)
def test_every_rule_finds_the_same_whatever_it_is_shown(
    store: MonitorStore, condition: Condition
) -> None:
    start = START.astimezone(UTC) - condition.window
    narrow = bind(condition.query, start, START)
    wide = narrow.replace("UsageEvents\n", "UsageEvents\n| take 1000000\n")
    assert translate(narrow, NOW).columns is not None
    assert translate(wide, NOW).columns is None
    found = store.query(narrow, start, START)
    assert found.rows
    # KQL promises no order where a query sorts nothing.
    assert sorted(found.rows, key=str) == sorted(store.query(wide, start, START).rows, key=str)
