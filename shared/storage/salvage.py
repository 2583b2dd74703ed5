"""Reads what is stored field by field where it cannot be read as a whole, and says what is lost."""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from typing import (
    Any,
    Generic,
    Literal,
    Protocol,
    TypeVar,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import TypeAdapter, ValidationError

Kept = TypeVar("Kept")
Json = dict[str, object]

logger = logging.getLogger(__name__)


class Salvage(Generic[Kept]):
    """A stored dataclass, read so that one bad field, or entry of a map, costs only itself."""

    def __init__(self, kind: type[Kept], whole: TypeAdapter[Kept]) -> None:
        """whole: reads one in which nothing is wrong, and earlier editions."""
        self._whole = whole
        self._kind = kind
        hints = get_type_hints(kind)
        self._hints = {one.name: hints[one.name] for one in fields(kind)}  # type: ignore[arg-type]

    def validate_json(self, text: str | bytes) -> Kept:
        """Return the value, without what of it cannot be read. Raises as read()."""
        return self.read(text)[0]

    def read(self, text: str | bytes) -> tuple[Kept, list[str]]:
        """Return the value, and what of it is lost, by field and entry.

        Raises:
            ValueError: a field without which there is none cannot be read.
        """
        try:
            return self._whole.validate_json(text), []
        except ValidationError:
            stored = json.loads(_valid(text))
        if not isinstance(stored, dict):
            raise ValueError(f"What is stored is no {self._kind.__name__}.")
        kept = dict(self._readable(cast("Json", stored)))
        return self._whole.validate_python(kept), sorted(self._lost(cast("Json", stored), kept))

    def _lost(self, stored: Json, kept: Json) -> Iterator[str]:
        """Yield the fields that were not kept, and the entries of those that were."""
        for name in stored.keys() & self._hints.keys():
            if name not in kept:
                yield name
            elif isinstance(entries := kept[name], dict):
                before = cast("Json", stored[name])
                yield from (f"{name}.{key or 'incident'}" for key in before.keys() - entries.keys())

    def dump_python(self, value: Kept, *, mode: Literal["json"]) -> Any:
        """Return the value as JSON has it."""
        return self._whole.dump_python(value, mode=mode)

    def _readable(self, stored: Json) -> Iterator[tuple[str, object]]:
        """Yield the fields that can be read, maps without the entries that cannot."""
        for name, item in stored.items():
            hint = self._hints.get(name, object)
            if get_origin(hint) is Mapping and isinstance(item, dict):
                of_entries = get_args(hint)[1]
                entries = cast("Json", item).items()
                yield name, {key: one for key, one in entries if _is_valid(of_entries, one)}
            elif _is_valid(hint, item):
                yield name, item


class Whole(Generic[Kept]):
    """A stored value that means something else without one of its parts: all of it, or nothing."""

    def __init__(self, whole: TypeAdapter[Kept]) -> None:
        self._whole = whole

    def read(self, text: str | bytes) -> tuple[Kept, list[str]]:
        """Return the value, of which nothing is lost. Raises ValueError."""
        return self._whole.validate_json(text), []


Read = TypeVar("Read", covariant=True)


class Readable(Protocol[Read]):
    """Reads one stored value."""

    def validate_json(self, data: str | bytes, /) -> Read:
        """Return it, or raise ValueError."""
        ...


def readable(kind: Readable[Kept], texts: Iterable[str | bytes]) -> list[Kept]:
    """Return what can be read, each by itself; the log says that the others cannot."""
    found: list[Kept] = []
    for text in texts:
        try:
            found.append(kind.validate_json(text))
        except ValueError as exc:
            logger.error("A stored row cannot be read (%s) and is left out", type(exc).__name__)  # noqa: TRY400 - its text is the row's
    return found


def _is_valid(hint: Any, item: object) -> bool:
    try:
        TypeAdapter[Any](hint).validate_json(json.dumps(item))
    except ValidationError:
        return False
    return True


def _valid(text: str | bytes) -> str:
    """Return the JSON with half characters replaced. Raises ValueError where it is none."""
    try:
        plain = json.dumps(json.loads(text), ensure_ascii=False)
    except RecursionError:
        raise ValueError("What is stored is nested too deeply.") from None
    return plain.encode("utf-8", "replace").decode()
