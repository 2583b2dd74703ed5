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
        """Return the value, without what of it cannot be read; the log says what that is.

        Raises:
            ValidationError: a field without which there is none cannot be read.
        """
        try:
            return self._whole.validate_json(text)
        except ValidationError:
            stored = cast("Json", json.loads(_valid(text)))
        kept = dict(self._readable(stored))
        lost = sorted(stored.keys() & self._hints.keys() - kept.keys())
        logger.error("Stored %s %s: lost %s", self._kind.__name__, kept.get("rule"), lost)
        return self._whole.validate_python(kept)

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
    """Return the JSON with half characters replaced."""
    plain = json.dumps(json.loads(text), ensure_ascii=False)
    return plain.encode("utf-8", "replace").decode()
