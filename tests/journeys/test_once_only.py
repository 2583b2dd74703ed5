"""A fifth comes twice at every layer at once, and every call is counted and paid once."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from shared.adapters.azure.azure_monitor import AzureMonitorExporter
from shared.alerting.tallies import NO_TALLIES, Tallies
from shared.events.types import LlmCall
from shared.metrics.points import Point, SeriesState
from shared.pricing.price import load
from shared.rows import EventRow, ExportLater, ExportOutcome
from shared.storage.sqlite import connect
from shared.storage.stores import stores_of
from shared.store_ports import SeriesStore
from shared.usecases.processing.process import Process, Stores
from shared.usecases.processing.requeue import Patient
from tests.factories import event
from tests.fakes import START, FakeClock
from tests.journeys.laptop import TIMEOUT_S, Laptop, laptop

CALLS = 3_000
IN_A_REQUEST = 100
SHARE = 0.2
MINUTE = timedelta(minutes=1)
MODELS = {
    "gpt-4o": ("openai", "azure.ai.openai"),
    "gpt-4o-mini": ("azure", "OpenAI"),
    "claude-sonnet-4-5": ("anthropic", "anthropic.messages"),
}
"""Model → the provider as its two instrumentations call it."""
LAYERS = (
    *("sent again", "twin", "batch again", "redelivered", "ingestion down"),
    *("answer lost", "crash before the end", "crash after the end"),
)
PRICES = load((Path(__file__).parents[2] / "config" / "prices.toml").read_text())
WRITTEN = """
AppMetrics
| where Name == "llm_api_calls_total"
| summarize sum(Sum) by Model = tostring(Properties.model)
"""
TOTALS = (
    "UsageEvents | summarize sum(Count), sum(InputTokens), sum(OutputTokens), sum(CostUsd) by Model"
)


@dataclass
class Chance:
    """Lets a fifth of what it is asked about happen, each thing at most once."""

    random: random.Random
    happened: Counter[str] = field(default_factory=Counter[str])
    seen: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    def of(self, what: str, name: str = "") -> bool:
        if name and (what, name) in self.seen:
            return False
        self.seen.add((what, name))
        happens = self.random.random() < SHARE
        self.happened[what] += happens
        return happens


class LosesAnswers(AzureMonitorExporter):
    """Sends rows for real, and now and then does not hear that they arrived."""

    def __init__(self, connection_string: str, chance: Chance) -> None:
        super().__init__(connection_string)
        self._chance = chance

    def events(self, rows: Sequence[EventRow]) -> Sequence[ExportOutcome]:
        outcomes = super().events(rows)
        if self._chance.of("answer lost", rows[0].text["id"]):
            return [ExportLater("503 although it was taken")] * len(rows)
        return outcomes


class Crash(Exception):
    """The process is gone."""


@dataclass
class Crashes:
    """A real store of series around which the process dies, before it adds or after."""

    series: SeriesStore
    chance: Chance

    def apply(
        self, batch_id: str, points: Sequence[Point], at: datetime, tallies: Tallies = NO_TALLIES
    ) -> bool:
        if self.chance.of("crash before the end", batch_id):
            raise Crash
        added = self.series.apply(batch_id, points, at, tallies)
        if self.chance.of("crash after the end", batch_id):
            raise Crash
        return added

    def applied(self, batch_id: str) -> bool:
        return self.series.applied(batch_id)

    def read(self) -> SeriesState:
        return self.series.read()

    def tallies(self, since: datetime) -> Tallies:
        return self.series.tallies(since)

    def compact(self, now: datetime) -> None:
        self.series.compact(now)

    def forget(self, before: datetime) -> int:
        return self.series.forget(before)


@pytest.fixture
def chance() -> Chance:
    return Chance(random.Random(11))


@pytest.fixture
def box(tmp_path: Path, chance: Chance) -> Iterator[Laptop]:
    """The stack with accidents between its parts."""
    with laptop(tmp_path, FakeClock(START)) as running:
        settings = running.app.settings
        connection = settings.APPLICATIONINSIGHTS_CONNECTION_STRING.get_secret_value()
        with closing(connect(Path(settings.AGENTMETER_STATE.removeprefix("sqlite:")))) as state:
            storage = stores_of(state)
            crashing = Crashes(storage.series, chance)
            stores = Stores(storage.claims, crashing, storage.labels, storage.traces)
            process = Process(stores, LosesAnswers(connection, chance), PRICES, 200)
            running.app.process = Patient(process.run)
            yield running


def call(number: int, chance: random.Random) -> dict[str, Any]:
    """The number-th model call, as its first instrumentation tells of it."""
    model = chance.choice(list(MODELS))
    tokens = {"input_tokens": chance.randrange(1, 9_000), "output_tokens": chance.randrange(1, 900)}
    response_id = f"chatcmpl-{number:029}"
    provider = MODELS[model][0]
    return event(
        number=number, provider=provider, model=model, usage=tokens, response_id=response_id
    )


def twin(first: dict[str, Any]) -> dict[str, Any]:
    """The same call, as another instrumentation tells of it."""
    data = first["data"]
    return {
        **first,
        "id": f"span-{first['id']}",
        "source": "another",
        "time": "2026-11-23T12:00:01Z",
        "data": {**data, "provider": MODELS[data["model"]][1]},
    }


def requests_of(calls: Sequence[dict[str, Any]], chance: Chance) -> Iterator[list[dict[str, Any]]]:
    """Yield what agents POST: new calls among repeats and twins, and whole batches again."""
    for start in range(0, len(calls), IN_A_REQUEST):
        batch = list(calls[start : start + IN_A_REQUEST])
        earlier = chance.random.sample(calls[:start], min(start, IN_A_REQUEST))
        batch += [each for each in earlier if chance.of("sent again")]
        batch += [twin(each) for each in calls[start : start + IN_A_REQUEST] if chance.of("twin")]
        chance.random.shuffle(batch)
        yield batch
        if chance.of("batch again"):
            yield batch


def settle(box: Laptop) -> None:
    """Let everything that waits come again until nothing does."""
    queues = box.stack.host.queues
    while any(depth.visible or depth.invisible for depth in queues.counts().values()):
        box.clock.advance(seconds=31)
        box.stack.host.drain()


def by_model(calls: Sequence[dict[str, Any]]) -> dict[str, tuple[int, int, int, Decimal]]:
    """What these calls amount to: calls, tokens in and out, and US dollars."""
    sums = {model: (0, 0, 0, Decimal(0)) for model in MODELS}
    for each in calls:
        data = LlmCall.model_validate(each["data"])
        usd = PRICES.price(data, START).usd
        assert data.usage
        assert usd
        count, tokens_in, tokens_out, cost = sums[data.model]
        sums[data.model] = (
            count + 1,
            tokens_in + data.usage.input_tokens,
            tokens_out + data.usage.output_tokens,
            cost + usd,
        )
    return sums


def metric(text: str, name: str, model: str, more: str = "") -> Decimal:
    """Sum a counter of GET /metrics over the providers of a model."""
    lines = (line for line in text.splitlines() if line.startswith(f"{name}{{"))
    found = (line.rpartition(" ") for line in lines if f'model="{model}"' in line and more in line)
    return sum((Decimal(value) for _, _, value in found), Decimal(0))


def test_a_fifth_comes_twice_at_every_layer_and_every_sum_is_exact(
    box: Laptop, chance: Chance
) -> None:
    calls = [call(number, chance.random) for number in range(CALLS)]
    box.tick(START + MINUTE)

    for batch in requests_of(calls, chance):
        if chance.of("ingestion down"):
            fault = {"track": {"status": 503, "times": 1}}
            box.http.post(f"{box.stack.query_url}/faults", json=fault, timeout=TIMEOUT_S)
        if chance.of("redelivered"):
            box.stack.host.queues.redeliver("usage-events", 1)
        box.post(batch)
    box.stack.host.queues.redeliver("usage-events", 0)
    settle(box)
    box.tick(box.clock.now() + 2 * MINUTE)

    expected = by_model(calls)
    rows = {model: figures for model, *figures in box.query(TOTALS)}
    written = dict(box.query(WRITTEN))
    text = box.get("/metrics").text
    for model, (count, tokens_in, tokens_out, usd) in expected.items():
        assert rows[model][:3] == [count, tokens_in, tokens_out]
        assert rows[model][3] == pytest.approx(float(usd), rel=1e-12)
        assert metric(text, "llm_api_calls_total", model) == written[model] == count
        tokens = "llm_tokens_used_total"
        assert metric(text, tokens, model, 'token_type="input"') == tokens_in
        assert metric(text, tokens, model, 'token_type="output"') == tokens_out
        assert float(metric(text, "llm_cost_usd_total", model)) == pytest.approx(
            float(usd), rel=1e-12
        )
    assert 'agentmeter_events_total{type="llm.call",outcome="exported"} 3000' in text
    assert all(chance.happened[what] for what in LAYERS), chance.happened
