"""`ops export-rules`: what Azure's own alerts can say of our rules, and what they cannot."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from ops.__main__ import main
from ops.console.command import Desk
from ops.console.terminal import Terminal
from tests.fakes import FakeClock

RULE = """
name = "Slow"
group = "tests"
severity = "warning"
window = "{window}"
hold = "PT10M"
condition = "{condition}"
{more}
summary = "slow"
query = \'\'\'
UsageEvents
| where TimeGenerated >= {{start}} and TimeGenerated < {{end}}
| where Name == 'it"s'
| summarize value = avg(DurationS), samples = sum(Count) by Model
\'\'\'
"""


def export(folder: Path | None, *argv: str) -> tuple[str, str]:
    """Return what is written and what is said."""
    out, err = io.StringIO(), io.StringIO()
    config = ["--config", str(folder)] if folder else []
    desk = Desk(Terminal(out, err), {}, FakeClock())
    assert main(["export-rules", *config, *argv], desk) == 0, err.getvalue()
    return out.getvalue(), err.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    return tmp_path


def write(folder: Path, window: str = "PT5M", condition: str = "> 2.5", more: str = "") -> None:
    text = RULE.format(window=window, condition=condition, more=more)
    (folder / "rules" / "Slow.toml").write_text(text)


def test_every_rule_that_ships_becomes_an_alert_of_its_severity() -> None:
    text, said = export(None)
    found = dict(
        zip(
            re.findall(r"displayName: '(.+)'", text),
            re.findall(r"severity: (\d)", text),
            strict=True,
        )
    )
    shipped = {file.stem for file in (Path(__file__).parents[2] / "config/rules").glob("*.toml")}
    assert {name.partition(" ")[0] for name in found} == shipped - {"CostAnomaly"}
    assert "CostAnomaly" in said
    assert "its window is over two days" in said
    assert found["HighErrorRate (critical)"] == "0"
    assert len(said.splitlines()) == len(shipped)


def test_bounds_follow_the_clock_and_the_threshold_keeps_its_fraction(folder: Path) -> None:
    write(folder, more="min_samples = 20")
    text, _ = export(folder)
    assert "TimeGenerated >= ago(5m) and TimeGenerated < now()" in text
    assert """== \\'it"s\\'""" in text
    assert r"\n| where samples >= 20'" in text
    assert "threshold: json('2.5')" in text
    assert "numberOfEvaluationPeriods: 3" in text
    assert "name: 'Model'" in text
    assert "name: 'samples'" not in text


def test_a_window_that_azure_does_not_know_is_seen_through_a_longer_one(folder: Path) -> None:
    write(folder, window="PT7M")
    text, _ = export(folder)
    assert "ago(7m)" in text
    assert "windowSize: 'PT10M'" in text


@pytest.mark.parametrize(
    ("condition", "aggregation", "operator"),
    [(">= 2", "Maximum", "GreaterThanOrEqual"), ("< 2", "Minimum", "LessThan")],
)
def test_the_worst_row_decides(
    folder: Path, condition: str, aggregation: str, operator: str
) -> None:
    write(folder, condition=condition)
    text, _ = export(folder)
    assert f"timeAggregation: '{aggregation}'" in text
    assert f"operator: '{operator}'" in text
    assert "threshold: 2\n" in text


@pytest.mark.parametrize(
    ("more", "lost"),
    [
        ('resolve = "<= 2"', "resolve = <= 2"),
        ('no_data = "alert"', "no data"),
        ('keep_firing = "PT5M"', "keep_firing"),
        ("min_samples = 1", "offset"),
        ("", "silences"),
    ],
)
def test_what_does_not_carry_over_is_said_in_the_file_and_on_the_terminal(
    folder: Path, more: str, lost: str
) -> None:
    write(folder, more=more)
    text, said = export(folder)
    assert lost in next(line for line in text.splitlines() if line.startswith("// Slow/warning"))
    assert lost in said


def test_a_window_of_over_two_days_is_left_out_and_said(folder: Path) -> None:
    write(folder, window="P3D")
    text, said = export(folder)
    assert "Slow" not in text
    assert "over two days" in said


def test_the_file_goes_where_it_is_reported_and_machines_have_the_queries(folder: Path) -> None:
    write(folder)
    out, _ = export(folder, "--out", str(folder / "rules.bicep"), "--json")
    written: list[dict[str, Any]] = json.loads(out)
    assert written[0]["rule"] == "Slow/warning"
    assert (folder / "rules.bicep").read_text().startswith("metadata description")
