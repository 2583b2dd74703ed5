"""What health says of late rows, late events and wrong clocks."""

import pytest

from shared.metrics.own import EVENT_LAG, LOG_LAG
from shared.metrics.points import Sampled
from shared.storage.memory import MemoryDatabase
from shared.storage.stores import stores_of
from shared.usecases.explaining.report import Report
from tests.fakes import START


def says(late_s: dict[str, float], lag_s: float = 0) -> dict[str, tuple[bool, str]]:
    """Return what health says where senders are that late, and the log's rows."""
    kept = stores_of(MemoryDatabase())
    points = [
        Sampled(EVENT_LAG.name, (("event_source", source),), "app", START, seconds)
        for source, seconds in late_s.items()
    ]
    kept.series.apply("b", [*points, Sampled(LOG_LAG.name, (), "app", START, lag_s)], START)
    report = Report(kept.series, kept.alerts, kept.set_aside, lambda: (), {}, START)
    return {check.name: (check.ok, check.detail) for check in report.health(START)}


@pytest.mark.parametrize(
    ("late_s", "said"),
    [
        ({}, "events of every sender come in time"),
        ({"a": 240}, "events come late, or a clock is slow: a by 240 s"),
        ({"b": -3600}, "a clock is ahead: b by 3600 s"),
        (
            {"a": 240, "b": -3600, "c": 900},
            "events come late, or a clock is slow: c by 900 s, a by 240 s; "
            "a clock is ahead: b by 3600 s",
        ),
        (
            {f"s{n}": 100 - n for n in range(7)},
            "events come late, or a clock is slow: s0 by 100 s, s1 by 99 s, s2 by 98 s, "
            "s3 by 97 s, s4 by 96 s; 2 more",
        ),
    ],
    ids=["in time", "late", "ahead", "both", "many"],
)
def test_health_names_late_senders_and_wrong_clocks(late_s: dict[str, float], said: str) -> None:
    assert says(late_s)["senders"] == (True, said)


def test_health_says_how_late_rows_are_found() -> None:
    said = "queries find rows at least {} s after they were sent"
    assert says({}, 120)["log"] == (True, said.format(120))
    assert says({}, 240)["log"] == (False, said.format(240))
