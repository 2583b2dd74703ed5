"""The rates of one model at one moment, and the arithmetic over them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from operator import attrgetter

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
    unlisted: the fields of Usage that count a class without a rate of its own.
    unlisted_counts: reads them all, several times faster than a loop.
    has_extras: reasoning has a rate of its own, or each request costs something.
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
    unlisted: tuple[str, ...]
    unlisted_counts: Callable[[Usage], tuple[int, ...]]
    has_extras: bool

    def amount(self, used: Usage, count: int) -> Decimal:
        """Return the US dollars of that usage, the total of `count` calls."""
        units = self.input * used.input_tokens + self.output * used.output_tokens
        if used.cache_read_tokens:
            units += self.cache_read * used.cache_read_tokens
        if used.cache_write_tokens:
            units += self.cache_write * used.cache_write_tokens
            units += self.cache_write_1h * used.cache_write_1h_tokens
        if used.audio_input_tokens or used.audio_output_tokens:
            units += self._audio(used)
        if used.web_searches:
            units += self.web_search * used.web_searches
        if self.has_extras:
            units += self.reasoning * used.reasoning_tokens + self.request * count
        return units * self.unit

    def missing(self, used: Usage) -> tuple[str, ...]:
        """Name the parts of that usage that have no rate of their own, or cannot be told apart."""
        if not any(self.unlisted_counts(used)) and not used.audio_input_tokens:
            return ()
        names = tuple(name for name in self.unlisted if getattr(used, name))
        if used.audio_input_tokens and self._splits_audio(used):
            return (*names, "audio_cache_read_tokens")
        return names

    def _audio(self, used: Usage) -> int:
        """Nobody reports how many cached tokens are audio: we take as few as the totals allow."""
        shared = _least_cached_audio(used)
        cached = min(shared, used.cache_read_tokens)
        return (
            self.audio_input * (used.audio_input_tokens - shared)
            + self.audio_cache_read * cached
            + self.audio_output * used.audio_output_tokens
        )

    def _splits_audio(self, used: Usage) -> bool:
        """Tell whether the price hangs on how many of the cached tokens are audio."""
        cached = used.cache_read_tokens + used.cache_write_tokens
        most = min(cached, used.audio_input_tokens)
        return self.audio_input != 0 and _least_cached_audio(used) < most


def compile_rates(sheet: Sheet) -> Rates:
    """Return the rates of a sheet, each missing class at its stand-in's or, without one, at 0."""
    full = dict(sheet)
    for name in RATE_CLASSES:
        if name not in full:
            full[name] = full[PART_OF[name]] if name in PART_OF else Decimal(0)
    each = {name: rate / _per(name) for name, rate in full.items()}
    beyond = {name: rate - each.get(PART_OF.get(name, ""), 0) for name, rate in each.items()}
    unit = Decimal(1).scaleb(min(0, *(int(rate.as_tuple().exponent) for rate in beyond.values())))
    unlisted = tuple(field for name, field in COUNTED_AS.items() if name not in sheet)
    return Rates(
        unit=unit,
        **{name: int(rate / unit) for name, rate in beyond.items()},
        unlisted=unlisted,
        unlisted_counts=_reader(unlisted),
        has_extras=bool(beyond["reasoning"] or beyond["request"]),
    )


def scaled(sheet: Sheet, factor: Decimal) -> Sheet:
    """Return the sheet with its token rates multiplied; searches and requests stay as they are."""
    return {name: rate if name in PER_THOUSAND else rate * factor for name, rate in sheet.items()}


def _per(rate_class: str) -> int:
    return 1_000 if rate_class in PER_THOUSAND else 1_000_000


def _least_cached_audio(used: Usage) -> int:
    cached = used.cache_read_tokens + used.cache_write_tokens
    return max(0, cached + used.audio_input_tokens - used.input_tokens)


def _reader(fields: tuple[str, ...]) -> Callable[[Usage], tuple[int, ...]]:
    """attrgetter gives a tuple only for two names or more."""
    if len(fields) > 1:
        return attrgetter(*fields)
    return lambda used: tuple(getattr(used, field) for field in fields)
