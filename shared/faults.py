"""Says what a model found wrong: one sentence for each fault, with its remedy."""

from collections.abc import Iterable, Iterator

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shared.errors import InvalidEvent

Location = tuple[int | str, ...]
"""Where something stands: the names of tables and keys, and the numbers of entries from 0."""

REMEDIES = {"extra_forbidden": "; correct its name, or remove it", "missing": "; add it"}


def faults(exc: ValidationError) -> Iterator[tuple[Location, str, str]]:
    """Yield each fault's place, kind and sentence; a list that lost its wrong entries is none."""
    errors = exc.errors()
    for error in errors:
        if error["type"] == "too_short" and _has_inner(error["loc"], errors):
            continue
        said = error["msg"].removeprefix("Value error, ")
        yield error["loc"], error["type"], f"{said}{REMEDIES.get(error['type'], '')}"


def refused_body(exc: ValidationError, remedy: str) -> InvalidEvent:
    """Return the error that names every fault of a request's body."""
    named = (f"{'.'.join(map(str, at)) or 'body'}: {said}" for at, _, said in faults(exc))
    return InvalidEvent(f"{'; '.join(named)}. {remedy}")


def _has_inner(location: Location, errors: Iterable[ErrorDetails]) -> bool:
    """Return whether entries of that list are wrong; without them it only seems too short."""
    within = (error["loc"] for error in errors)
    return any(loc[: len(location)] == location and loc != location for loc in within)
