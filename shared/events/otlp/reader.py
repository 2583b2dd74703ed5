"""Chooses the dialect of a span, and reads its attributes once, field by field, by its names."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import cast

from pydantic_core import from_json

from shared.events.otlp.common_dialects import COMMON
from shared.events.otlp.dialect import Dialect, Names
from shared.events.otlp.dialects import DIALECTS
from shared.events.otlp.span import MAX_CHARS, Attributes, Scalar, Span, number_in, text_in

_MARKS: Mapping[str, Dialect] = {
    mark: dialect for dialect in reversed(DIALECTS) for mark in dialect.marks
}
_BY_SPANS = [dialect for dialect in DIALECTS if dialect.spans]
FIELDS = sorted({field for dialect in DIALECTS for field in dialect.names})
SHAPES = 256
"""Sets of attributes for which a dialect remembers what each means."""


class Said:
    """What attributes say of each field in the words of a dialect."""

    __slots__ = ("_attributes", "_names", "dialect")

    def __init__(
        self, dialect: Dialect, attributes: Attributes, names: Mapping[str, Names]
    ) -> None:
        """names: field → those of the attributes that hold it, the first to be believed first."""
        self.dialect = dialect
        self._attributes = attributes
        self._names = names

    def first(self, field: str) -> Scalar | None:
        """Return the first value of a field."""
        names = self._names.get(field)
        return self._attributes[names[0]] if names else None

    def text(self, field: str) -> str | None:
        """Return the first value that says something, as text of bounded length."""
        names = self._names.get(field)
        return text_in(self._attributes, *names) if names else None

    def number(self, field: str) -> float | None:
        """Return the first value that is a finite number, be it as text."""
        names = self._names.get(field)
        return number_in(self._attributes, *names) if names else None


class Reader:
    """Reads spans of one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        shared = [other for other in (COMMON, *DIALECTS) if other.shared]
        self.names: Mapping[str, Names] = {
            field: tuple(
                dict.fromkeys(
                    name for each in (dialect, *shared) for name in each.names.get(field, ())
                )
            )
            for field in FIELDS
        }
        self._known = frozenset(name for names in self.names.values() for name in names)
        self._names_among = lru_cache(SHAPES)(self._present)

    def read(self, attributes: Attributes) -> Said:
        """Return what the attributes say.

        Which attribute holds which field is found once for spans with the same attributes.
        """
        present = self._known.intersection(attributes)
        return Said(self.dialect, attributes, self._names_among(present))

    def _present(self, given: frozenset[str]) -> Mapping[str, Names]:
        """Return the names of each field of which one is given."""
        found = {
            field: tuple(name for name in names if name in given)
            for field, names in self.names.items()
        }
        return {field: names for field, names in found.items() if names}


COMMON_NAMES = Reader(COMMON).names
_READERS: Mapping[str, Reader] = {dialect.name: Reader(dialect) for dialect in DIALECTS}


def reader_of(span: Span) -> Reader:
    """Return the reader of the span's dialect: its scope's, else that of a mark on it."""
    dialect = _of_scope(span.scope)
    if dialect is None:
        found = [_MARKS[name] for name in _MARKS.keys() & span.attributes.keys()]
        found += [d for d in _BY_SPANS if span.name.startswith(d.spans)]
        dialect = min(found, key=DIALECTS.index) if found else COMMON
    return _READERS[dialect.name]


@lru_cache(1024)
def _of_scope(scope: str) -> Dialect | None:
    found = (d for d in DIALECTS for name in d.scopes if f"{scope}.".startswith(f"{name}."))
    return next(found, None)


def objects_in(span: Span, name: str, depth: int = 0) -> Iterator[Mapping[str, object]]:
    """Yield the JSON object that an attribute holds as text, then those inside it, so deep.

    Python's own spelling of a dict, which some instrumentations write, is read too.
    """
    text = span.attributes.get(name)
    if not isinstance(text, str) or not text.startswith("{"):
        return
    whole = _parsed(text) or _parsed(_as_json(text))
    if whole is not None:
        yield from _levels(whole, depth)


def _levels(whole: Mapping[str, object], depth: int) -> Iterator[Mapping[str, object]]:
    yield whole
    for value in whole.values() if depth else ():
        if isinstance(value, dict):
            yield from _levels(cast("dict[str, object]", value), depth - 1)


def _parsed(text: str) -> Mapping[str, object] | None:
    try:
        found: object = from_json(text)
    except ValueError:  # cut off by a limit of the sender's
        return None
    return cast("dict[str, object]", found) if isinstance(found, dict) else None


def _as_json(text: str) -> str:
    plain = text.replace("'", '"').replace(": None", ": null")
    return plain.replace(": True", ": true").replace(": False", ": false")


def stated_in(span: Span, attribute: str, name: str) -> str | None:
    """Return a text field of an attribute that holds a JSON object."""
    whole = next(objects_in(span, attribute), None)
    found = whole.get(name) if whole else None
    return found[:MAX_CHARS] if isinstance(found, str) and found else None
