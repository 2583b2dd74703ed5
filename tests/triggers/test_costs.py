"""GET /api/costs over HTTP, against rows that came through the whole pipeline."""

import csv
import io
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests

from shared.events.types import LlmCall
from shared.pricing.price import load
from tests.factories import event
from tests.fakes import START, FakeClock
from tests.journeys.laptop import Laptop, laptop

MILLION = {"input_tokens": 1_000_000, "output_tokens": 0}
"""Of gpt-4: 30 US dollars."""


def call(number: int, hours_ago: float, **data: Any) -> dict[str, Any]:
    at = START - timedelta(hours=hours_ago)
    sent = event("llm.call", number, **({"usage": MILLION} | data))
    return {**sent, "time": at.isoformat()}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    with laptop(tmp_path_factory.mktemp("laptop"), FakeClock(START)) as running:
        running.post(
            [
                call(1, 1, team_id="red"),
                call(2, 2, team_id="red", count=2),
                call(3, 3, team_id="=cmd()", model="no-such"),
                call(4, 4, model="no-such", count=5),
                call(5, 5, model="gpt-4o-audio-preview", team_id="blue"),
                call(6, 6, usage=None, team_id="blue"),
                call(7, 30, team_id="red"),
                call(8, 24 * 20, team_id="old"),
            ]
        )
        yield running


def costs(box: Laptop, query: str = "") -> dict[str, Any]:
    answer = box.get(f"/api/costs?{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_by_default_it_says_the_last_day_by_model(box: Laptop) -> None:
    answer = costs(box)
    assert (answer["from"], answer["to"]) == (
        "2026-11-22T12:30:00+00:00",
        "2026-11-23T12:30:00+00:00",
    )
    assert [(row["model"], row["cost_usd"], row["calls"]) for row in answer["rows"]] == [
        ("gpt-4", 60.0, 4),
        ("gpt-4o-audio-preview", 2.5, 1),
        ("no-such", None, 6),
    ]
    assert (answer["by"], answer["total_usd"], answer["calls"]) == ("model", 62.5, 11)


def test_a_mixed_row_says_how_many_of_its_calls_have_no_price(box: Laptop) -> None:
    (gpt4,) = [row for row in costs(box)["rows"] if row["model"] == "gpt-4"]
    assert (gpt4["calls"], gpt4["unpriced_calls"]) == (4, 1)
    assert gpt4["input_tokens"] == 2_000_000


def test_calls_that_named_no_team_are_distinguished(box: Laptop) -> None:
    rows = {row["team"]: row["cost_usd"] for row in costs(box, "by=team")["rows"]}
    assert rows == {"red": 60.0, "=cmd()": None, None: None, "blue": 2.5}


def test_two_dimensions_by_comma_or_by_repetition(box: Laptop) -> None:
    answer = costs(box, "by=team,model")
    assert answer == costs(box, "by=team&by=model")
    assert answer["rows"][0]["team"] == "red"
    assert answer["rows"][0]["model"] == "gpt-4"
    assert answer["by"] == "team,model"


def test_a_call_counts_at_its_own_time_even_where_azure_has_it_later(box: Laptop) -> None:
    answer = costs(box, "by=team&from=2026-11-03&to=2026-11-04")
    assert [(row["team"], row["cost_usd"]) for row in answer["rows"]] == [("old", 30.0)]
    assert costs(box, "from=2026-11-20&to=2026-11-22")["rows"] == []


def test_periods_that_touch_add_up(box: Laptop) -> None:
    whole = costs(box, "from=2026-11-01T00:00:00Z")["total_usd"]
    cut = "2026-11-23T10:30:00Z"  # the very moment of a call
    parts = costs(box, f"from=2026-11-01&to={cut}"), costs(box, f"from={cut}")
    assert whole == sum(part["total_usd"] for part in parts) == 122.5


def test_nothing_at_all_costs_nothing(box: Laptop) -> None:
    answer = costs(box, "from=2026-10-01&to=2026-10-02")
    assert (answer["rows"], answer["total_usd"], answer["unpriced"]) == ([], 0.0, [])


def test_only_unpriced_calls_have_no_total(box: Laptop) -> None:
    answer = costs(box, "from=2026-11-23T08:00:00Z&to=2026-11-23T10:00:00Z")
    assert (answer["calls"], answer["total_usd"]) == (6, None)


def test_unpriced_models_come_with_the_entry_that_would_price_them(box: Laptop) -> None:
    no_such, no_usage = costs(box)["unpriced"]
    add = no_such.pop("add")
    assert no_such == {
        "provider": "openai",
        "model": "no-such",
        "calls": 6,
        "input_tokens": 2_000_000,
        "output_tokens": 0,
        "first_seen": "2026-11-23T08:30:00+00:00",
        "last_seen": "2026-11-23T09:30:00+00:00",
        "missing": [],
    }
    filled = add.replace(" =   #", " = 2 #").replace('""', '"the page"')
    assert tomllib.loads(filled)["price"][0]["model"] == "no-such"
    assert load(filled).price(
        LlmCall.model_validate(call(0, 0, model="no-such")["data"]), START
    ).usd == Decimal(2)
    assert (no_usage["missing"], no_usage["add"], no_usage["calls"]) == (["usage"], None, 1)


@pytest.mark.parametrize(
    "ask",
    [{"params": {"format": "csv"}}, {"headers": {"Accept": "text/csv"}}],
    ids=["format", "accept"],
)
def test_csv_that_no_spreadsheet_takes_for_a_formula(box: Laptop, ask: dict[str, Any]) -> None:
    key = {"x-functions-key": box.stack.places.key()}
    url = f"{box.stack.app_url}/api/costs?by=team"
    answer = requests.get(
        url, params=ask.get("params"), headers=key | ask.get("headers", {}), timeout=30
    )
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert answer.text.count("\r\n") == 5
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [(row["team"], row["cost_usd"], row["unpriced_calls"]) for row in rows] == [
        ("red", "60", "0"),
        ("blue", "2.5", "1"),
        ("", "", "5"),
        ("'=cmd()", "", "1"),
    ]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        pytest.param("by=colour", "by='colour' is unknown. Send one of team, ", id="by"),
        pytest.param("by=team,", "by='' is unknown", id="by nothing"),
        pytest.param("by=team,team", "each once", id="by one twice"),
        pytest.param("by=team,model,tenant", "at most 2", id="by three"),
        pytest.param("by=TeamId;drop", "is unknown", id="by a column"),
        pytest.param("from=yesterday", "from='yesterday' is no time", id="no time"),
        pytest.param("to=2026-11-23T10:00:00", "to=", id="no zone"),
        pytest.param("from=2026-11-23T10:00:00+01:00", "%2B", id="plus is a space"),
        pytest.param("from=0001-01-01T00:00:00%2B14:00", "from 2000 on", id="before all time"),
        pytest.param("from=2026-11-23&to=2026-11-22", "not before", id="backwards"),
        pytest.param("from=2026-12-01&to=2026-12-02", "in the future", id="future"),
        pytest.param("period=soon", "period='soon' is unknown. Send one of today, ", id="period"),
        pytest.param("period=7d&to=2026-11-23", "sent together. Send either", id="two periods"),
        pytest.param("timezone=Berlin", "Send an IANA name, such as Europe/Berlin", id="zone"),
        pytest.param("bucket=minute", "Send one of hour, day, week, month", id="bucket"),
        pytest.param("bucket=hour&period=last_year", "larger bucket, or top=11.", id="cells"),
        pytest.param("sort=colour", "sort='colour' is unknown. Send one of cost, ", id="sort"),
        pytest.param("sort=change", "needs a comparison. Add compare=previous", id="change"),
        pytest.param("top=0", "top='0' is no number from 1 to 10,000", id="top"),
        pytest.param("offset=-1", "offset='-1' is no number from 0", id="offset"),
        pytest.param("team=a%00", "a character that cannot be seen", id="unseen"),
        pytest.param("team=" + ",".join(["x"] * 201), "team has 201 values, ", id="many"),
        pytest.param("format=xml", "format='xml' is unknown. Send one of json, csv", id="format"),
        pytest.param("since=2026-11-22", "'since' is no parameter. Known are by, ", id="unknown"),
    ],
)
def test_a_wrong_parameter_is_named_with_the_remedy(box: Laptop, query: str, said: str) -> None:
    answer = box.get(f"/api/costs?{query}")
    assert answer.status_code == 400
    assert said in answer.json()["error"]
    assert answer.json()["error"].endswith(".")


def test_a_key_in_the_address_is_no_unknown_parameter(box: Laptop) -> None:
    url = f"{box.stack.app_url}/api/costs?code={box.stack.places.key()}"
    assert requests.get(url, timeout=30).status_code == 200
    assert requests.get(url + "x", timeout=30).status_code == 401
