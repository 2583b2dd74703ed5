"""What reporting one model call costs an agent: the client beside what others use for it.

`python -m bench.client`. The call answers at once, so what is left is the overhead. Contenders take
turns in rounds of one process; the best round counts for the mean, all rounds for the percentiles.
"In the agent" is the time until the agent goes on; "in all" is the processor time of the process,
the background's share of packing and sending included. Judge by the ratios.
"""

import gc
import http.server
import importlib
import importlib.util
import statistics
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import BaseModel

CALLS, ROUNDS = 4_000, 7
TARGET_US = 20.0


class Given(BaseModel):
    """Parts of the prompt."""

    cached_tokens: int = 1024
    audio_tokens: int = 0


class Made(BaseModel):
    """Parts of the completion."""

    reasoning_tokens: int = 0
    audio_tokens: int = 0


class Usage(BaseModel):
    """What OpenAI's package has at this place."""

    prompt_tokens: int = 1200
    completion_tokens: int = 80
    total_tokens: int = 1280
    prompt_tokens_details: Given = Given()
    completion_tokens_details: Made = Made()


class Completion(BaseModel):
    """A response of the shape of OpenAI's: a pydantic model, as it is there."""

    id: str = "chatcmpl-1"
    object: str = "chat.completion"
    model: str = "gpt-4o-2024-08-06"
    service_tier: str = "default"
    usage: Usage = Usage()


RESPONSE = Completion()


@dataclass(frozen=True, slots=True)
class Contender:
    """call: one tracked call. settle: returns when the background has nothing left to do."""

    call: Callable[[], object]
    settle: Callable[[], object] = lambda: None


@dataclass(slots=True)
class Took:
    """Microseconds of each call and, per round, of processor time for one call."""

    calls_us: list[float] = field(default_factory=list[float])
    rounds_us: list[float] = field(default_factory=list[float])
    cpu_us: list[float] = field(default_factory=list[float])


def client(path: str, url: str) -> Contender:
    """The package of this repository, sending to an endpoint on loopback."""
    sys.path.insert(0, path)
    module: Any = importlib.import_module("agentmeter_client")
    meter = module.Meter(url, "key", source="bench", team_id="search", environment="bench")

    def call() -> None:
        with meter.llm_call("openai", "gpt-4o") as tracked:
            tracked.read(RESPONSE)

    return Contender(call, lambda: meter.flush(30))


def spans() -> Contender:
    """OpenTelemetry: a span with the GenAI attributes, batched for an exporter that discards."""
    trace: Any = importlib.import_module("opentelemetry.sdk.trace")
    export: Any = importlib.import_module("opentelemetry.sdk.trace.export")

    class Discard(export.SpanExporter):
        def export(self, spans: object) -> object:
            return export.SpanExportResult.SUCCESS

    provider = trace.TracerProvider()
    provider.add_span_processor(export.BatchSpanProcessor(Discard(), max_queue_size=100_000))
    tracer = provider.get_tracer("bench")

    def call() -> None:
        with tracer.start_as_current_span("chat gpt-4o") as span:
            used = RESPONSE.usage
            cached = used.prompt_tokens_details.cached_tokens
            span.set_attributes(
                {
                    "gen_ai.operation.name": "chat",
                    "gen_ai.provider.name": "openai",
                    "gen_ai.request.model": "gpt-4o",
                    "gen_ai.response.model": RESPONSE.model,
                    "gen_ai.response.id": RESPONSE.id,
                    "gen_ai.usage.input_tokens": used.prompt_tokens,
                    "gen_ai.usage.output_tokens": used.completion_tokens,
                    "gen_ai.usage.cache_read.input_tokens": cached,
                }
            )

    return Contender(call, provider.force_flush)


def instruments() -> Contender:
    """OpenTelemetry: the same numbers as metrics, read by nobody."""
    metrics: Any = importlib.import_module("opentelemetry.sdk.metrics")
    export: Any = importlib.import_module("opentelemetry.sdk.metrics.export")
    provider = metrics.MeterProvider([export.InMemoryMetricReader()])
    meter = provider.get_meter("bench")
    calls, tokens = meter.create_counter("calls"), meter.create_counter("tokens")
    durations = meter.create_histogram("durations")

    def call() -> None:
        began = time.perf_counter()
        labels = {"provider": "openai", "model": "gpt-4o"}
        calls.add(1, {**labels, "status": "success"})
        for kind, number in counts():
            tokens.add(number, {**labels, "token_type": kind})
        durations.record(time.perf_counter() - began, labels)

    return Contender(call)


def prometheus() -> Contender:
    """prometheus_client: the same numbers as metrics, scraped by nobody."""
    module: Any = importlib.import_module("prometheus_client")
    names = ["provider", "model"]
    registry = module.CollectorRegistry()
    calls = module.Counter("calls", "calls", [*names, "status"], registry=registry)
    tokens = module.Counter("tokens", "tokens", [*names, "token_type"], registry=registry)
    durations = module.Histogram("durations", "durations", names, registry=registry)

    def call() -> None:
        began = time.perf_counter()
        calls.labels("openai", "gpt-4o", "success").inc()
        for kind, number in counts():
            tokens.labels("openai", "gpt-4o", kind).inc(number)
        durations.labels("openai", "gpt-4o").observe(time.perf_counter() - began)

    return Contender(call)


def counts() -> tuple[tuple[str, int], ...]:
    """Return the tokens that a metric has a label for."""
    used = RESPONSE.usage
    return (
        ("input", used.prompt_tokens),
        ("output", used.completion_tokens),
        ("cache_read", used.prompt_tokens_details.cached_tokens),
    )


class Taker(http.server.BaseHTTPRequestHandler):
    """Takes everything at once."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def measure(contenders: Mapping[str, Contender]) -> Mapping[str, Took]:
    """Return what each took, round by round, each in its turn."""
    took = {name: Took() for name in contenders}
    for number in range(ROUNDS + 1):
        for name, contender in contenders.items():
            one = run(contender)
            if number:  # the first round warms up
                took[name].calls_us += one.calls_us
                took[name].rounds_us += one.rounds_us
                took[name].cpu_us += one.cpu_us
    return took


def run(contender: Contender) -> Took:
    """Run one round."""
    call, clock = contender.call, time.perf_counter_ns
    gc.collect()
    cpu_began = time.process_time_ns()
    marks = [clock()]
    for _ in range(CALLS):
        call()
        marks.append(clock())
    contender.settle()
    cpu_us = (time.process_time_ns() - cpu_began) / 1e3 / CALLS
    return Took(
        [(after - before) / 1e3 for before, after in pairwise(marks)],
        [(marks[-1] - marks[0]) / 1e3 / CALLS],
        [cpu_us],
    )


def contenders(url: str) -> dict[str, Contender]:
    """Return all that can run here."""
    source = Path(__file__).parents[1] / "client" / "src"
    found = {"agentmeter-client": client(str(source), url)}
    if importlib.util.find_spec("opentelemetry.sdk"):
        found["OpenTelemetry span"] = spans()
        found["OpenTelemetry metrics"] = instruments()
    if importlib.util.find_spec("prometheus_client"):
        found["prometheus_client"] = prometheus()
    return found


def main() -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Taker)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    took = measure(contenders(f"http://127.0.0.1:{server.server_address[1]}"))
    out = sys.stdout.write
    heads = ("best round", "median", "p99", "longest", "in all")
    out(f"{'µs for one call, in the agent':32}" + "".join(f"{head:>12}" for head in heads) + "\n")
    for name, one in took.items():
        figures = (
            min(one.rounds_us),
            statistics.median(one.calls_us),
            statistics.quantiles(one.calls_us, n=100)[98],
            max(one.calls_us),
            min(one.cpu_us),
        )
        out(f"{name:32}" + "".join(f"{us:12.1f}" for us in figures) + "\n")
    out(f"The target is under {TARGET_US:.0f} µs a call in the agent.\n")


if __name__ == "__main__":
    main()
