"""GET /api/costs as an explorer: over time, compared, filtered, paged; and `ops costs` on it."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from ops.__main__ import main
from ops.console.command import Desk
from ops.console.terminal import Terminal
from tests.factories import event
from tests.fakes import START, FakeClock
from tests.journeys.laptop import Laptop, laptop
from tests.spans import span, wire
from tests.triggers.test_otlp import send

pytestmark = pytest.mark.slow

MILLION = {"input_tokens": 1_000_000, "output_tokens": 0}
"""Of gpt-4: 30 US dollars."""
ODD = 'Zürich, "東京" \\ 🗼'
FIELDS = "team,agent_type,agent,mission,tenant,environment,conversation,user,deployment,tier"


def call(number: int, hours_ago: float, **data: Any) -> dict[str, Any]:
    at = START - timedelta(hours=hours_ago)
    return {**event(number=number, usage=MILLION, **data), "time": at.isoformat()}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    with laptop(tmp_path_factory.mktemp("laptop"), FakeClock(START)) as running:
        running.post(
            [
                call(1, 1, team_id="red", mission_id="m1", deployment="house"),
                call(2, 2, team_id="red", mission_id="m2", count=2),
                call(3, 3, team_id=ODD, user_id="ada", conversation_id="c1"),
                call(4, 4, model="no-such", environment="prod", service_tier="batch"),
                call(5, 26, team_id=ODD),
                call(6, 27, team_id="gone"),
            ]
        )
        yield running


def costs(box: Laptop, query: str = "", path: str = "/api/costs") -> dict[str, Any]:
    answer = box.get(f"{path}?{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_rows_over_time_in_a_time_zone(box: Laptop) -> None:
    answer = costs(box, "by=team&period=2d&bucket=day&timezone=Asia/Tokyo")
    assert answer["buckets"] == [f"2026-11-{day}T00:00:00+09:00" for day in (21, 22, 23)]
    series = {row["team"]: row["series"]["cost_usd"] for row in answer["rows"]}
    assert series["red"] == [0, 0, 60]
    assert series[ODD] == [0, 30, 30]
    assert answer["series"]["calls"] == [0, 2, 5]


def test_a_period_is_held_against_the_one_before(box: Laptop) -> None:
    answer = costs(box, "by=team&compare=previous&sort=change")
    rows = {row["team"]: row for row in answer["rows"]}
    assert rows["red"]["trend"] == "new"
    assert (rows[ODD]["change_usd"], rows[ODD]["trend"]) == (0, "same")
    assert (rows["gone"]["previous_usd"], rows["gone"]["trend"]) == (30, "gone")
    assert (answer["previous_usd"], answer["change_usd"]) == (60, 30)
    assert answer["change_percent"] == 50
    assert answer["previous"]["to"] == answer["from"]


def test_the_rest_is_one_row_and_the_next_is_named(box: Laptop) -> None:
    answer = costs(box, "by=team&top=1")
    assert [row["team"] for row in answer["rows"]] == ["red"]
    assert (answer["groups"], answer["next"], answer["rest"]["groups"]) == (3, 1, 2)
    assert answer["rest"]["cost_usd"] + answer["rows"][0]["cost_usd"] == answer["total_usd"] == 90
    assert costs(box, "by=team&top=1&offset=1")["rows"][0]["team"] == ODD


@pytest.mark.parametrize("name", [*FIELDS.split(","), "provider", "model", "cost_status"])
def test_costs_are_reported_and_filtered_by_each(box: Laptop, name: str) -> None:
    answer = costs(box, f"by={name}")
    for row in answer["rows"]:
        given = row[name] or "(none)"
        value = quote(given.replace("\\", "\\\\").replace(",", "\\,"))
        only, others = costs(box, f"by={name}&{name}={value}"), costs(box, f"not_{name}={value}")
        assert [one[name] for one in only["rows"]] == [row[name]]
        assert (only["calls"], only["total_usd"]) == (row["calls"], row["cost_usd"])
        assert only["calls"] + others["calls"] == answer["calls"] == 5


def test_what_each_costs(box: Laptop) -> None:
    (red,) = costs(box, "by=team&team=red")["rows"]
    assert (red["missions"], red["cost_per_mission_usd"]) == (2, 30)
    assert (red["cost_per_call_usd"], red["cost_per_1k_tokens_usd"]) == (20, 0.03)
    assert red["share_percent"] == 100


def test_csv_has_a_line_for_each_bucket_and_the_rest(box: Laptop) -> None:
    query = "by=team&period=48h&bucket=day&top=1&format=csv"
    rows = list(csv.DictReader(io.StringIO(box.get(f"/api/costs?{query}").text, newline="")))
    assert [(row["bucket"], row["team"], row["cost_usd"]) for row in rows] == [
        ("2026-11-21T00:00:00+00:00", "red", "0"),
        ("2026-11-22T00:00:00+00:00", "red", "0"),
        ("2026-11-23T00:00:00+00:00", "red", "60"),
        ("2026-11-21T00:00:00+00:00", "(rest)", "0"),
        ("2026-11-22T00:00:00+00:00", "(rest)", "60"),
        ("2026-11-23T00:00:00+00:00", "(rest)", "30"),
    ]


def test_the_calls_behind_a_cost(box: Laptop) -> None:
    page = costs(box, "team=red&sort=time&top=1", "/api/costs/calls")
    (first,) = page["calls"]
    assert (page["count"], page["next"]) == (2, 1)
    assert (first["id"], first["cost_usd"], first["mission"]) == ("llm.call-1", 30, "m1")
    assert (first["agent"], first["missing"]) == (None, [])
    answer = box.get("/api/costs/calls?offset=9999&top=1000")
    assert answer.status_code == 400
    assert "Narrow it" in answer.json()["error"]


def typed(box: Laptop, *argv: str) -> tuple[int, str, str]:
    """Type `ops costs …`; return the exit code, the answer and what was noted."""
    out, err = io.StringIO(), io.StringIO()
    environment = {
        "AGENTMETER_URL": box.stack.app_url,
        "AGENTMETER_KEY": box.stack.places.key(),
    }
    code = main(["costs", *argv], Desk(Terminal(out, err), environment, box.clock))
    return code, out.getvalue(), err.getvalue()


def test_ops_costs_says_the_same(box: Laptop) -> None:
    code, said, noted = typed(box, "--by", "team", "--period", "24h", "--compare", "previous")
    assert code == 0
    assert said.startswith(
        "$90.00 from 2026-11-22T12:30 to 2026-11-23T12:30 UTC; $60.00 in the period before "
        "(+50.0 %); 1 calls have no price."
    )
    red = next(line for line in said.splitlines() if line.startswith("red"))
    assert red.split() == [
        *("red", "$60.00", "█" * 20, "66.7", "%", "$0.00", "+$60.00", "new"),
        *("3", "0", "$20.00", "$0.0300"),
    ]
    assert "1 calls of openai/no-such have no price" in noted


def test_ops_costs_narrows_pages_and_writes_json_and_csv(box: Laptop) -> None:
    _, said, _ = typed(box, "--by", "team", "--not-team", "red", "--top", "1", "--json")
    answer = json.loads(said)
    assert ([row["team"] for row in answer["rows"]], answer["rest"]["groups"]) == ([ODD], 1)
    _, said, _ = typed(box, "--by", "team", "--csv")
    assert said.splitlines()[0].startswith("team,cost_usd,calls,")
    _, said, _ = typed(box, "--team", "red", "--calls", "--sort", "time")
    assert [line.split()[-1] for line in said.splitlines()[1:]] == ["llm.call-1", "llm.call-2"]
    _, said, _ = typed(box, "--bucket", "day", "--period", "2d")
    assert "2026-11-22T00:00  $60.00" in said
    code, _, noted = typed(box, "--period", "soon")
    assert (code, "Send one of today" in noted) == (1, True)


def test_scopes_whose_spans_are_not_counted_are_named(box: Laptop) -> None:
    strange = [span({"my.tokens.in": 7}, n, scope="house.sdk") for n in (1, 2)]
    body = wire([*strange, span({"her.tokens": 7}, 3, scope="Möbel")]).SerializeToString()
    assert send(box, body).status_code == 200
    for minute in (1, 2):
        box.tick(START + timedelta(minutes=minute))
    unread = [{"scope": "house.sdk", "spans": 2}, {"scope": "Möbel", "spans": 1}]
    assert costs(box, "period=today&team=red")["unread"] == unread
    assert costs(box, "from=2026-11-20&to=2026-11-22")["unread"] == []
    assert "2 spans of house.sdk count tokens in words that are not known" in typed(box)[2]
