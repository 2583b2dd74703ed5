"""Reads TOML into models; what is wrong is named by file, line, field and remedy."""

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from functools import cached_property
from typing import TypeVar, cast

from pydantic import BaseModel, ValidationError

from shared.errors import Misconfigured
from shared.faults import Location, faults

Fault = tuple[Location, str]
"""What is wrong with a document that has the right form: where, and what to write there."""
Model = TypeVar("Model", bound=BaseModel)

_AT = re.compile(r"(.*) \(at (?:(line \d+, column \d+)|end of document)\)")


class Document:
    """A TOML file that was read. said: what it says, its amounts exact."""

    def __init__(self, text: str, file: str, remedy: str) -> None:
        """Parse the text. file, remedy: how errors begin and end.

        Raises:
            Misconfigured: it is no TOML; with line and column.
        """
        self._text = text
        self._file = file
        self._remedy = remedy
        try:
            self.said: Mapping[str, object] = tomllib.loads(text, parse_float=Decimal)
        except (ValueError, ArithmeticError, RecursionError) as exc:
            found = _AT.fullmatch(str(exc))
            at = found[2] or f"line {len(text.splitlines())}" if found else ""
            wrong = f"{at}: {found[1]}" if found else str(exc)
        else:
            return
        raise self.refusal([f"{wrong}; it is no TOML"])

    def refusal(self, problems: Iterable[str]) -> Misconfigured:
        """Return the error that names the problems, each as place() and faults() write them."""
        return Misconfigured(f"{self._file}: {'; '.join(problems)}. {self._remedy}")

    def faults(self, exc: ValidationError, at: Location = ()) -> list[str]:
        """Return each fault that a model found, with its place. at: where the model stands."""
        return [
            f"{self.place((*at, *self._field((*at, *inner), kind)[len(at) :]))}: {said}"
            for inner, kind, said in faults(exc)
        ]

    def place(self, location: Location) -> str:
        """Write a location for a person: "line 12, [[price]] 3: input"."""
        known = (location[:n] for n in range(len(location), 0, -1))
        line = next((self._lines[at] for at in known if at in self._lines), None)
        entry, field = "", location
        if len(location) > 1 and isinstance(location[1], int):
            entry, field = f"[[{location[0]}]] {location[1] + 1}", location[2:]
        where = ": ".join(filter(None, (entry, ".".join(map(str, field)))))
        return ", ".join(filter(None, (f"line {line}" if line else "", where))) or "the file"

    def _field(self, location: Location, kind: str) -> Location:
        """Return the location without what names a branch of the model, no field of the file."""
        kept: list[int | str] = []
        inside: object = self.said
        for number, part in enumerate(location, 1):
            is_absent = kind == "missing" and number == len(location)
            inner = dict(_items(inside)).get(part)
            if inner is not None or isinstance(part, int) or is_absent:
                kept.append(part)
                inside = inner
        return tuple(kept)

    @cached_property
    def _lines(self) -> Mapping[Location, int]:
        """The line of each table, entry and key: statement by statement, parsed by itself."""
        lines: dict[Location, int] = {}
        entries = Counter[Location]()
        table: Location = ()
        statement, begins = "", 1
        for number, line in enumerate(self._text.split("\n"), 1):
            statement += f"{line}\n"
            try:
                said: Mapping[str, object] = tomllib.loads(statement, parse_float=Decimal)
            except ValueError:
                continue  # It goes on in the next line.
            if statement.lstrip().startswith("["):
                table = _entered(said, entries)
                lines[table] = begins
            else:
                lines |= {(*table, *path): begins for path in _paths(said)}
            statement, begins = "", number + 1
        return lines


def read(
    kind: type[Model],
    text: str,
    file: str,
    remedy: str,
    lint: Callable[[Model], Iterable[Fault]] = lambda _: (),
) -> Model:
    """Return the model that the text says.

    lint: finds what is wrong with one whose fields are each well formed.

    Raises:
        Misconfigured: names the file, and every fault at once with its line, field and remedy.
    """
    document = Document(text, file, remedy)
    try:
        model = kind.model_validate(document.said)
    except ValidationError as exc:
        problems = document.faults(exc)
    else:
        problems = [f"{document.place(at)}: {what}" for at, what in lint(model)]
        if not problems:
            return model
    raise document.refusal(problems)


def _entered(header: Mapping[str, object], entries: Counter[Location]) -> Location:
    """Return where a [header] or [[header]] leads; each of the latter counts one more entry."""
    path: Location = ()
    inside: object = header
    while found := next(iter(_items(inside)), None):
        path, inside = (*path, found[0]), found[1]
        if isinstance(inside, list):
            entries[path] += 1
            inside = None
        if path in entries:
            path = (*path, entries[path] - 1)
    return path


def _paths(value: object, at: Location = ()) -> Iterator[Location]:
    for key, inner in _items(value):
        yield (*at, key)
        yield from _paths(inner, (*at, key))


def _items(value: object) -> Iterable[tuple[int | str, object]]:
    if isinstance(value, dict):
        return cast("dict[str, object]", value).items()
    return enumerate(cast("list[object]", value)) if isinstance(value, list) else ()
