"""Why an alert fires, and what people say of it: over HTTP and by `ops`, on the laptop's stack."""

import json
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import requests

from functions.openapi.why import VerdictShown, Why
from ops.__main__ import main
from ops.console.command import Desk
from ops.console.stack import DESCRIPTION
from ops.console.terminal import Terminal
from tests.factories import event
from tests.fakes import START, FakeClock
from tests.journeys.laptop import TIMEOUT_S, Laptop, laptop, minutes, small_config

MINUTE = timedelta(minutes=1)

pytestmark = pytest.mark.xdist_group("alerts")  # one scene for all


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    """A stack in which HighErrorRate fired for some minutes, and fires once more."""
    home = tmp_path_factory.mktemp("laptop")
    config = small_config(home / "config", "")
    with laptop(home, FakeClock(START), AGENTMETER_CONFIG=config) as running:
        for number, at in enumerate(minutes(START, 20)):
            bad = number < 5 or number > 15
            running.clock.advance(seconds=(at - running.clock.now()).total_seconds())
            slices = [at - timedelta(seconds=n) for n in range(1, 61, 2)]
            errors = [event("error", count=40 if bad else 1) for _ in slices]
            running.post(
                [
                    one | {"id": f"{moment}", "time": moment.isoformat()}
                    for one, moment in zip(errors, slices, strict=True)
                ]
            )
            running.tick(at)
        description = json.dumps(running.stack.describe())
        (home / DESCRIPTION).write_text(description, encoding="utf-8")
        yield running


def why(box: Laptop, id: str) -> dict[str, Any]:
    answer = box.get(f"/api/alerts/{id}/why")
    assert answer.status_code == 200, answer.text
    Why.model_validate_json(answer.content)
    return answer.json()


def say(box: Laptop, id: str, body: object) -> requests.Response:
    return box.http.post(
        f"{box.stack.app_url}/api/alerts/{id}/verdict",
        json=body,
        headers={"x-functions-key": box.stack.places.key()},
        timeout=TIMEOUT_S,
    )


def ops(box: Laptop, *words: str) -> tuple[int, str, str]:
    """Return the exit code and what was said on both streams."""
    out, err = StringIO(), StringIO()
    environment = {
        "AGENTMETER_URL": box.stack.app_url,
        "AGENTMETER_KEY": box.stack.places.key(),
        "AGENTMETER_HOME": str(box.stack.places.home),
        "USER": "ada",
    }
    code = main(words, Desk(Terminal(out, err), environment, box.clock))
    return code, out.getvalue(), err.getvalue()


def test_what_fires_is_explained_by_its_id_and_by_its_rule(box: Laptop) -> None:
    (alert,) = box.get("/api/alerts").json()["alerts"]
    answer = why(box, alert["id"])
    assert answer == why(box, "HighErrorRate") == why(box, "HighErrorRate.critical")
    assert {name: answer[name] for name in alert} == alert
    assert answer["sentence"].startswith("HighErrorRate has fired since 12:4")
    assert "errors a second, over 10 (" in answer["sentence"]
    assert "Receiver critical was notified at 12:4" in answer["sentence"]
    assert "the page was taken (202)" in answer["sentence"]


def test_it_shows_the_rule_and_what_the_last_evaluation_found(box: Laptop) -> None:
    answer = why(box, "HighErrorRate")
    main, fast = answer["rule"]["looks"]
    assert (main["condition"], main["hold_s"], main["window_s"]) == (
        "> 10",
        300,
        300,
    )
    found = {item["look"]: item for item in answer["evidence"]}
    assert found["main"]["value"] > 10
    assert "TimeGenerated >= datetime(2026-11-23T12:44:00.0000000Z)" in found["main"]["query"]
    assert "{start}" in fast["query"]
    assert box.query(found["main"]["query"]) == [[found["main"]["value"]]]


def test_its_history_goes_from_the_resolve_to_the_first_breach(box: Laptop) -> None:
    answer = why(box, "HighErrorRate")
    states = [step["state"] for step in answer["history"] if step["kind"] == "transition"]
    assert states == ["firing", "resolved", "firing"]
    decided = [step["reason"] for step in answer["history"] if step["kind"] == "decision"]
    assert decided == ["nothing new", "first", "all resolved", "nothing new", "first"]
    fired = [step for step in answer["history"] if step["state"] == "firing"]
    assert [step["measures"]["flap"] for step in fired] == [1, 0]
    assert all(60 <= step["measures"]["detection_delay_s"] <= 120 for step in fired)
    onsets = [item["rows"][0]["onset"] for item in fired[1]["evidence"] if item["look"] == "fast"]
    assert onsets == ["2026-11-23T12:30:01+00:00"]
    times = [step["at"] for step in answer["history"]]
    assert times == sorted(times, reverse=True)
    assert [page["delivery"] for page in answer["incident"]["pages"]] == ["accepted"] * 3


def test_a_rule_that_is_silent_says_what_it_found(box: Laptop) -> None:
    answer = why(box, "RuleEvaluationFailing")
    assert (answer["state"], answer["history"], answer["incident"]) == ("inactive", [], None)
    assert answer["sentence"].startswith(
        "RuleEvaluationFailing is silent: at 12:50 its query found 0"
    )


@pytest.mark.parametrize("id", ["nothing", "HighErrorRate.warning", "HighErrorRate.critical.12"])
def test_an_alert_that_no_one_knows_is_not_found(box: Laptop, id: str) -> None:
    for answer in (box.get(f"/api/alerts/{id}/why"), say(box, id, {"verdict": "real"})):
        assert answer.status_code == 404
        assert answer.json()["error"].endswith("GET /api/alerts lists their ids.")


def test_a_verdict_is_kept_with_its_episode_and_a_later_one_takes_its_place(box: Laptop) -> None:
    body = {"verdict": "noise", "note": "a load test", "by": "ada"}
    given = say(box, "HighErrorRate", body)
    assert given.status_code == 200, given.text
    VerdictShown.model_validate_json(given.content)
    assert say(box, "HighErrorRate", {"verdict": "real"}).status_code == 200
    answer = why(box, "HighErrorRate")
    assert answer["verdict"] == {
        "episode": answer["episode"],
        "verdict": "real",
        "note": "",
        "by": "",
        "at": box.clock.now().isoformat(),
    }
    assert [step["state"] for step in answer["history"] if step["kind"] == "verdict"] == ["real"]


@pytest.mark.parametrize(
    ("id", "body", "says"),
    [
        ("HighErrorRate", {"verdict": "wrong"}, "verdict: Input should be 'real'"),
        ("HighErrorRate", {}, "verdict: Field required"),
        ("HighErrorRate", {"verdict": "real", "who": "me"}, "who: Extra inputs"),
        ("HighErrorRate", [], "Send {"),
        ("RuleEvaluationFailing", {"verdict": "real"}, "has not fired"),
    ],
)
def test_a_verdict_that_is_none_is_refused_with_the_remedy(
    box: Laptop, id: str, body: object, says: str
) -> None:
    answer = say(box, id, body)
    assert (answer.status_code, says in answer.json()["error"]) == (400, True), answer.text


def test_history_lands_in_alerthistory_and_not_in_usageevents(box: Laptop) -> None:
    box.app.tick.run(box.clock.now())
    rows = box.query("AlertHistory | where State == 'firing' | project Alert, Severity, Series")
    assert rows == [["HighErrorRate", "critical", "{}"]] * 2
    assert box.query("UsageEvents | where Name startswith 'alert.' | count") == [[0]]
    steps = [step["id"] for step in why(box, "HighErrorRate")["history"]]
    found = [
        row[0] for row in box.query("AlertHistory | where Alert == 'HighErrorRate' | project RowId")
    ]
    assert sorted(found) == sorted(steps)


def test_ops_explains_it_to_a_person_and_to_a_machine(box: Laptop) -> None:
    code, said, _ = ops(box, "why", "HighErrorRate")
    assert code == 0
    assert said.startswith("HighErrorRate has fired since ")
    assert "docs/runbooks/HighErrorRate.md" in said
    assert "What happened, newest first" in said
    answer = json.loads(ops(box, "why", "HighErrorRate", "--json")[1])
    assert answer.pop("context")["before"]
    assert answer == why(box, "HighErrorRate")
    code, _, err = ops(box, "why", "nothing")
    assert (code, "There is no alert or rule 'nothing'." in err) == (1, True)


def test_ops_gives_a_verdict_and_reports_how_good_the_rules_are(box: Laptop) -> None:
    code, said, _ = ops(box, "verdict", "HighErrorRate", "noise", "--note", "tests", "--json")
    assert (code, json.loads(said)["by"]) == (0, "ada")
    box.app.tick.run(box.clock.now())
    box.clock.advance(seconds=1)
    code, said, err = ops(box, "alerts", "report", "--last", "7d", "--json")
    assert code == 0, err
    answer = json.loads(said)
    (row,) = answer["rules"]
    assert (row["alert"], row["fired"], row["flaps"], row["verdicts"]) == ("HighErrorRate", 2, 1, 1)
    assert (row["noise_percent"], row["pages_a_week"]) == (100, None)
    assert 0 < answer["known_s"] < 86_400  # of seven days; too little to tell a week
    assert 60 <= row["detection_p50_s"] <= 120
    assert row["notify_p50_s"] == 0
    assert row["mttr_s"] >= 60
    assert ops(box, "alerts", "report")[1].splitlines()[1].startswith("HighErrorRate")
