"""Regular expressions of matchers: RE2, as Alertmanager reads them, in time linear in the text."""

from functools import lru_cache
from importlib import import_module
from typing import Protocol, cast

REPEATS_BYTES = 1 << 20
"""What one pattern may take of memory."""


class Pattern(Protocol):
    """A compiled pattern."""

    def fullmatch(self, text: str) -> object | None:
        """Return a match of the whole text, or None."""
        ...


class _Options(Protocol):
    log_errors: bool
    max_mem: int


class _Re2(Protocol):
    error: type[Exception]

    def Options(self) -> _Options: ...
    def compile(self, pattern: str, options: _Options) -> Pattern: ...


@lru_cache(maxsize=1000)
def compiled(pattern: str) -> Pattern:
    """Return the pattern.

    Raises:
        ValueError: RE2 does not read it; the message says why.
    """
    re2 = cast("_Re2", import_module("re2"))  # a tenth of a cold start: only where one is used
    options = re2.Options()
    options.log_errors, options.max_mem = False, REPEATS_BYTES
    try:
        return re2.compile(pattern, options)
    except re2.error as exc:
        said = exc.args[0] if exc.args else ""
        why = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise ValueError(f"{pattern!r} is no regular expression of RE2 ({why})") from None
