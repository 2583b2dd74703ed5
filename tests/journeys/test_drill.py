"""`ops drill`: a marked page goes the way of the rule's own, and its incident never stays open."""

import io
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ops.__main__ import main
from ops.console.command import Desk
from ops.console.terminal import Terminal
from shared.adapters.config.config_folder import read_routes
from shared.alerting.compose import Sender
from shared.alerting.record import RuleRecord
from shared.errors import Misconfigured, RetryLater
from shared.usecases.explaining.drill import Drill, named
from tests.fakes import START, FakeClock
from tests.in_memory import MemoryAlerts
from tests.journeys.laptop import Laptop, laptop
from tests.journeys.scenario import CONFIG, RULES

MINUTE = timedelta(minutes=1)


class Officer:
    """Someone at a stack, who types while its timer goes on."""

    def __init__(self, box: Laptop) -> None:
        self.box = box
        home = box.stack.places.home
        (home / "local.json").write_text(json.dumps(box.stack.describe()))
        self.environment = {"AGENTMETER_HOME": str(home)}
        self.err = ""

    def drill(self, *words: str, pause: Callable[[float], object] | None = None) -> tuple[int, str]:
        """Run the command; while it waits, the minutes pass and the timer ticks."""
        out, err = io.StringIO(), io.StringIO()
        desk = Desk(Terminal(out, err), self.environment, self.box.clock, pause or self.minute)
        code = main(["drill", *words], desk)
        self.err = err.getvalue()
        return code, out.getvalue()

    def minute(self, _: float = 0) -> None:
        self.box.tick(self.box.clock.now() + MINUTE)


@pytest.fixture
def officer(tmp_path: Path) -> Iterator[Officer]:
    with laptop(tmp_path, FakeClock(START)) as box:
        yield Officer(box)


def test_a_drill_is_taken_and_resolved_and_says_what_it_is(officer: Officer) -> None:
    code, out = officer.drill("LowDatabaseConnections", "--json")

    answer = json.loads(out)
    assert (code, answer["ok"], answer["receiver"]) == (0, True, "warning")
    assert [step["after_s"] for step in answer["steps"]] == [0, 60, 120]
    (incident,) = officer.box.incidents()
    assert incident.dedup_key == "agentmeter/local/Drill_LowDatabaseConnections/warning"
    assert incident.resolved_at
    assert answer["summary"].startswith("[DRILL] [WARNING] Low database connections: 2 idle at dri")


def test_a_drill_leaves_the_rules_own_state_alone(officer: Officer) -> None:
    officer.drill("HighErrorRate")
    rules = {one["rule"]: one for one in officer.box.get("/api/alerts").json()["rules"]}
    assert rules["HighErrorRate/critical"]["state"] == "inactive"
    code, out = officer.drill("HighErrorRate")
    assert code == 0
    assert out.count("critical") == 2


def test_a_drill_that_is_stopped_is_resolved_all_the_same(officer: Officer) -> None:
    def stop(_: float) -> None:
        raise KeyboardInterrupt

    assert officer.drill("HighErrorRate", pause=stop)[0] == 1
    assert "is resolved at the next evaluation" in officer.err

    officer.minute()
    officer.minute()

    (incident,) = officer.box.incidents()
    assert incident.resolved_at


def test_a_receiver_that_does_not_take_it_is_reported_with_what_it_said(tmp_path: Path) -> None:
    with laptop(tmp_path, FakeClock(START), PAGERDUTY_CRITICAL_KEY="") as box:
        officer = Officer(box)
        code, out = officer.drill("HighErrorRate")
        assert code == 1
        assert "written" in out
        assert "critical did not take all within 5 minutes. It said: There is no" in officer.err
        assert box.incidents() == []


def test_one_drill_of_a_rule_at_a_time() -> None:
    drill = Drill(MemoryAlerts(), read_routes(CONFIG), Sender("here", ""))
    drill.start(RULES["HighErrorRate/critical"], START)
    with pytest.raises(RetryLater, match="goes on"):
        drill.start(RULES["HighErrorRate/critical"], START)


def test_a_page_of_a_drill_says_so_to_machines_too() -> None:
    alerts = MemoryAlerts()
    page = Drill(alerts, read_routes(CONFIG), Sender("here", "")).start(
        RULES["HighErrorRate/critical"], START
    )
    details: Any = page.body["custom_details"]
    assert (details["drill"], details["firing"], page.route) == (True, 1, "critical")
    assert isinstance(alerts.load(page.rule), RuleRecord)


def test_outside_of_the_laptop_it_takes_a_yes(tmp_path: Path) -> None:
    err = io.StringIO()
    environment = {
        "AGENTMETER_HOME": str(tmp_path),
        "APPLICATIONINSIGHTS_CONNECTION_STRING": "InstrumentationKey=none",
        "LOGS_WORKSPACE_ID": "w",
        "AGENTMETER_DEPLOYMENT": "prod-eu",
        "AzureWebJobsStorage__tableServiceUri": "https://nowhere.invalid",
    }
    desk = Desk(Terminal(io.StringIO(), err), environment, FakeClock())
    assert main(["drill", "HighErrorRate"], desk) == 2
    assert "A drill in deployment prod-eu pages the person on call" in err.getvalue()


def test_a_rule_is_named_or_chosen_among_two() -> None:
    rule = RULES["HighErrorRate/critical"]
    twin = rule.model_copy(update={"severity": "warning"})
    assert named([rule, twin], "HighErrorRate/warning") is twin
    for name, said in (("Nobody", "There is no rule Nobody"), ("HighErrorRate", "is two rules")):
        with pytest.raises(Misconfigured, match=said):
            named([rule, twin], name)
