"""Whoever is woken finds a whole runbook, and its queries run."""

from pathlib import Path

import pytest

from shared.adapters.config.config_folder import read_rules
from shared.alerting.budget import parse_budgets
from shared.usecases.evaluation.self_watch import own_rules
from standin.monitor.store import MonitorStore
from tests.fakes import FakeClock

ROOT = Path(__file__).parents[2]
RUNBOOKS = {file.stem: file for file in sorted((ROOT / "docs/runbooks").glob("*.md"))}


@pytest.mark.parametrize("name", RUNBOOKS)
def test_every_runbook_has_all_four_parts(name: str) -> None:
    text = RUNBOOKS[name].read_text(encoding="utf-8")
    parts = (
        "## What it means",
        "## First three checks",
        "## Stop the bleeding",
        "## When to silence",
    )
    assert [part for part in parts if part not in text] == []
    assert text.count("```kusto") >= 3


def test_every_rule_has_a_runbook_of_its_own_and_all_budgets_have_one() -> None:
    (budget,) = parse_budgets('[[budget]]\nname="b"\namount_usd=1\nperiod="day"', "budgets.toml")
    own = {rule.name: rule.runbook for rule in own_rules("meta")}
    named = (
        {rule.name: rule.runbook for rule in read_rules(ROOT / "config")}
        | {"Budget": budget.runbook}
        | own
    )
    assert named == {name: f"docs/runbooks/{name}.md" for name in RUNBOOKS}


@pytest.mark.parametrize("name", RUNBOOKS)
def test_runbooks_ask_kql_that_runs(name: str) -> None:
    text = RUNBOOKS[name].read_text(encoding="utf-8")
    store = MonitorStore(None, FakeClock())
    for query in text.split("```kusto\n")[1:]:
        store.query(query.split("```")[0])
    store.close()
