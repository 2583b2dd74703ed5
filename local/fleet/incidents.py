"""What goes wrong in the simulated fleet, and when: a timetable that anybody can predict."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Trouble = Literal["outage", "recovery", "surge", "backlog"]

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HISTORY = timedelta(seconds=80)
"""The fleet was in trouble for so long before the first evaluation: the first incident comes soon.
"""
LEAD = timedelta(seconds=6)
"""Rules that are evaluated sooner than this after the fleet began to report may see nothing of it
yet.
"""
TAIL = timedelta(seconds=2)
RECOVERY = timedelta(minutes=3)
CYCLE = timedelta(minutes=20)
"""Nine surges an hour, about $72, fit under the $100 an hour of the cost rule: with more, the
incident that the first one opens would not be resolved."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A trouble that comes once in every cycle. begins: after the start of the fleet."""

    trouble: Trouble
    begins: timedelta
    lasts: timedelta


TIMETABLE = (
    Entry("surge", 6 * MINUTE, 2 * MINUTE),
    Entry("surge", 11 * MINUTE, 2 * MINUTE),
    Entry("backlog", 12 * MINUTE, 6 * MINUTE),
    Entry("surge", 16 * MINUTE, 2 * MINUTE),
    Entry("outage", 18 * MINUTE, 2 * MINUTE),
    Entry("recovery", 20 * MINUTE, RECOVERY),
)


def first_outage_ends(started_at: datetime) -> datetime:
    """Return when the outage ends with which the fleet starts.

    It outlasts the first whole minute that rules can see it at by a little: they fire there, for
    it has lasted long enough, and recover at the next.
    """
    seen_at = started_at + HISTORY + LEAD
    minute = seen_at.replace(second=0, microsecond=0)
    return (minute if minute == seen_at else minute + MINUTE) + TAIL


def troubles(started_at: datetime, at: datetime) -> dict[Trouble, timedelta]:
    """Return what is wrong in the second that begins then, and for how long it has been."""
    passed = at - started_at
    now: dict[Trouble, timedelta] = {
        entry.trouble: (passed - entry.begins) % CYCLE
        for entry in TIMETABLE
        if passed >= entry.begins and (passed - entry.begins) % CYCLE < entry.lasts
    }
    recovering = at - first_outage_ends(started_at)
    if passed > -SECOND and recovering < timedelta():
        now["outage"] = passed
    elif timedelta() <= recovering < RECOVERY:
        now["recovery"] = recovering
    return now
