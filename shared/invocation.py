"""The invocation that runs now: in which trace, what it calls, and what fails meanwhile."""

import re
import secrets
import traceback
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from time import perf_counter
from typing import TypeVar

from shared.errors import AgentmeterError

TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NO_ID = re.compile(r"0*")
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a trace, by W3C's ids: 32 and 16 hex digits; both "" for no trace."""

    trace_id: str = ""
    span_id: str = ""

    def __bool__(self) -> bool:
        return bool(self.trace_id)

    def child(self) -> "Span":
        """Return a new span of the same trace."""
        return replace(self, span_id=secrets.token_hex(8))

    @property
    def traceparent(self) -> str:
        """Return W3C's header for what continues here; "" for no trace."""
        return f"00-{self.trace_id}-{self.span_id}-01" if self else ""


@lru_cache(maxsize=1_024)
def read_traceparent(text: str) -> Span:
    """Return the span that W3C's header names; one without ids where it names none."""
    found = TRACEPARENT.fullmatch(text)
    if found is None or any(map(NO_ID.fullmatch, found.groups())):
        return Span()
    return Span(*found.groups())


@dataclass(slots=True)
class Call:
    """A wait for another service, or a piece of work in the trace of what caused it.

    name: of a call over HTTP, its method and path. url: what was called, without secrets; "" for
    work of our own. result: an HTTP status, or "". about: what it was done for.
    """

    name: str
    url: str
    at: datetime
    span: Span
    parent_id: str
    about: Mapping[str, str]
    duration: timedelta = timedelta()
    result: str = ""
    failed: bool = False

    def answered(self, status: int | None) -> None:
        """Note the HTTP status, None where no answer came."""
        self.result = "" if status is None else str(status)
        self.failed = status is None or status >= 400


@dataclass(frozen=True, slots=True)
class Fault:
    """An exception that went no further than here. stack: its frames, without values."""

    at: datetime
    type: str
    message: str
    stack: str
    span: Span
    about: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of a function by its host.

    now: the app's clock. adopt: registers the calling thread with the host.
    calls, faults: filled in while it runs.
    """

    function: str
    id: str
    span: Span
    now: Callable[[], datetime]
    adopt: Callable[[], None] = lambda: None
    calls: list[Call] = field(default_factory=list[Call])
    faults: list[Fault] = field(default_factory=list[Fault])


@dataclass(frozen=True, slots=True)
class Place:
    """Where the code at work is: its invocation, its span, and what it is about."""

    invocation: Invocation
    span: Span
    about: Mapping[str, str]


_place: ContextVar[Place | None] = ContextVar("place", default=None)


def here() -> Place | None:
    """Return where the calling code is; None outside any invocation."""
    return _place.get()


def trace_id() -> str:
    """Return the id of the trace that goes on here, "" for none."""
    place = here()
    return place.span.trace_id if place else ""


def traceparent() -> str:
    """Return what a message sent from here should carry, "" for nothing."""
    place = here()
    return place.span.traceparent if place else ""


@contextmanager
def running(invocation: Invocation) -> Generator[None]:
    """Make it the invocation of all that is done inside."""
    with _at(Place(invocation, invocation.span, {})):
        yield


@contextmanager
def about(**fields: str) -> Generator[None]:
    """Say in every log line and row from inside what the work is about."""
    place = here()
    with _at(place and replace(place, about={**place.about, **fields})):
        yield


@contextmanager
def posting(url: str) -> Generator[Call]:
    """Record a POST to another service; yields it, so that its answer can be noted.

    url: without secrets. What is raised is recorded as well, and raised on.
    """
    place, name = here(), f"POST /{url.partition('://')[2].partition('/')[2]}"
    if place is None:
        yield Call(name, url, EPOCH, Span(), "", {})
        return
    call = _begun(place, name, url, place.span)
    with _recorded(place.invocation, call), _at(replace(place, span=call.span)):
        try:
            yield call
        except Exception as exc:
            failed(exc)
            raise


@contextmanager
def working(name: str, cause: Span) -> Generator[None]:
    """Do the invocation's work in the trace of what caused it, if that is known.

    The host cannot know of that trace: its own row of the invocation stands in another.
    """
    place = here()
    if place is None or not cause:
        yield
        return
    own = {"invocation_id": place.invocation.id, "invocation_trace_id": place.span.trace_id}
    call = _begun(replace(place, about={**place.about, **own}), name, "", cause)
    with _recorded(place.invocation, call), _at(replace(place, span=call.span)):
        yield


def _begun(place: Place, name: str, url: str, parent: Span) -> Call:
    at = place.invocation.now()
    return Call(name, url, at, parent.child(), parent.span_id, place.about)


@contextmanager
def _recorded(invocation: Invocation, call: Call) -> Generator[None]:
    """Time the call, and note whether it failed."""
    began_s = perf_counter()
    try:
        yield
    except Exception:
        call.failed = True
        raise
    finally:
        call.duration = timedelta(seconds=perf_counter() - began_s)
        invocation.calls.append(call)


def failed(exc: BaseException, **fields: str) -> None:
    """Record an exception that goes no further, and what it was about.

    Only our own errors are quoted: what others raise may hold an address that is a secret.
    """
    place = here()
    if place is None:
        return
    message = str(exc) if isinstance(exc, AgentmeterError) else ""
    stack = "".join(traceback.format_tb(exc.__traceback__))
    about_it = {**place.about, **fields}
    place.invocation.faults.append(
        Fault(place.invocation.now(), type(exc).__name__, message, stack, place.span, about_it)
    )


def carried(work: Callable[[Item], Result]) -> Callable[[Item], Result]:
    """Return the work, to be done by another thread as part of this invocation."""
    context, place = copy_context(), here()

    def do(item: Item) -> Result:
        if place:
            place.invocation.adopt()
        return context.copy().run(work, item)

    return do


@contextmanager
def _at(place: Place | None) -> Generator[None]:
    token = _place.set(place)
    try:
        yield
    finally:
        _place.reset(token)
