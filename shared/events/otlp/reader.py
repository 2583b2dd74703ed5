"""Chooses the dialect of a span, and reads a field of it by the dialect's names."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import cast

from pydantic_core import from_json

from shared.events.otlp.common_dialects import COMMON
from shared.events.otlp.dialect import Dialect, Names
from shared.events.otlp.dialects import DIALECTS
from shared.events.otlp.span import MAX_CHARS, Attributes, Span, text_in

_MARKS: Mapping[str, Dialect] = {
    mark: dialect for dialect in reversed(DIALECTS) for mark in dialect.marks
}
_BY_SPANS = [dialect for dialect in DIALECTS if dialect.spans]
FIELDS = sorted({field for dialect in DIALECTS for field in dialect.names})


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

    def text(self, attributes: Attributes, field: str) -> str | None:
        """Return what the attributes say of a field."""
        return text_in(attributes, *self.names[field])


COMMON_NAMES = Reader(COMMON).names
_READERS: Mapping[str, Reader] = {dialect.name: Reader(dialect) for dialect in DIALECTS}


def reader_of(span: Span) -> Reader:
    """Return the reader of the span's dialect: its scope's, else that of a mark on it."""
    dialect = _of_scope(span.scope)
    if dialect is None:
        found = [_MARKS[name] for name in _MARKS.keys() & span.attributes.keys()]
        found += [d for d in _BY_SPANS if span.name.startswith(d.spans)]
        dialect = min(found, key=DIALECTS.index, default=COMMON)
    return _READERS[dialect.name]


@lru_cache(1024)
def _of_scope(scope: str) -> Dialect | None:
    found = (d for d in DIALECTS for name in d.scopes if f"{scope}.".startswith(f"{name}."))
    return next(found, None)


def objects_in(span: Span, name: str) -> Iterator[Mapping[str, object]]:
    """Yield the JSON object that an attribute holds as text, then those inside it.

    Python's own spelling of a dict, which some instrumentations write, is read too.
    """
    text = span.attributes.get(name)
    if not isinstance(text, str) or not text.startswith("{"):
        return
    whole = _parsed(text) or _parsed(_as_json(text))
    if whole is not None:
        yield whole
        yield from (
            cast("dict[str, object]", value) for value in whole.values() if isinstance(value, dict)
        )


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
