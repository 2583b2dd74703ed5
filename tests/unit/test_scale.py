"""docs/scale.md says what follows from the last measure, the limits and the prices."""

import json
import re
from functools import cache

import pytest

from bench import scale
from bench.limits import LIMITS, MOST_PARTITIONS, PARTITIONS, Limit, deployments
from bench.traffic import REQUEST_US, Figures, Traffic, between, figures
from ops.bill import rates
from ops.bill.month import Deployment, month
from shared.settings import Settings


@cache
def found() -> Figures:
    return figures(scale.HISTORY.read_text(encoding="utf-8"))


def limit(name: str) -> Limit:
    return next(one for one in LIMITS if one.name == name)


def test_the_page_has_the_tables_of_the_last_measure() -> None:
    page = scale.DOC.read_text(encoding="utf-8")
    written = page.partition(scale.BEGIN)[2].partition(scale.END)[0]
    assert written == scale.section(found()), "Run `make scale`."


def test_a_measure_that_lacks_a_row_names_it() -> None:
    line = json.loads(scale.HISTORY.read_text(encoding="utf-8").splitlines()[-1])
    line["rows"] = [row for row in line["rows"] if "500 a message" not in row["what"]]
    with pytest.raises(KeyError, match=r"Azure Tables .*500 a message"):
        figures(json.dumps(line))


def test_the_time_of_requests_is_that_of_decision_28() -> None:
    text = (scale.ROOT / "docs/decisions/0028-small-requests.md").read_text(encoding="utf-8")
    stated = re.findall(r"^\| (one event|1,000 events \(260 kB\)) \| ([\d.]+) ms", text, re.M)
    assert [float(ms) * 1_000 for _, ms in stated] == list(REQUEST_US.values())


def test_the_bounds_of_settings_are_their_own() -> None:
    field = Settings.model_fields["CLAIM_PARTITIONS"]
    most = Settings.model_json_schema()["properties"]["CLAIM_PARTITIONS"]["maximum"]
    assert (field.default, most) == (PARTITIONS, MOST_PARTITIONS)
    bicep = (scale.ROOT / "infra/main.bicep").read_text(encoding="utf-8")
    assert f"param maximumInstances int = {limit('instances').most}\n" in bicep


@pytest.mark.parametrize(
    ("name", "batch", "events"),
    [
        pytest.param("queue", 1, 2_000, id="messages of one event"),
        pytest.param("queue", 100, 200_000, id="messages of 100"),
        pytest.param("component", 1, 32_000 / 7, id="rows and their own"),
    ],
)
def test_a_limit_is_reached_where_it_is_used_up(name: str, batch: int, events: float) -> None:
    assert limit(name).reached(batch, found()) == pytest.approx(events)


def test_deployments_are_as_many_as_keep_every_limit() -> None:
    traffic = Traffic(1e5, 100, found())
    parts = deployments(traffic)
    one, more = (Traffic(1e5 / n, 100, found()) for n in (parts, parts - 1))
    assert all(each.used(one) <= each.most * 1.000001 for each in LIMITS if each.split)
    assert any(each.used(more) > each.most for each in LIMITS if each.split)


def test_between_two_measures_a_line_is_straight() -> None:
    points = {1: 10.0, 25: 34.0, 500: 509.0}
    assert [between(points, n) for n in (1, 13, 25, 100)] == [10, 22, 34, 109]


def test_requests_that_share_an_instance_are_billed_once() -> None:
    many = Deployment(calls=2.6e9, batch=1, instance_gb=2, instances=3)
    running = next(line for line in month(many) if "evaluations" in line.what)
    seconds = 3 * 2_592_000 + 172_800
    assert running.usd == pytest.approx((2 * seconds - 100_000) * 0.000026)


def test_logs_cost_what_the_cheapest_commitment_does() -> None:
    (logs,) = (line for line in month(Deployment(calls=1e10)) if line.what.startswith("logs"))
    amount_gb = float(logs.how.split(" GB")[0].replace(",", ""))
    assert "200 GB a day are committed" in logs.how
    assert logs.usd < rates.LOGS.of(amount_gb - rates.FREE_GB)
