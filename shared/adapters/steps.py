"""What every log of steps does alike: how steps are named, ordered, bounded and written."""

import hashlib
from collections.abc import Iterable, Sequence

from pydantic import TypeAdapter

from shared.adapters.outbox import as_json
from shared.alerting.history import News, Step, in_order

STEPS_KEPT = 200
"""Exported steps that a store remembers of each rule."""

STEPS = TypeAdapter(tuple[Step, ...])


def news_of(rule: str, steps: Sequence[Step]) -> News:
    """Return the steps under a name that follows from them."""
    text = as_json(STEPS, tuple(steps))
    return News(hashlib.sha256(text.encode()).hexdigest()[:24], rule, tuple(steps))


def oldest_first(news: Iterable[News]) -> list[News]:
    """Return the news in the order of what they tell."""
    return sorted(news, key=lambda one: one.steps[0].at)


def merged(*parts: Iterable[Step]) -> list[Step]:
    """Return the steps of all parts in order; of those with one id the last counts."""
    return in_order({step.id: step for part in parts for step in part}.values())


def kept(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Return the latest steps, as many as a store remembers."""
    return tuple(steps[-STEPS_KEPT:])
