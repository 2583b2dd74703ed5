"""config/budgets.toml: what it says, and what is refused with a remedy."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from shared.adapters.config.config_folder import read_budgets, read_rules
from shared.alerting.budget import Budget, parse_budgets
from shared.alerting.budget_rules import key_of, literal, rules_of
from shared.alerting.rule_file import lint
from shared.errors import Misconfigured

ROOT = Path(__file__).parents[2]
SHIPPED = (ROOT / "config/budgets.toml").read_text(encoding="utf-8")
LEAST = '[[budget]]\nname = "fleet"\namount_usd = 1000\nperiod = "month"\n'


def budget(more: str = "", text: str = LEAST) -> Budget:
    (read,) = parse_budgets(text + more, "budgets.toml")
    return read


def test_no_budget_ships_and_every_example_in_the_file_is_one() -> None:
    assert read_budgets(ROOT / "config") == ()
    examples = parse_budgets(re.sub(r"(?m)^#(?=\S)", "", SHIPPED), "budgets.toml")
    assert [b.name for b in examples] == ["fleet", "research_production", "dear_models"]
    assert [lint(rule) for b in examples for rule in rules_of(b)] == [[]] * 14
    assert examples[0] == budget(text=LEAST.replace("1000", "10000"))


def test_a_budget_of_three_lines_has_every_rule() -> None:
    rules = {rule.key: rule for rule in rules_of(budget())}
    assert {key: str(rule.condition) for key, rule in rules.items()} == {
        "Budget_fleet_50/info": ">= 500",
        "Budget_fleet_80/warning": ">= 800",
        "Budget_fleet_100/critical": ">= 1000",
        "Budget_fleet_forecast/warning": "> 1000",
        "Budget_fleet_burn/critical": ">= 50",
    }
    assert rules.keys() >= {key_of(budget(), "50", "info"), key_of(budget(), "burn", "critical")}


def test_thresholds_forecast_and_pace_can_be_chosen_or_left_out() -> None:
    chosen = budget(
        'thresholds = { 33 = "error" }\nforecast = false\nburn = { percent = 7, window = "PT12H" }'
    )
    assert {rule.key: str(rule.condition) for rule in rules_of(chosen)} == {
        "Budget_fleet_33/error": ">= 330",
        "Budget_fleet_burn/critical": ">= 70",
    }
    assert rules_of(budget("thresholds = {}\nforecast = false\nburn = false")) == []


@pytest.mark.parametrize("amount", ["0.07", "100.10", "1e3", '"1234567.89"', "999999999999"])
def test_thresholds_are_exact(amount: str) -> None:
    read = budget("thresholds = { 1 = 'info', 100 = 'info' }", LEAST.replace("1000", amount))
    one, whole = (rule.condition for rule in rules_of(read)[:2])
    assert whole.threshold == Decimal(amount.strip('"'))
    assert one.threshold * 100 == whole.threshold


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"fleet"', '"the fleet"', "[[budget]] 1: name: String should match pattern"),
        ('name = "fleet"\n', "", "[[budget]] 1: name: Field required"),
        ("1000", "0", "[[budget]] 1: amount_usd: Input should be greater than 0"),
        ("1000", "nan", "[[budget]] 1: amount_usd: Input should be a finite number"),
        ('"month"', '"year"', "[[budget]] 1: period: Input should be 'day', 'week' or 'month'"),
        ('"month"', '"month"\ntimezone = "CEST"', "[[budget]] 1: timezone: 'CEST' is"),
        (
            '"month"',
            '"month"\nscope = { teem = "a" }',
            "[[budget]] 1: scope.teem: no costs are split by it; name one of team, ",
        ),
        ('"month"', '"month"\nscope = { team = [] }', "[[budget]] 1: scope.team: Tuple should"),
        ('"month"', '"month"\nscope = { team = "a\\n" }', "scope.team.0: 'a\\n' has"),
        ('"month"', '"month"\nthresholds = { 0 = "info" }', "[[budget]] 1: thresholds.0: Input"),
        ('"month"', '"month"\nthresholds = { 5 = "bad" }', "[[budget]] 1: thresholds.5: Input"),
        ('"month"', '"month"\nburn = { percent = 5 }', "[[budget]] 1: burn.window: Field required"),
        (
            '"month"',
            '"month"\nburn = { percent = 5, window = "PT5M" }',
            "[[budget]] 1: burn.window: Input should be greater than or equal to 1 hour",
        ),
        ('"month"', '"month"\nevery = "PT90S"', "[[budget]] 1: every: write whole minutes"),
        ('"month"', '"month"\nevery = "PT0M"', "[[budget]] 1: every: write whole minutes"),
        ('"month"', '"month"\nevery = "PT12H"', "[[budget]] 1: every: longer than burn.window"),
        ('"month"', '"month"\nrunbook = ""', "[[budget]] 1: runbook: a critical page needs one"),
        ('"month"', '"month"\n' + LEAST, "[[budget]] 2: name: fleet is an earlier one's too"),
        ("[[budget]]", "[[budgets]]", "budgets: Extra inputs are not permitted"),
        ('"month"', "month", "Invalid value"),
    ],
)
def test_a_wrong_budget_is_refused_by_file_entry_field_and_remedy(
    old: str, new: str, said: str
) -> None:
    with pytest.raises(Misconfigured) as refusal:
        budget(text=LEAST.replace(old, new))
    assert str(refusal.value).startswith("budgets.toml: ")
    assert said in str(refusal.value)
    assert "docs/budgets.md" in str(refusal.value)


def test_a_budget_and_a_rules_file_cannot_have_one_name(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    rule = (ROOT / "config/rules/HighErrorRate.toml").read_text(encoding="utf-8")
    (tmp_path / "rules/a.toml").write_text(
        rule.replace('"HighErrorRate"', '"Budget_fleet_burn"'), encoding="utf-8"
    )
    assert len(read_rules(tmp_path)) == 1
    (tmp_path / "budgets.toml").write_text(LEAST, encoding="utf-8")
    with pytest.raises(Misconfigured, match="Budget_fleet_burn/critical is the name of a rule's"):
        read_rules(tmp_path)


@pytest.mark.parametrize(
    ("text", "written"), [('a"b', r'"a\"b"'), ("a\\", r'"a\\"'), ("{start}'", '"{start}\'"')]
)
def test_a_text_is_one_string_in_kql(text: str, written: str) -> None:
    assert literal(text) == written


def test_braces_in_a_scope_are_no_placeholders() -> None:
    for rule in rules_of(budget('scope = { team = "{value} {0}" }')):
        assert lint(rule) == []
        assert '"{value} {0}"' in rule.description.format(value=1.0)
