import subprocess
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import cast

import pytest
from prometheus_client import Metric as Family
from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics_parser

from shared.metrics.catalogue import METRICS
from shared.metrics.metric import Metric
from shared.metrics.points import Labels, SeriesState
from shared.metrics.prometheus import OPENMETRICS, TEXT, Format, exposition
from tests.prometheus import installed

Parse = Callable[[str], Iterable[Family]]
plain_text: Parse = parser.text_string_to_metric_families
openmetrics = cast("Parse", openmetrics_parser.text_string_to_metric_families)

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
ODD = 'a "quoted" \\ back\\nslash\nand a line, {braces} = ü'


def labels_of(metric: Metric) -> Labels:
    return tuple((label, f"{label}: {ODD}") for label in metric.labels)


def of_kind(kind: str) -> list[Metric]:
    return [metric for metric in METRICS.values() if metric.kind == kind]


STATE = SeriesState(
    counters={(m.name, labels_of(m)): Decimal("1234567.000001") for m in of_kind("counter")},
    gauges={(m.name, labels_of(m), "a"): (NOW, -0.5) for m in of_kind("gauge")},
    histograms={
        (m.name, labels_of(m)): (len(m.buckets) + 1, 1e-7, (1,) * (len(m.buckets) + 1))
        for m in of_kind("histogram")
    },
)


def expected() -> dict[str, dict[str, str]]:
    """Every sample's name → its labels, le left out."""
    suffixes = {"counter": [""], "gauge": [""], "histogram": ["_bucket", "_sum", "_count"]}
    return {
        metric.name + suffix: dict(labels_of(metric))
        for metric in METRICS.values()
        for suffix in suffixes[metric.kind]
    }


@pytest.mark.parametrize(
    ("form", "parse"),
    [
        pytest.param(TEXT, plain_text, id="text"),
        pytest.param(OPENMETRICS, openmetrics, id="openmetrics"),
    ],
)
def test_a_parser_that_is_not_ours_reads_every_series_as_it_was(form: Format, parse: Parse) -> None:
    families = list(parse(exposition(STATE, NOW, form)))
    samples = [sample for family in families for sample in family.samples]
    found = {
        s.name: {name: value for name, value in s.labels.items() if name != "le"} for s in samples
    }
    assert found == expected()
    values = {s.name: s.value for s in samples}
    assert values["llm_cost_usd_total"] == 1234567.000001
    assert values["task_queue_size"] == -0.5
    assert values["llm_api_duration_seconds_sum"] == 1e-7


def test_openmetrics_names_families_without_total_and_says_units() -> None:
    families = {f.name: f for f in openmetrics(exposition(STATE, NOW, OPENMETRICS))}
    assert families["llm_cost_usd"].type == "counter"
    assert families["llm_cost_usd"].unit == "usd"
    assert families["llm_api_duration_seconds"].unit == "seconds"
    assert families["active_teams_total"].type == "gauge"
    kinds = {metric.name.removesuffix("_total"): metric.kind for metric in METRICS.values()}
    assert {name.removesuffix("_total"): f.type for name, f in families.items()} == kinds


def test_a_series_has_the_same_name_in_both_formats() -> None:
    text, openmetrics_text = (exposition(STATE, NOW, form) for form in (TEXT, OPENMETRICS))
    samples = [line for line in text.splitlines() if not line.startswith("#")]
    assert samples == [line for line in openmetrics_text.splitlines() if not line.startswith("#")]
    assert openmetrics_text.endswith("\n# EOF\n")


def test_a_metric_without_series_is_announced_all_the_same() -> None:
    nothing = SeriesState()
    assert {f.name for f in plain_text(exposition(nothing, NOW, TEXT))} >= {"task_queue_size"}
    assert len(list(openmetrics(exposition(nothing, NOW, OPENMETRICS)))) == len(METRICS)


def test_promtool_finds_nothing_to_complain_of() -> None:
    checked = subprocess.run(  # noqa: S603  # a fixed command, no shell
        [installed("promtool"), "check", "metrics"],
        input=exposition(STATE, NOW, TEXT).encode(),
        capture_output=True,
        check=False,
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
