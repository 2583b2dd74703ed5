"""Lets a test or a demo make the stand-in fail on purpose."""

import threading
from typing import Annotated

from pydantic import BaseModel, Field


class Fault(BaseModel, frozen=True, extra="forbid"):
    """How to answer instead: a status, the seconds of Retry-After, and how often."""

    status: Annotated[int, Field(ge=300, le=599)]
    retry_after: Annotated[int, Field(ge=0)] | None = None
    times: Annotated[int, Field(ge=1)] = 1

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the answer."""
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}


class Faults(BaseModel, frozen=True, extra="forbid"):
    """The body of POST /faults; what is left out works again."""

    track: Fault | None = None
    query: Fault | None = None


class FaultSwitch:
    """Holds the faults to come; safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._due: dict[str, list[Fault]] = {}

    def set(self, faults: Faults) -> None:
        """Replace the faults to come."""
        with self._lock:
            self._due = {
                endpoint: [fault] * fault.times
                for endpoint, fault in (("track", faults.track), ("query", faults.query))
                if fault
            }

    def next(self, endpoint: str) -> Fault | None:
        """Take the next fault of the endpoint, `track` or `query`; None when it works."""
        with self._lock:
            due = self._due.get(endpoint)
            return due.pop() if due else None
