"""A parser takes any input or refuses it in its own words, and soon."""

import json
import random
import resource
import string
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.openapi.examples import CALL, LOGS, MISSION, SILENCE, SPANS
from shared.adapters.otlp.logs import read_logs
from shared.adapters.otlp.traces import read_traces
from shared.alerting.budget import parse_budgets
from shared.alerting.grouping import parse_routes
from shared.alerting.rule_file import parse_rule
from shared.alerting.silences import parse_silence
from shared.errors import AgentmeterError
from shared.events.body import Limits
from shared.events.otlp.media import JSON, PROTOBUF
from shared.events.unpack import Sizes
from shared.pricing.book import parse as parse_prices
from shared.settings import Settings
from shared.settings import read as read_settings
from shared.usecases.intake.ingest import Ingest
from shared.usecases.intake.otlp import TakeOtlp
from tests.factories import DATA, event
from tests.fakes import START

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
EXAMPLES, BOUND_S, BOUND_MB = 150, 2.0, 100
"""Tries of each parser, some seconds together; what one may take on a machine that is busy."""
MOST_BYTES = 1_000_000
MANY: list[object] = [[]]
ODD: Sequence[object] = [
    *(None, True, 0, -1, 1e308, 10**30, 2**63, -(2**63), [], {}, MANY),
    *("", " ", "\x00", "\ud7ff", "ü🦊", "NaN", "a" * 2000),
    *("0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-23:59"),
]
"""Values at which parsers trip."""
JSON_MEDIA = {"content-type": "application/json"}
SIZES = Sizes(MOST_BYTES, MOST_BYTES, "OTLP_MAX_BYTES", "OTLP_MAX_BYTES")
traces = TakeOtlp(read_traces, SIZES, 0)
logs = TakeOtlp(read_logs, SIZES, 0, "logs")
Parse = Callable[[bytes], object]


def text_of(parse: Callable[[str], object]) -> Parse:
    """Return the parser of texts as one of bytes, read as files are."""
    return lambda data: parse(data.decode("utf-8", "replace"))


def environment(data: bytes) -> object:
    """Read the settings of lines NAME=value."""
    lines = data.decode("utf-8", "replace").replace("\x00", "").splitlines()
    return read_settings(dict(line.split("=", 1) for line in lines if "=" in line))


def config(name: str) -> bytes:
    return (ROOT / "config" / name).read_bytes()


EVENTS = [CALL, MISSION, *(event(kind) for kind in DATA)]
JSON_PARSERS: Mapping[str, tuple[Parse, Sequence[object]]] = {
    "events": (lambda data: Ingest(Limits()).accept(data, JSON_MEDIA, START), [EVENTS, *EVENTS]),
    "otlp traces": (lambda data: traces.accept(data, JSON_MEDIA, JSON, START), [SPANS]),
    "otlp logs": (lambda data: logs.accept(data, JSON_MEDIA, JSON, START), [LOGS]),
    "silences": (lambda data: parse_silence(data, START), [SILENCE]),
}
BYTE_PARSERS: Mapping[str, tuple[Parse, Sequence[bytes]]] = {
    "otlp protobuf": (
        lambda data: traces.accept(data, {"content-type": PROTOBUF}, PROTOBUF, START),
        [b"", b"\n\x02\x12\x00", b"\n\x08\x12\x06\x12\x04\n\x02\x01\x02"],
    ),
    "otlp logs in protobuf": (
        lambda data: logs.accept(data, {"content-type": PROTOBUF}, PROTOBUF, START),
        [b"", b"\n\x02\x12\x00"],
    ),
    "rules": (
        text_of(lambda text: parse_rule(text, "rule.toml")),
        [path.read_bytes() for path in sorted((ROOT / "config/rules").glob("*.toml"))],
    ),
    "prices": (text_of(parse_prices), [config("prices.toml")[:4000]]),
    "routes": (text_of(lambda text: parse_routes(text, "routes.toml")), [config("routes.toml")]),
    "budgets": (
        text_of(lambda text: parse_budgets(text, "budgets.toml")),
        [b'[[budget]]\nname = "all"\nperiod = "month"\namount_usd = 100\n'],
    ),
    "settings": (environment, [f"{name}=1".encode() for name in Settings.model_fields]),
}


def peak_mb() -> float:
    """Return the most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def bounded(parse: Parse, data: bytes) -> None:
    """Parse; what it raises must be an error of ours, and it takes neither long nor much memory."""
    began_s, before_mb = time.thread_time(), peak_mb()
    with suppress(AgentmeterError):
        parse(data)
    assert time.thread_time() - began_s < BOUND_S
    assert peak_mb() - before_mb < BOUND_MB


def mutated(value: object, choose: random.Random) -> object:
    """Return the JSON value with something in it changed, left out, doubled or made odd."""
    if choose.random() < 0.15:
        return choose.choice(ODD)
    if isinstance(value, dict):
        given_ = cast("dict[str, object]", value)
        changed = {name: mutated(each, choose) for name, each in given_.items()}
        if changed and choose.random() < 0.2:
            del changed[choose.choice(sorted(changed))]
        if choose.random() < 0.1:
            changed[choose.choice(string.ascii_letters)] = choose.choice(ODD)
        return changed
    if isinstance(value, list):
        items = [mutated(each, choose) for each in cast("list[object]", value)]
        return items * choose.choice([1, 1, 1, 2])
    return value


def cut_up(data: bytes, choose: random.Random) -> bytes:
    """Return the bytes with some of them changed, left out, doubled or put elsewhere."""
    found = bytearray(data)
    for _ in range(choose.randrange(1, 6)):
        at, size = choose.randrange(len(found) + 1), choose.randrange(20)
        piece = choose.choice(
            [
                b"",
                choose.randbytes(size),
                bytes(found[at : at + size]) * 2,
                b'"""',
                b"[[",
                b"= 1e999",
            ]
        )
        found[at : at + choose.randrange(20)] = piece
    return bytes(found)


quickly = settings(max_examples=EXAMPLES, deadline=None, derandomize=True)


@pytest.mark.parametrize("name", JSON_PARSERS)
@quickly
@given(seed=st.integers(0, 2**32))
def test_json_is_taken_or_refused(name: str, seed: int) -> None:
    parse, samples = JSON_PARSERS[name]
    choose = random.Random(seed)
    value: Any = mutated(choose.choice(samples), choose)
    bounded(parse, json.dumps(value, allow_nan=True).encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("name", BYTE_PARSERS)
@quickly
@given(seed=st.integers(0, 2**32))
def test_text_and_bytes_are_taken_or_refused(name: str, seed: int) -> None:
    parse, samples = BYTE_PARSERS[name]
    choose = random.Random(seed)
    bounded(parse, cut_up(choose.choice(samples), choose))


@pytest.mark.parametrize("name", [*JSON_PARSERS, *BYTE_PARSERS])
@quickly
@given(data=st.binary(max_size=200))
def test_any_bytes_are_taken_or_refused(name: str, data: bytes) -> None:
    parse, _ = JSON_PARSERS.get(name) or BYTE_PARSERS[name]
    bounded(parse, data)


@pytest.mark.parametrize("depth", [50, 500, 100_000])
@pytest.mark.parametrize("name", JSON_PARSERS)
def test_depth_is_taken_or_refused(name: str, depth: int) -> None:
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
        bounded(JSON_PARSERS[name][0], opening * depth + b"1" + closing * depth)
