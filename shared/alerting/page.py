"""A message to a person: what is said to a notifier, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Action = Literal["trigger", "resolve", "change"]
"""A change is an event of its own: nothing that wakes anybody, opens or ends."""
Severity = Literal["critical", "error", "warning", "info"]
Cause = Literal["unclear", "busy", "repair"]
"""Why an attempt did not succeed. unclear: the other side may have the page all the same (no
answer, 5xx). busy: it surely has not, and will take it soon. repair: it surely has not, and will
not until a person repairs something (a wrong key, a receiver that is gone)."""


@dataclass(frozen=True, slots=True)
class Page:
    """One call to a notifier, frozen when it was decided.

    id: unique; sorts by time of decision, so that pages of one dedup_key go out in order.
    rule: the rule's key, whose partition holds the page.
    dedup_key: the incident, at most 255 ASCII characters, stable across episodes and restarts.
    route: the receiver's name in config/routes.toml; a resolve goes where its trigger went.
    body: what the notifier says, as JSON values; never a secret.
    not_before: do not attempt earlier.
    reason: why it was decided, in a word or two ("first", "all resolved", ...).
    fired_at: when the first alert of a trigger began to fire.
    tried_at: when the last attempt began. lease: who has begun it; not_before is then when others
    may try. doubts: attempts that the other side may have taken. cause: why the last one failed.
    owner: what holds, or is to hold, the incident (ports.Owners); "" in pages that are of none.
    """

    id: str
    rule: str
    dedup_key: str
    route: str
    action: Action
    severity: Severity
    summary: str
    body: Mapping[str, object]
    created_at: datetime
    not_before: datetime
    reason: str
    attempts: int = 0
    last_status: str = ""
    tried_at: datetime | None = None
    lease: str = ""
    fired_at: datetime | None = None
    doubts: int = 0
    cause: Cause | Literal[""] = ""
    owner: str = ""

    @property
    def line(self) -> tuple[str, str]:
        """Return what it is in line with: the pages of one incident at one place go in order."""
        return self.dedup_key, self.owner.partition(" ")[0]


@dataclass(frozen=True, slots=True)
class Accepted:
    """The other side has it."""

    status: int


@dataclass(frozen=True, slots=True)
class Later:
    """Not now; try again. retry_after_s: what the other side asked for."""

    why: str
    retry_after_s: float | None = None
    cause: Cause = "unclear"


@dataclass(frozen=True, slots=True)
class Refused:
    """The other side does not take it in this form; a barer one it may."""

    why: str


@dataclass(frozen=True, slots=True)
class Dead:
    """A change event that the other side will never take."""

    why: str


@dataclass(frozen=True, slots=True)
class Dropped:
    """It was not sent, for there was no need any more."""

    reason: str


Answer = Accepted | Later | Refused
Delivery = Accepted | Later | Dead | Dropped
