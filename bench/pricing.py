"""How long pricing one call takes: ours beside genai-prices, and others where installed.

`python -m bench.pricing`. All contenders take turns within each round, so that a busy machine is as
unfair to one as to the other. Times are the best round; the ratio is the middle one of the rounds'.
"""

import importlib
import importlib.util
import os
import sys
import timeit
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import genai_prices

from shared.events.types import LlmCall
from shared.pricing.price import load
from shared.units import Usage

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
BOOK = Path(__file__).parents[1] / "config" / "prices.toml"
ROUNDS = 25
ROUND_S = 0.02

CALLS: Mapping[str, LlmCall] = {
    title: LlmCall(provider=provider, model=model, status="success", usage=usage)
    for title, provider, model, usage in (
        ("gpt-4o, plain", "openai", "gpt-4o", Usage(input_tokens=12_345, output_tokens=678)),
        (
            "gpt-4o, cached",
            "openai",
            "gpt-4o",
            Usage(input_tokens=12_345, output_tokens=678, cache_read_tokens=9_876),
        ),
        (
            "claude, cache read and written",
            "anthropic",
            "claude-sonnet-4-5",
            Usage(
                input_tokens=12_345,
                output_tokens=678,
                cache_read_tokens=9_876,
                cache_write_tokens=1_234,
                cache_write_1h_tokens=123,
            ),
        ),
        (
            "gemini, tiered by context",
            "google",
            "gemini-2.5-pro",
            Usage(input_tokens=234_567, output_tokens=678),
        ),
        (
            "gemini, audio",
            "google",
            "gemini-2.5-flash",
            Usage(input_tokens=12_345, output_tokens=678, audio_input_tokens=9_876),
        ),
        (
            "deepseek, by time of day",
            "deepseek",
            "deepseek-v4-pro",
            Usage(input_tokens=12_345, output_tokens=678, cache_read_tokens=9_876),
        ),
    )
}

Contender = Callable[[LlmCall], Callable[[], object]]


def ours() -> Contender:
    prices = load(BOOK.read_text())
    return lambda call: lambda: prices.price(call, AT)


def genai() -> Contender:
    names = {"audio_input_tokens": "input_audio_tokens"}

    def prepare(call: LlmCall) -> Callable[[], object]:
        counts = call.usage.model_dump() if call.usage else {}
        usage = genai_prices.Usage(**{names.get(k, k): n for k, n in counts.items() if n})
        return lambda: genai_prices.calc_price(
            usage, call.model, provider_id=call.provider, genai_request_timestamp=AT
        )

    return prepare


def litellm() -> Contender:
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # noqa: TID251  # else it downloads prices at import
    module = importlib.import_module("litellm")

    def prepare(call: LlmCall) -> Callable[[], object]:
        used = call.usage or Usage()
        return lambda: module.cost_per_token(
            model=call.model,
            custom_llm_provider={"google": "gemini"}.get(call.provider, call.provider),
            prompt_tokens=used.input_tokens,
            completion_tokens=used.output_tokens,
            cache_read_input_tokens=used.cache_read_tokens,
            cache_creation_input_tokens=used.cache_write_tokens,
        )

    return prepare


def tokencost() -> Contender:
    module = importlib.import_module("tokencost")

    def prepare(call: LlmCall) -> Callable[[], object]:
        used = call.usage or Usage()
        return lambda: (
            module.calculate_cost_by_tokens(used.input_tokens, call.model, "input"),
            module.calculate_cost_by_tokens(used.output_tokens, call.model, "output"),
        )

    return prepare


def rounds_us(tasks: Mapping[str, Callable[[], object]]) -> Mapping[str, Sequence[float]]:
    """Return the microseconds of one run of each task, round by round."""
    timers = {name: timeit.Timer(task) for name, task in tasks.items()}
    for timer in timers.values():
        timer.timeit(20)  # the first call looks names up and compiles rates
    repeats = {name: max(1, int(ROUND_S / timer.timeit(20) * 20)) for name, timer in timers.items()}
    took = {name: list[float]() for name in timers}
    for _ in range(ROUNDS):
        for name, timer in timers.items():
            took[name].append(timer.timeit(repeats[name]) / repeats[name] * 1e6)
    return took


def main() -> None:
    contenders = {"ours": ours(), "genai-prices": genai()}
    for name, make in (("litellm", litellm), ("tokencost", tokencost)):
        if importlib.util.find_spec(name):
            contenders[name] = make()
    out = sys.stdout.write
    out(f"{'µs for one call':32}" + "".join(f"{name:>14}" for name in contenders) + "   ours is\n")
    sums = {name: [0.0] * ROUNDS for name in contenders}
    for title, call in CALLS.items():
        took = rounds_us({name: prepare(call) for name, prepare in contenders.items()})
        sums = {name: [a + b for a, b in zip(sums[name], took[name], strict=True)] for name in took}
        out(row(title, took))
    out(row("all of them", sums))
    out("The target is 1/40 of genai-prices or less.\n")


def row(title: str, took: Mapping[str, Sequence[float]]) -> str:
    """Return the best round of each, and the middle one of the rounds' own ratios."""
    figures = "".join(f"{min(us):14.2f}" for us in took.values())
    pairs = zip(took["genai-prices"], took["ours"], strict=True)
    return f"{title:32}{figures}   1/{median(theirs / ours for theirs, ours in pairs):.0f}\n"


if __name__ == "__main__":
    main()
