"""`ops price`: one call explained, many calls priced."""

import io
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops.__main__ import main
from ops.console.command import Desk
from ops.console.terminal import Terminal
from ops.price.explain import Explainer
from shared.events.types import LlmCall
from shared.pricing.book import read
from shared.pricing.entry import plain, price_entry
from shared.pricing.price import load
from shared.units import Usage
from tests.fakes import START, FakeClock

PRICES = """
[[price]]
provider = "acme"
model = "talker"
from = 2026-01-01
source = "contract 7"
input = 3
output = 15
cache_read = 0.3
audio_input = 40
audio_cache_read = 2.5
reasoning = 20
web_search = 10
request = 1

[[price]]
provider = "acme"
model = "talker"
over_input_tokens = 200_000
from = 2026-01-01
source = "contract 7"
input = 6

[[price]]
provider = "acme"
model = "talker"
from = 2026-12-24
source = "contract 8"
input = 2
output = 10
"""


@dataclass
class Operator:
    """Types `price`; keeps what was said."""

    config: Path
    out: io.StringIO = field(default_factory=io.StringIO)
    err: io.StringIO = field(default_factory=io.StringIO)

    def price(self, *argv: str) -> int:
        desk = Desk(Terminal(self.out, self.err), {}, FakeClock(START))
        return main(["price", *argv, "--config", str(self.config)], desk)

    def answer(self, *argv: str) -> dict[str, Any]:
        assert self.price(*argv, "--json") == 0, self.err.getvalue()
        return json.loads(self.out.getvalue())

    def answers(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.getvalue().splitlines()]


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    (tmp_path / "prices.toml").write_text(PRICES)
    return Operator(tmp_path)


GPT_4O = ("--provider", "openai", "--model", "gpt-4o", "--input", "1200", "--output", "80")
TALKER = ("--provider", "acme", "--model", "talker", "--input", "1000", "--output", "100")


def test_a_person_sees_the_cost_its_status_its_source_and_the_arithmetic(
    operator: Operator,
) -> None:
    assert operator.price(*GPT_4O, "--cache-read", "1000", "--at", "2026-03-01") == 0
    lines = operator.out.getvalue().splitlines()
    assert lines[0] == "cost     US$ 0.00255"
    assert lines[1] == "status   known"
    assert lines[2].startswith("source   openai/gpt-4o; list price, genai-prices ")
    assert lines[3] == "at       2026-03-01 00:00:00 UTC"
    assert lines[5:9] == [
        "class       used  US$",
        "input        200  x 2.5 / 1,000,000   = 0.0005",
        "output        80  x 10 / 1,000,000    = 0.0008",
        "cache_read  1000  x 1.25 / 1,000,000  = 0.00125",
    ]


def test_a_machine_gets_the_same_as_exact_text(operator: Operator) -> None:
    answer = operator.answer(*GPT_4O)
    assert (answer["cost_usd"], answer["status"], answer["missing"]) == ("0.0038", "known", [])
    assert (answer["at"], answer["since"]) == ("2026-11-23T12:30:00Z", None)
    assert [(line["rate_class"], line["rate"], line["usd"]) for line in answer["lines"]] == [
        ("input", "2.5", "0.003"),
        ("output", "10", "0.0008"),
    ]


def test_an_override_says_where_it_is_from_and_when_it_changes(operator: Operator) -> None:
    answer = operator.answer(*TALKER)
    assert answer["status"] == "overridden"
    assert "prices.toml from 2026-01-01: contract 7" in answer["source"]
    assert answer["since"] == "2026-01-01T00:00:00Z"
    assert answer["cost_usd"] == "0.0055"  # 0.003 + 0.0015 and 0.001 for the request
    assert "From 2026-12-24 00:00 UTC it costs US$ 0.003." in answer["changes"]
    assert "Other rates hold above 200,000 input tokens a call." in answer["changes"]


def test_a_part_without_a_rate_is_marked_in_its_line(operator: Operator) -> None:
    assert operator.price(*TALKER, "--cache-write", "500") == 0
    text = operator.out.getvalue()
    assert "status   estimated" in text
    assert "missing  cache_write_tokens" in text
    assert "cache_write (guessed)" in text


def test_an_unknown_model_has_no_cost_and_the_entry_to_append(operator: Operator) -> None:
    answer = operator.answer("--provider", "Azure.AI.OpenAI", "--model", "New-1", "--input", "5")
    assert (answer["cost_usd"], answer["status"], answer["lines"]) == (None, "unknown", [])
    (change,) = answer["changes"]
    assert 'provider = "azure"\nmodel = "new-1"\nfrom = 2026-11-23' in change


def test_count_and_tier_and_deployment_are_priced_as_an_event_would_be(operator: Operator) -> None:
    (operator.config / "prices.toml").write_text(
        '[[deployment]]\nname = "chat"\nmodel = "gpt-4o"\nsku = "data-zone"\nfrom = 2026-01-01\n'
        'source = "az"\n'
    )
    azure = ("--provider", "azure", "--model", "gpt-4o", "--input", "1000000", "--deployment")
    assert operator.answer(*azure, "chat", "--count", "10")["cost_usd"] == "2.75"


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        pytest.param(("--model", "gpt-4o"), "--provider", id="no provider"),
        pytest.param(("--input", "5"), "--provider", id="nothing"),
        pytest.param((*GPT_4O, "--cache-read", "1201"), "part", id="more than the total"),
        pytest.param((*GPT_4O, "--count", "0"), "count", id="count"),
        pytest.param(("--file", "/no/such"), "cannot be read", id="file"),
    ],
)
def test_a_wrong_call_is_a_misuse(operator: Operator, argv: tuple[str, ...], said: str) -> None:
    assert operator.price(*argv) == 2
    assert said in operator.err.getvalue()


def test_a_wrong_prices_file_is_named_with_its_line(operator: Operator) -> None:
    (operator.config / "prices.toml").write_text(str(price_entry("acme", "x", START.date())))
    assert operator.price(*GPT_4O) == 2
    assert "line 6" in operator.err.getvalue()


CALL = {"provider": "openai", "model": "gpt-4o", "status": "success"}
USAGE = {"input_tokens": 1200, "output_tokens": 80}


def write(operator: Operator, *lines: object) -> tuple[str, str, str]:
    path = operator.config / "calls.jsonl"
    texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    path.write_text("".join(text + "\n" for text in texts))
    return "--file", str(path), "--json"


def test_a_file_is_answered_line_by_line_in_its_order(operator: Operator) -> None:
    time = "2026-11-01T12:00:00Z"
    talker = {**CALL, "provider": "acme", "model": "talker", "usage": USAGE}
    argv = write(
        operator,
        {**CALL, "usage": USAGE, "time": time, "team_id": "red"},
        {**talker, "time": "2026-12-24T00:00:00+01:00"},
        {**talker, "time": "2026-12-24T00:00:00Z"},
        {**CALL, "model": "nope", "usage": USAGE, "time": time},
        {**CALL, "usage": {**USAGE, "audio_input_tokens": 100}, "time": time},
    )
    assert operator.price(*argv) == 0
    first, before, after, unknown, guessed = operator.answers()
    assert first["cost_usd"] == "0.0038"
    assert first.keys() == {"cost_usd", "status", "source", "missing"}
    assert (before["cost_usd"], after["cost_usd"]) == ("0.0058", "0.0032")
    assert (unknown["cost_usd"], unknown["status"]) == (None, "unknown")
    assert (guessed["status"], guessed["missing"]) == ("estimated", ["audio_input_tokens"])


def test_a_bad_line_has_its_own_answer_and_stops_no_other(operator: Operator) -> None:
    good = {**CALL, "usage": USAGE}
    argv = write(operator, good, "{", {**good, "prompt": "x"}, "[]", {**good, "time": 3}, "", good)
    assert operator.price(*argv) == 1
    answers = operator.answers()
    assert [answer.get("cost_usd") for answer in answers] == ["0.0038", *[None] * 4, "0.0038"]
    assert [answer["line"] for answer in answers if "error" in answer] == [2, 3, 4, 5]
    assert "prompt" in answers[2]["error"]
    assert "RFC 3339" in answers[4]["error"]
    assert "4 lines" in operator.err.getvalue()


def test_a_file_without_json_is_summed_up_by_model(operator: Operator) -> None:
    good = {**CALL, "usage": USAGE}
    argv = write(operator, good, {**good, "count": 2}, {**good, "model": "nope"})
    assert operator.price(*argv[:2]) == 0
    assert operator.out.getvalue().splitlines() == [
        "provider  model   status   calls  cost in US$",
        "openai    gpt-4o  known        3  0.0076",
        "openai    nope    unknown      1",
    ]


def test_amounts_are_written_without_exponent_and_without_idle_zeros() -> None:
    texts = ["1E-9", "0.00010500", "1E+3", "0E-8", "100", "12.50"]
    expected = ["0.000000001", "0.000105", "1000", "0", "100", "12.5"]
    assert [plain(Decimal(text)) for text in texts] == expected


def _usage(parts: list[int]) -> Usage:
    """Return a usage whose totals fit its parts."""
    plain_in, read_in, write_in, hour_in, audio, plain_out, reasoned, searches = parts
    total = plain_in + read_in + write_in + hour_in
    return Usage(
        input_tokens=total,
        cache_read_tokens=read_in,
        cache_write_tokens=write_in + hour_in,
        cache_write_1h_tokens=hour_in,
        audio_input_tokens=min(audio, total),
        output_tokens=plain_out + reasoned,
        reasoning_tokens=reasoned,
        web_searches=searches,
    )


USAGES = st.lists(st.integers(0, 300_000), min_size=8, max_size=8).map(_usage)
MODELS = [
    ("acme", "talker"),
    ("google", "gemini-2.5-pro"),
    ("google", "gemini-2.5-flash"),
    ("anthropic", "claude-sonnet-4-5"),
    ("openai", "gpt-4o-audio-preview"),
    ("perplexity", "sonar-pro"),
]
MOMENTS = st.datetimes(datetime(2025, 9, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive
LOADED = load(PRICES)
EXPLAINER = Explainer(read(PRICES))


@given(USAGES, st.sampled_from(MODELS), MOMENTS, st.integers(1, 3))
@settings(max_examples=150, deadline=None)
def test_the_lines_of_an_explanation_add_up_to_the_price_exactly(
    used: Usage, model: tuple[str, str], at: datetime, count: int
) -> None:
    call = LlmCall(provider=model[0], model=model[1], status="success", usage=used, count=count)
    explained = EXPLAINER.explain(call, at)
    assert explained.cost == LOADED.price(call, at)
    if explained.lines:
        assert sum(line.usd for line in explained.lines) == explained.cost.usd
        assert all(line.amount * line.rate / line.per == line.usd for line in explained.lines)
    else:
        assert not explained.cost.usd


@given(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40))
@settings(max_examples=100, deadline=None)
def test_the_entry_to_append_prices_the_call_whatever_its_names(provider: str, model: str) -> None:
    call = LlmCall(
        provider=provider, model=model, status="success", usage=Usage(input_tokens=1_000_000)
    )
    if LOADED.price(call, START).status != "unknown":
        return
    entry = price_entry(provider, model, START.date())
    if entry is None:
        assert not (provider.strip() and model.strip())
        return
    filled = entry.replace(" =   #", " = 2 #").replace('""   # where', '"page" # where')
    assert load(filled).price(call, START).usd == 2
