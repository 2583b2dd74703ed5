"""The rates of one model at one moment, and the arithmetic over them."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from shared.events.types import Usage

RATE_CLASSES = (
    "input",
    "output",
    "cache_read",
    "cache_write",
    "cache_write_1h",
    "audio_input",
    "audio_output",
    "audio_cache_read",
    "reasoning",
    "web_search",
    "request",
)
PER_THOUSAND = frozenset({"web_search", "request"})

Sheet = Mapping[str, Decimal]
"""Class → US dollars per million tokens, or per thousand of what is PER_THOUSAND."""

PART_OF: Mapping[str, str] = {
    "cache_read": "input",
    "cache_write": "input",
    "cache_write_1h": "cache_write",
    "audio_input": "input",
    "audio_output": "output",
    "audio_cache_read": "cache_read",
    "reasoning": "output",
}
"""Class → the class whose tokens include its own, and whose rate stands in where it has none."""

COUNTED_AS: Mapping[str, str] = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cache_read": "cache_read_tokens",
    "cache_write": "cache_write_tokens",
    "cache_write_1h": "cache_write_1h_tokens",
    "audio_input": "audio_input_tokens",
    "audio_output": "audio_output_tokens",
    "web_search": "web_searches",
}
"""Class → the field of Usage that counts it, and that names it where its rate is missing."""


@dataclass(frozen=True, slots=True)
class Rates:
    """What one of each class costs, in whole units: integers are exact, and faster than Decimal.

    unit: US dollars. Every class that is a part of another says what it costs beyond that one.
    unlisted: field of Usage → itself in a tuple where its class has no rate of its own, else ().
    has_extras: a part that is seldom priced apart is: reasoning, requests, or text has no rate.
    """

    unit: Decimal
    input: int
    output: int
    cache_read: int
    cache_write: int
    cache_write_1h: int
    audio_input: int
    audio_output: int
    audio_cache_read: int
    reasoning: int
    web_search: int
    request: int
    unlisted: Mapping[str, tuple[str, ...]]
    has_extras: bool

    def charge(self, used: Usage, count: int) -> tuple[Decimal, tuple[str, ...]]:
        """Return the US dollars of that usage, the total of `count` calls, and what is missing:
        the parts that have no rate of their own, or that cannot be told apart."""
        units = self.input * used.input_tokens + self.output * used.output_tokens
        missing: tuple[str, ...] = ()
        if used.cache_read_tokens:
            units += self.cache_read * used.cache_read_tokens
            missing += self.unlisted["cache_read_tokens"]
        if used.cache_write_tokens:
            units += self.cache_write * used.cache_write_tokens
            missing += self.unlisted["cache_write_tokens"]
        if used.cache_write_1h_tokens:
            units += self.cache_write_1h * used.cache_write_1h_tokens
            missing += self.unlisted["cache_write_1h_tokens"]
        if used.audio_input_tokens or used.audio_output_tokens:
            units += self._audio(used)
            missing += self._missing_audio(used)
        if used.web_searches or self.has_extras:
            units += self._extras(used, count)
            missing += self._missing_extras(used)
        return units * self.unit, missing

    def _audio(self, used: Usage) -> int:
        units = self.audio_input * used.audio_input_tokens
        units += self.audio_output * used.audio_output_tokens
        if used.audio_input_tokens and (used.cache_read_tokens or used.cache_write_tokens):
            # Nobody reports how many cached tokens are audio: as few as the totals allow.
            shared, _ = _cached_audio(used)
            units -= self.audio_input * shared
            units += self.audio_cache_read * min(shared, used.cache_read_tokens)
        return units

    def _missing_audio(self, used: Usage) -> tuple[str, ...]:
        missing: tuple[str, ...] = ()
        if used.audio_input_tokens:
            missing += self.unlisted["audio_input_tokens"]
            least, most = _cached_audio(used)
            if least < most and self.audio_input:
                missing += ("audio_cache_read_tokens",)
        if used.audio_output_tokens:
            missing += self.unlisted["audio_output_tokens"]
        return missing

    def _extras(self, used: Usage, count: int) -> int:
        return (
            self.web_search * used.web_searches
            + self.reasoning * used.reasoning_tokens
            + self.request * count
        )

    def _missing_extras(self, used: Usage) -> tuple[str, ...]:
        fields = ("input_tokens", "output_tokens", "web_searches")
        return tuple(
            name for field in fields if getattr(used, field) for name in self.unlisted[field]
        )


def compile_rates(sheet: Sheet) -> Rates:
    """Return the rates of a sheet, each missing class at its stand-in's or, without one, at 0."""
    full = dict(sheet)
    for name in RATE_CLASSES:
        if name not in full:
            full[name] = full[PART_OF[name]] if name in PART_OF else Decimal(0)
    each = {name: rate / _per(name) for name, rate in full.items()}
    beyond = {name: rate - each.get(PART_OF.get(name, ""), 0) for name, rate in each.items()}
    unit = Decimal(1).scaleb(min(0, *(int(rate.as_tuple().exponent) for rate in beyond.values())))
    has_text = {"input", "output"} <= sheet.keys()
    return Rates(
        unit=unit,
        **{name: int(rate / unit) for name, rate in beyond.items()},
        unlisted={field: () if name in sheet else (field,) for name, field in COUNTED_AS.items()},
        has_extras=not has_text or bool(beyond["reasoning"] or beyond["request"]),
    )


def scaled(sheet: Sheet, factor: Decimal) -> Sheet:
    """Return the sheet with its token rates multiplied; searches and requests stay as they are."""
    return {name: rate if name in PER_THOUSAND else rate * factor for name, rate in sheet.items()}


def _per(rate_class: str) -> int:
    return 1_000 if rate_class in PER_THOUSAND else 1_000_000


def _cached_audio(used: Usage) -> tuple[int, int]:
    """Return how many of the cached tokens are audio, at least and at most."""
    cached = used.cache_read_tokens + used.cache_write_tokens
    least = max(0, cached + used.audio_input_tokens - used.input_tokens)
    return least, min(cached, used.audio_input_tokens)
