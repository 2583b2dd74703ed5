"""Compact series of events, as rule tests and recorded failures write them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from replay.casebook import read_casebook
from replay.failures import FAILURES, apart
from replay.series import Series, expand, record

START = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("5", (5,)),
        ("5x3", (5, 5, 5, 5)),
        ("5+10x3", (5, 15, 25, 35)),
        ("5-2.5x2 0x0", (5, 2.5, 0, 0)),
        ("_ 1 _x1", (None, 1, None, None)),
        ("-1.5", (-1.5,)),
        ("", ()),
    ],
)
def test_a_line_of_values_is_read_as_promtool_reads_it(
    line: str, values: tuple[float | None, ...]
) -> None:
    assert expand(line) == values


@pytest.mark.parametrize("word", ["x3", "5x", "five", "1e3", "5+x3", "5x100000", "stale"])
def test_a_word_that_is_no_value_is_named(word: str) -> None:
    with pytest.raises(ValueError, match="write"):
        expand(f"1 {word}")


def series(**stated: object) -> Series:
    return Series.model_validate({"type": "error", "values": "1", **stated})


def events(*given: Series) -> list[dict[str, Any]]:
    return [json.loads(one.text) for one in record(given, START)]


def test_values_become_events_at_even_steps_and_a_count_of_none_is_no_event() -> None:
    found = events(series(values="0 3 _ 4.0", every="PT15S", **{"from": "PT5S"}))
    assert [event["time"] for event in found] == [
        (START + timedelta(seconds=second)).isoformat() for second in (20, 50)
    ]
    assert [event["data"] for event in found] == [{"count": 3}, {"count": 4}]
    assert events(series(type="task.queue", field="value", values="0"))[0]["data"] == {"value": 0}


def test_a_value_goes_deep_into_the_data_and_changes_nothing_beside_it() -> None:
    data = {"model": "m", "usage": {"output_tokens": 1}}
    (call,) = events(series(type="llm.call", data=data, field="usage.input_tokens", values="7"))
    assert call["data"] == {"model": "m", "usage": {"output_tokens": 1, "input_tokens": 7}}


def test_fractions_of_a_file_are_fractions_of_the_event(tmp_path: Path) -> None:
    (file := tmp_path / "R.toml").write_text(
        """rules = ["R"]
        [[test]]
        name = "fractions"
        lasts = "PT1M"
        pages = []
        plan = { queue_s = 2.5 }
        [[test.events]]
        type = "llm.call"
        values = "1"
        data = { duration_s = 1.5, cost_usd = 0.001, usage = { input_tokens = 3 } }
        """
    )
    (case,) = read_casebook(file).test
    (call,) = events(*case.events)
    expected = {"duration_s": 1.5, "cost_usd": 0.001, "usage": {"input_tokens": 3}, "count": 1}
    assert (call["data"], case.planned().queue_s) == (expected, 2.5)


def test_several_series_stand_in_the_order_of_time_with_ids_of_their_own() -> None:
    found = events(series(values="1x2"), series(values="1x2", every="PT30S"))
    assert sorted(event["time"] for event in found) == [event["time"] for event in found]
    assert len({event["id"] for event in found}) == 6


@pytest.mark.parametrize("wrong", [{"every": "PT0S"}, {"values": "a"}, {"every": 15}, {"kind": ""}])
def test_a_wrong_series_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        series(**wrong)


def test_failures_that_are_tried_at_once_share_no_kind_of_event() -> None:
    lots = apart(FAILURES)
    assert sorted(one.rule for lot in lots for one in lot) == sorted(one.rule for one in FAILURES)
    for lot in lots:
        kinds = [kind for failure in lot for kind in {part.type for part in failure.parts}]
        assert len(kinds) == len(set(kinds))
