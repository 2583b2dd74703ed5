"""Every query that a workbook asks has an answer: from the simulated fleet, on the stand-in."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dashboards.choice import CHOICES
from dashboards.panel import Panel, read_pages
from local.fleet.runner import Fleet
from replay.azure import DirectExporter, DirectLog
from replay.plan import Plan
from replay.recording import Recorded
from replay.world import Config, World
from shared.adapters.config.config_folder import read_routes, read_rules
from shared.alerting.budget import parse_budgets
from shared.usecases.evaluation.own_gauges import BudgetFigures
from shared.usecases.evaluation.write_metrics import gauge_row
from shared.usecases.explaining.find_alert import Subjects
from shared.usecases.explaining.verdicts import Verdicts
from shared.usecases.spending.budgets import Budgets
from standin.monitor.query import QueryAnswer
from standin.monitor.store import MonitorStore
from tests.in_memory import MemoryAlerts

pytestmark = pytest.mark.xdist_group("panels")  # one scene for all

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "config"
SAVED = sorted((ROOT / "infra" / "kql" / "saved").glob("*.kql"))
PANELS = {panel.name: panel for page in read_pages() for panel in page.panels}
START = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LASTS = 25 * MINUTE
CONDITION = START + LASTS - MINUTE
RULES = ("HighErrorRate", "HighTaskQueueBacklog", "LLMAPIFailureRate")
"""Those that the fleet's first minutes trip."""
SILENCED = {"from": 0, "to": 3600, "matchers": ["alertname=HighTaskQueueBacklog"]}
BUSY = {"from": 1140, "to": 1320, "status": 503}
"""When PagerDuty takes nothing."""
BUDGET = '[[budget]]\nname = "fleet"\namount_usd = 100\nperiod = "day"\n'
PARAMETER = re.compile(r"\{(\w+)(?::(\w+))?\}")


def stamp(at: datetime) -> str:
    return f"datetime({at:%Y-%m-%dT%H:%M:%S.000Z})"


TIME = {"start": stamp(START), "end": stamp(START + LASTS), "grain": "1m"}


@dataclass
class Portal:
    """Asks what the portal would ask, with what a reader has chosen put in as it does."""

    store: MonitorStore
    queries: Mapping[str, str]
    chosen: dict[str, str] = field(default_factory=lambda: dict.fromkeys(CHOICES, "'*'"))

    def ask(self, name: str) -> QueryAnswer:
        def put_in(found: re.Match[str]) -> str:
            return TIME[found[2]] if found[1] == "TimeRange" else self.chosen[found[1]]

        return self.store.query(PARAMETER.sub(put_in, self.queries[name]))

    def rows(self, name: str) -> list[dict[str, Any]]:
        answer = self.ask(name)
        return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]


def queries_of(items: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for item in items:
        if item["type"] == 12:
            yield from queries_of(item["content"]["items"])
        if item["type"] == 3:
            yield item["name"], item["content"]["query"]
        for parameter in item["content"].get("parameters", ()):
            if "query" in parameter:
                yield parameter["name"], parameter["query"]


def recorded(fleet: Fleet, start: datetime, end: datetime) -> list[Recorded]:
    return [
        Recorded(number, json.dumps(event).encode(), datetime.fromisoformat(str(event["time"])))
        for number, event in enumerate(fleet.events_between(start, end), 1)
    ]


@pytest.fixture(scope="module")
def store() -> Iterator[MonitorStore]:
    """Yield the stand-in after what 23 minutes of the fleet posted, its incidents included."""
    prices = (CONFIG / "prices.toml").read_text(encoding="utf-8")
    rules = [rule for rule in read_rules(CONFIG) if rule.name in RULES]
    faults = {"silences": [SILENCED], "pagerduty_faults": [BUSY]}
    plan = Plan.model_validate({"start": START, "duration_s": LASTS.total_seconds(), **faults})
    world = World(Config(rules, read_routes(CONFIG), prices), plan)
    world.clock.at = START + MINUTE
    verdicts = Verdicts(Subjects(world.alerts, lambda: rules), world.alerts)
    fleet = Fleet(1, START + MINUTE)
    while world.clock.at < CONDITION:
        now = world.clock.at = world.clock.at + MINUTE
        assert world.take(recorded(fleet, now - MINUTE, now), now) == []
        if world.clock.at == CONDITION:
            said = {"verdict": "noise", "note": "a drill of the provider", "by": "ada"}
            verdicts.give("LLMAPIFailureRate", json.dumps(said).encode(), CONDITION)
        world.tick()
    budgets = Budgets(DirectLog(world.monitor), MemoryAlerts(), lambda: parse_budgets(BUDGET, "b"))
    figures = BudgetFigures(budgets).at(CONDITION)
    rows = [gauge_row(f.metric, f.labels, f.source, f.at, f.value) for f in figures]
    DirectExporter(world.monitor).metrics(rows)
    yield world.monitor
    world.close()


@pytest.fixture
def portal(store: MonitorStore) -> Portal:
    found: dict[str, str] = {}
    for file in sorted((ROOT / "infra" / "workbooks").glob("*.json")):
        found |= queries_of(json.loads(file.read_text(encoding="utf-8"))["items"])
    return Portal(store, found)


@pytest.mark.parametrize("panel", [p for p in PANELS.values() if not p.needs], ids=lambda p: p.name)
def test_a_panel_has_rows_with_the_columns_that_it_draws(panel: Panel, portal: Portal) -> None:
    answer = portal.ask(panel.name)
    assert set(panel.shows) <= set(answer.columns)
    assert answer.rows
    kinds = dict(zip(answer.columns, answer.types, strict=True))
    assert {kinds[column] for column in panel.y} <= {"real", "long", "int"}
    for row in portal.rows(panel.name):
        assert all(row[column] is not None for column in panel.y)


def test_from_a_row_of_the_spenders_to_its_calls_to_a_trace(portal: Portal) -> None:
    spender = portal.rows("spend_by_team_and_model")[0]
    portal.chosen["Spender"] = spender["Key"]
    calls = portal.rows("calls_of_spender")
    assert sum(call["Count"] for call in calls) == spender["Calls"] > 0
    assert sum(call["CostUsd"] for call in calls) == pytest.approx(spender["Usd"])
    portal.chosen["Trace"] = calls[0]["Key"]
    trace = portal.rows("trace")
    assert {row["OperationId"] for row in trace} == {calls[0]["OperationId"]}
    assert "llm.call" in {row["Name"] for row in trace}
    assert set(PANELS["trace"].shows) <= set(trace[0])


def test_from_a_rule_to_its_alerts_to_the_steps_of_one_with_their_reasons(portal: Portal) -> None:
    rules = {row["Alert"]: row for row in portal.rows("alerts_by_rule")}
    assert rules.keys() == set(RULES)
    rule = rules["LLMAPIFailureRate"]
    assert (rule["Fired"], rule["Incidents"], rule["Pages"], rule["Flaps"]) == (2, 2, 2, 1)
    assert 60 < rule["DetectedP95"] <= 120
    assert (rule["NotifiedP50"], rule["NotifiedP95"], rule["ResolvedMean"]) == (0, 60, 540)
    assert (rule["Verdicts"], rule["Noise"]) == (1, 100)

    portal.chosen["OfRule"] = rule["Key"]
    latest, first = portal.rows("alerts_of_rule")
    assert (latest["Verdict"], latest["State"], latest["Flap"]) == ("noise", "firing", "yes")
    assert (first["Verdict"], first["State"], first["Flap"]) == ("", "resolved", "")
    assert (latest["LastedS"], first["LastedS"]) == (240, 540)

    portal.chosen["OfEpisode"] = first["Key"]
    steps = portal.rows("steps_of_alert")
    assert set(PANELS["steps_of_alert"].shows) <= set(steps[0])
    assert [(step["What"], step["State"]) for step in steps[:7]] == [
        ("transition", "firing"),
        ("decision", "trigger"),
        ("page", "accepted"),
        ("decision", "no page"),
        ("transition", "resolved"),
        ("decision", "resolve"),
        ("page", "accepted"),
    ]
    assert steps[0]["EvidenceQuery"].startswith("UsageEvents\n")
    assert all(step["Reason"] for step in steps)
    portal.chosen["OfEpisode"] = latest["Key"]
    noted = [(step["Note"], step["SaidBy"]) for step in portal.rows("steps_of_alert")]
    assert ("a drill of the provider", "ada") in noted


def test_what_was_silenced_is_sent_to_no_one_and_says_why(portal: Portal) -> None:
    silenced = {row["Reason"]: row["Rules"] for row in portal.rows("nobody_told")}
    assert silenced["muted silence 1 of the plan"] == 1
    outcomes = {(row["State"], row["Action"]): row for row in portal.rows("deliveries")}
    assert outcomes["later", "trigger"]["Pages"] == 2
    assert {row["Alert"] for row in portal.rows("alert_history")} == set(RULES)


def test_a_choice_of_severities_and_rules_leaves_out_the_others(portal: Portal) -> None:
    severities = {row["label"]: row["value"] for row in portal.rows("Severity")}
    assert severities.keys() == {"critical", "warning"}
    portal.chosen["Severity"] = f"'{severities['warning']}'"
    assert {row["Alert"] for row in portal.rows("alert_history")} == {"HighTaskQueueBacklog"}
    assert not portal.rows("pages_a_week")
    portal.chosen["Severity"] = "'*'"
    rules = {row["label"]: row["value"] for row in portal.rows("Rule")}
    portal.chosen["Rule"] = f"'{rules['HighErrorRate']}'"
    assert {row["Alert"] for row in portal.rows("alerts_by_rule")} == {"HighErrorRate"}


def test_the_figures_of_alerts_are_those_of_their_history(portal: Portal) -> None:
    history = portal.rows("alert_history")
    (firing,) = portal.rows("alerts_firing")
    assert firing["Value"] == sum(row["State"] == "firing" for row in history)
    assert sum(row["Fired"] for row in portal.rows("alerts_over_time")) == len(history)
    assert sum(row["Fired"] for row in portal.rows("alerts_by_rule")) == len(history)
    (pages,) = portal.rows("pages_a_week")
    taken = sum(row["Pages"] for row in portal.rows("alerts_by_rule"))
    assert pages["Value"] == pytest.approx(taken * timedelta(days=7) / LASTS)
    (noise,) = portal.rows("noise_share")
    assert (noise["Value"], noise["Note"]) == (100, "1 of 1 verdicts")


def test_a_choice_of_teams_leaves_out_the_others(portal: Portal) -> None:
    teams = {row["label"]: row["value"] for row in portal.rows("Team")}
    assert {"atlas", "beacon", "(none)"} <= teams.keys()
    portal.chosen["Team"] = f"'{teams['atlas']}','{teams['beacon']}'"
    assert {row["TeamId"] for row in portal.rows("spend_by_agent")} == {"atlas", "beacon"}
    portal.chosen["Team"] = f"'{teams['(none)']}'"
    assert {row["TeamId"] for row in portal.rows("spend_by_agent")} <= {""}
    portal.chosen["Team"] = ""
    assert len({row["TeamId"] for row in portal.rows("spend_by_agent")}) > 2


def test_a_choice_of_environments_leaves_out_the_others(portal: Portal) -> None:
    (demo,) = portal.rows("Environment")
    portal.chosen["Environment"] = f"'{demo['value']}'"
    assert portal.rows("active_teams")
    portal.chosen["Environment"] = "'elsewhere'"
    assert not portal.rows("active_teams")
    assert not portal.rows("spent")


def test_the_tables_add_up_to_the_sum(portal: Portal) -> None:
    (spent,) = portal.rows("spent")
    for name in ("spend_by_team_and_model", "spend_by_agent", "total_llm_costs_hourly"):
        total = sum(row["Usd"] or 0 for row in portal.rows(name))
        assert total == pytest.approx(spent["Value"])
    unpriced = sum(row["Calls"] for row in portal.rows("unpriced_models"))
    rows = portal.rows("spend_by_team_and_model")
    assert sum(row["Unpriced"] for row in rows) == unpriced > 0
    assert f"{unpriced} unpriced" in spent["Note"]
    all_unpriced = [row for row in rows if row["Unpriced"] == row["Calls"]]
    assert {row["Provider"] for row in all_unpriced} == {"workshop"}
    assert {row["Usd"] for row in all_unpriced} == {None}


def test_rates_are_zero_where_nothing_happened_and_count_what_did(portal: Portal) -> None:
    rates = portal.rows("error_rate")
    outage = [row for row in rates if row["Series"] == "llm_gateway: provider_outage"]
    assert len(outage) == LASTS // timedelta(minutes=1)
    assert min(row["PerSecond"] for row in outage) == 0
    counted = sum(row["Errors"] for row in portal.rows("errors_by_component"))
    assert sum(row["PerSecond"] * 60 for row in rates) == pytest.approx(counted)


@pytest.mark.parametrize("file", SAVED, ids=lambda file: file.stem)
def test_a_saved_query_has_a_name_a_description_and_an_answer(
    file: Path, store: MonitorStore
) -> None:
    name, description, *query = file.read_text(encoding="utf-8").splitlines()
    assert name.startswith("// ")
    assert description.startswith("// ")
    assert store.query("\n".join(query), now=START + LASTS).rows
