"""A real Prometheus scrapes two instances over one store, and answers what dashboards ask."""

import tomllib
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from shared.metrics.catalogue import METRICS
from tests.factories import DATA, event
from tests.fakes import START, FakeClock
from tests.journeys.laptop import Laptop, laptop
from tests.prometheus import Prometheus

PLAN: dict[str, dict[str, Any]] = tomllib.loads(
    (Path(__file__).parent / "plan.toml").read_text(encoding="utf-8")
)
TOKEN = "scraper"  # noqa: S105  # of a server that lives for a minute
DURATIONS = {0.2: 50, 0.8: 40, 3.0: 10}
USAGE = {"input_tokens": 9_000_000, "output_tokens": 500_000}  # of gpt-4, 300 USD
NUMBERS = count()
pytestmark = pytest.mark.xdist_group("prometheus")  # one scene for all


def counted(type_: str, **data: Any) -> dict[str, Any]:
    """Return an event that was never sent before, of this moment."""
    made = event(type_, next(NUMBERS), **data)
    return {**made, "time": START.isoformat()}


def a_bad_minute() -> list[dict[str, Any]]:
    """Return events of every kind, for which every alert is true."""
    requests = [counted("http.request", duration_s=s, count=n) for s, n in DURATIONS.items()]
    calls = [
        counted("llm.call", duration_s=1.5, count=50, usage=USAGE),
        counted("llm.call", duration_s=45, count=50, status="error", usage=None),
    ]
    work = [counted("agent.operation"), counted("agent.operation", status="failure", count=3)]
    others = [
        counted("error", count=1_000_000),
        counted("db.pool", value=1),
        counted("task.queue", value=140),
        counted("mission.completed", count=2),
    ]
    special = {e["type"] for e in [*requests, *calls, *work, *others]}
    plain = [counted(kind) for kind in DATA if kind not in special]
    return [*requests, *calls, *work, *others, *plain]


class Scene:
    """Prometheus and what it scrapes: instances of the app that share what they remember."""

    def __init__(self, folder: Path, prometheus: Prometheus) -> None:
        self._folder = folder
        self._sent = 0
        self.prometheus = prometheus

    def instance(self, name: str) -> Any:
        """Start one; the one of a name that ran before is a restart."""
        state = f"sqlite:{self._folder / 'shared.db'}"
        settings = {"AGENTMETER_STATE": state, "METRICS_TOKEN": TOKEN}
        return laptop(self._folder / name, FakeClock(START), **settings)

    def send(self, box: Laptop) -> None:
        """Send events to an instance, let it be scraped, and wait until Prometheus has them."""
        events = a_bad_minute()
        box.post(events)
        self._sent += len(events)
        self.prometheus.scrape(box.stack.app_url)
        expected = [float(self._sent)]
        self.prometheus.until(
            lambda: self.prometheus.values("sum(agentmeter_events_total)") == expected,
            f"to see {self._sent} events",
        )


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Events came to one instance, to another, and to the first one after a restart."""
    folder = tmp_path_factory.mktemp("scraped")
    with Prometheus(folder, TOKEN) as prometheus:
        scene = Scene(folder, prometheus)
        with scene.instance("other") as other:
            with scene.instance("one") as one:
                scene.send(one)
                scene.send(one)
            scene.send(other)
            with scene.instance("one") as one:
                scene.send(one)
                scene.send(other)
                yield prometheus


@pytest.mark.parametrize("name", PLAN["metrics"])
def test_a_metric_of_the_plan_has_its_name_kind_labels_and_buckets(
    scene: Prometheus, name: str
) -> None:
    plan = PLAN["metrics"][name]
    is_counter = plan["kind"] == "counter"
    family = name.removesuffix("_total") if is_counter else name
    assert scene.kinds()[family] == plan["kind"]
    sample = f"{name}_bucket" if plan["kind"] == "histogram" else name
    found = scene.series(sample)
    assert found
    own = {"__name__", "instance", "job"}
    for labels in found:
        assert labels.keys() - own - {"le"} == set(plan["labels"])
    bounds = {float(labels["le"]) for labels in found if "le" in labels}
    assert sorted(bounds) == plan.get("buckets", []) + [float("inf")] * bool(bounds)


def test_every_metric_of_our_own_is_known_too(scene: Prometheus) -> None:
    families = {
        m.name.removesuffix("_total") if m.kind == "counter" else m.name: m.kind
        for m in METRICS.values()
    }
    kinds = scene.kinds()
    assert {name: kinds[name] for name in families} == families
    assert scene.values('agentmeter_config_problems{file="rules"}') == [0.0]


@pytest.mark.parametrize(
    ("expr", "value"),
    [
        pytest.param(asked["expr"], asked.get("value"), id=name)
        for part in ("dashboards", "alerts")
        for name, asked in PLAN[part].items()
    ],
)
def test_what_dashboards_and_alerts_ask_has_an_answer(
    scene: Prometheus, expr: str, value: float | None
) -> None:
    answers = scene.values(expr)
    assert answers
    assert value is None or answers == [pytest.approx(value, rel=1e-6)]
    assert all(answer > 0 for answer in answers)


def test_no_counter_goes_down_when_instances_change_and_restart(scene: Prometheus) -> None:
    totals = [m.name for m in METRICS.values() if m.kind == "counter"]
    spreads = [m.name for m in METRICS.values() if m.kind == "histogram"]
    parts = [f"{name}_{part}" for name in spreads for part in ("bucket", "sum", "count")]
    for name in [*totals, *parts]:
        assert not any(scene.values(f"resets({name}[10m])")), name
        if name in PLAN["metrics"]:
            assert min(scene.values(f"changes({name}[10m])")) >= 3, name
