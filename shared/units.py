"""What a model call uses: one table, from which rates, columns, labels and OTLP counts follow."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, cast

from pydantic import BaseModel, Field, model_validator

MAX_COUNT = 1_000_000_000
MAX_TOKENS = 1_000_000_000_000
THOUSAND, MILLION = 1_000, 1_000_000

Tokens = Annotated[int, Field(ge=0, le=MAX_TOKENS)]
Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]


@dataclass(frozen=True, slots=True)
class Unit:
    """How one thing that a call uses is priced, stored and read.

    rate: its rate in config/prices.toml. listed: that rate in genai-prices. per: how many it buys.
    part_of: the rate of the unit that includes this one, and that stands in for a missing rate.
    excludes: parts of one unit with the same word exclude each other, so that their sum must fit.
    follows: without a rate of its own it costs what its whole does, and that is no guess.
    stored: the measurement's name in AppEvents, where it is not the field's.
    otlp: the attributes of spans that count it, the best first.
    raw: its names in a provider's own usage object, which some spans carry as JSON.
    """

    rate: str
    listed: str
    per: int = MILLION
    part_of: str = ""
    excludes: str = ""
    follows: bool = False
    stored: str = ""
    otlp: tuple[str, ...] = ()
    raw: tuple[str, ...] = ()


# Each field is a row of the table, with what follows from it.
class Usage(BaseModel, frozen=True, extra="forbid"):
    """What one model call used; the totals include their parts."""

    input_tokens: Annotated[
        Tokens,
        Unit(
            rate="input",
            listed="input_mtok",
            stored="in",
            raw=("prompt_tokens", "input_tokens", "input"),
            otlp=(
                "gen_ai.usage.input_tokens",
                "gen_ai.usage.prompt_tokens",
                "llm.usage.prompt_tokens",
                "llm.token_count.prompt",
            ),
        ),
    ] = 0
    output_tokens: Annotated[
        Tokens,
        Unit(
            rate="output",
            listed="output_mtok",
            stored="out",
            raw=("completion_tokens", "output_tokens", "output"),
            otlp=(
                "gen_ai.usage.output_tokens",
                "gen_ai.usage.completion_tokens",
                "llm.usage.completion_tokens",
                "llm.token_count.completion",
            ),
        ),
    ] = 0
    cache_read_tokens: Annotated[
        Tokens,
        Unit(
            rate="cache_read",
            listed="cache_read_mtok",
            part_of="input",
            excludes="cached",
            stored="cache_read",
            otlp=(
                "gen_ai.usage.cache_read.input_tokens",
                "gen_ai.usage.cache_read_input_tokens",
                "gen_ai.usage.details.cache_read_tokens",
                "llm.token_count.prompt_details.cache_read",
            ),
            raw=(
                "cached_tokens",
                "cache_read",
                "cache_read_input_tokens",
                "input_cached_tokens",
                "input_cache_read",
                "cacheReadInputTokens",
                "cachedPromptTokens",
            ),
        ),
    ] = 0
    cache_write_tokens: Annotated[
        Tokens,
        Unit(
            rate="cache_write",
            listed="cache_write_mtok",
            part_of="input",
            excludes="cached",
            stored="cache_write",
            otlp=(
                "gen_ai.usage.cache_write.input_tokens",
                "gen_ai.usage.cache_creation.input_tokens",
                "gen_ai.usage.cache_creation_input_tokens",
                "gen_ai.usage.cache_write_input_tokens",
                "gen_ai.usage.details.cache_write_tokens",
                "llm.token_count.prompt_details.cache_write",
            ),
            raw=(
                "cache_creation_input_tokens",
                "cache_creation",
                "input_cache_creation",
                "cacheCreationInputTokens",
                "cacheWriteInputTokens",
            ),
        ),
    ] = 0
    cache_write_1h_tokens: Annotated[
        Tokens,
        Unit(
            rate="cache_write_1h",
            listed="cache_write_1h_mtok",
            part_of="cache_write",
            stored="cache_write_1h",
            otlp=("anthropic.usage.cache_creation.ephemeral_1h_input_tokens",),
            raw=("ephemeral_1h_input_tokens",),
        ),
    ] = 0
    reasoning_tokens: Annotated[
        Tokens,
        Unit(
            rate="reasoning",
            listed="output_reasoning_mtok",
            part_of="output",
            follows=True,
            stored="reasoning",
            otlp=(
                "gen_ai.usage.reasoning.output_tokens",
                "gen_ai.usage.reasoning_tokens",
                "gen_ai.usage.details.reasoning_tokens",
                "gen_ai.usage.experimental.reasoning_tokens",
                "llm.token_count.completion_details.reasoning",
            ),
            raw=(
                "reasoning_tokens",
                "output_reasoning_tokens",
                "output_reasoning",
                "reasoningTokens",
            ),
        ),
    ] = 0
    audio_input_tokens: Annotated[
        Tokens,
        Unit(
            rate="audio_input",
            listed="input_audio_mtok",
            part_of="input",
            stored="audio_in",
            otlp=(
                "gen_ai.usage.audio.input_tokens",
                "gen_ai.usage.details.input_audio_tokens",
                "llm.token_count.prompt_details.audio",
            ),
        ),
    ] = 0
    audio_output_tokens: Annotated[
        Tokens,
        Unit(
            rate="audio_output",
            listed="output_audio_mtok",
            part_of="output",
            stored="audio_out",
            otlp=(
                "gen_ai.usage.audio.output_tokens",
                "gen_ai.usage.details.output_audio_tokens",
                "llm.token_count.completion_details.audio",
            ),
        ),
    ] = 0
    web_searches: Annotated[
        Count,
        Unit(rate="web_search", listed="web_searches_kcount", per=THOUSAND, stored="searches"),
    ] = 0

    @model_validator(mode="before")
    @classmethod
    def null_is_absent(cls, stated: object) -> object:
        """Leave out counts of null, which providers' own usage objects have for what is not."""
        if not isinstance(stated, dict):
            return stated
        given = cast("dict[str, object]", stated)
        return {name: count for name, count in given.items() if count is not None}

    @model_validator(mode="after")
    def parts_fit_their_totals(self) -> "Usage":
        """Refuse counts that contradict each other: no price of them could be right."""
        for parts, whole in PARTS:
            amount, total = sum(getattr(self, part) for part in parts), getattr(self, whole)
            if amount > total:
                raise ValueError(
                    f"{' + '.join(parts)} is {amount}, more than {whole}, {total}, of which it is "
                    f"a part; send {whole} as the total"
                )
        return self


UNITS: Mapping[str, Unit] = {
    name: fact
    for name, field in Usage.model_fields.items()
    for fact in field.metadata
    if isinstance(fact, Unit)
}
"""Field of Usage → what it counts."""

RATES: Mapping[str, Unit] = {
    unit.rate: unit
    for unit in (
        *UNITS.values(),
        Unit(rate="audio_cache_read", listed="cache_audio_read_mtok", part_of="cache_read"),
        Unit(rate="request", listed="requests_kcount", per=THOUSAND),
    )
}
"""Rate → what it prices: the above, and what no field counts. A whole stands before its parts."""

COUNTED_BY: Mapping[str, str] = {unit.rate: name for name, unit in UNITS.items()}
"""Rate → the field of Usage that counts what it prices."""


def _parts() -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield fields whose sum must fit into another one, and that."""
    together: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, unit in UNITS.items():
        if unit.part_of:
            together[unit.part_of, unit.excludes or name].append(name)
    return ((tuple(names), COUNTED_BY[whole]) for (whole, _), names in together.items())


PARTS = tuple(_parts())
"""Fields of Usage whose sum must fit into another field, and that field."""


def total_of(unit: Unit) -> Unit:
    """Return the total that the unit is in the end a part of; itself where it is one."""
    return total_of(RATES[unit.part_of]) if unit.part_of else unit
