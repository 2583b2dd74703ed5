"""What every outbox does alike: whose turn it is, what an attempt leaves, how it is written."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, TypeVar, cast, get_args

from pydantic import BeforeValidator, TypeAdapter

from shared.alerting.page import Accepted, Dead, Delivery, Dropped, Later, Page
from shared.alerting.record import Phase, RuleRecord
from shared.alerting.schedule import AHEAD_MOST
from shared.storage.salvage import Salvage

HISTORY_KEPT = 500
"""Settled pages that a store remembers, of all rules together."""


def _renewed(stored: object) -> object:
    """Return a stored record in today's form: a rule had one incident, by no group's name; a phase
    of a later edition is one of ours."""
    if not isinstance(stored, dict):
        return stored
    old = dict(cast("dict[str, object]", stored))
    if isinstance(series := old.get("series"), dict):
        alerts = cast("dict[str, dict[str, object]]", series)
        old["series"] = {key: _in_a_known_phase(alert) for key, alert in alerts.items()}
    if "incident" not in old:
        return old
    open_one, resolved = old.pop("incident"), old.get("resolved")
    return old | {
        "incidents": {"": open_one} if open_one else {},
        "resolved": {"": resolved} if resolved else {},
        "decided": {},
    }


def _in_a_known_phase(alert: object) -> object:
    """Return a stored alert whose phase this edition knows; one that fired still does."""
    if not isinstance(alert, dict):
        return alert
    known = cast("dict[str, object]", alert)
    if known.get("phase") in get_args(Phase):
        return known
    return {**known, "phase": "firing" if known.get("fired_at") else "pending"}


def _doubted(stored: object) -> object:
    """Return a stored page in today's form: whether one that was tried arrived is not known."""
    if not isinstance(stored, dict) or "doubts" in stored:
        return cast("object", stored)
    old = cast("dict[str, object]", stored)
    return {**old, "doubts": int(old.get("tried_at") is not None)}


RECORD = Salvage(
    RuleRecord, TypeAdapter[RuleRecord](Annotated[RuleRecord, BeforeValidator(_renewed)])
)
PAGE = Salvage(Page, TypeAdapter[Page](Annotated[Page, BeforeValidator(_doubted)]))
SETTLED = TypeAdapter[Accepted | Dead | Dropped](Accepted | Dead | Dropped)

Written = TypeVar("Written")


LEASED_MOST = timedelta(minutes=3)
"""How long an attempt may hold a page."""


def next_in_line(pages: Iterable[Page], now: datetime, most: int) -> Sequence[Page]:
    """Return the first page of each line where that one is due, oldest first."""
    heads: dict[tuple[str, str], Page] = {}
    for page in in_order(pages):
        heads.setdefault(page.line, page)
    return [page for page in heads.values() if is_due(page, now)][:most]


def is_due(page: Page, now: datetime) -> bool:
    """Return whether an attempt may begin; a page that a wrong clock dated ahead waits for nothing.

    One that was tried may be in another instance's hands, whose clock is a little ahead.
    """
    dated, most = (page.tried_at, LEASED_MOST) if page.tried_at else (page.created_at, AHEAD_MOST)
    return page.not_before <= now or dated - now > most


def in_order(pages: Iterable[Page]) -> list[Page]:
    """Return the pages oldest first."""
    return sorted(pages, key=lambda page: page.id)


def begun(stored: Page, page: Page, token: str, now: datetime, until: datetime) -> Page | None:
    """Return the page as an attempt at `now` finds it, None where it is not what was read."""
    if (stored.lease, stored.attempts, stored.not_before) != (
        *(page.lease, page.attempts, page.not_before),
    ):
        return None
    begun_once_more = stored.doubts + 1
    return replace(stored, lease=token, tried_at=now, not_before=until, doubts=begun_once_more)


def attempted(page: Page, outcome: Delivery, not_before: datetime) -> Page:
    """Return the page as this attempt leaves it."""
    match outcome:
        case Accepted():
            said = str(outcome.status)
        case Dropped():
            said = page.last_status or outcome.reason  # what the last attempt heard is kept
            return replace(page, last_status=said, not_before=not_before)
        case Dead():
            said = outcome.why
        case Later():
            return _postponed(page, outcome, not_before)
    return replace(page, attempts=page.attempts + 1, last_status=said, not_before=not_before)


def _postponed(page: Page, outcome: Later, not_before: datetime) -> Page:
    """Return the page that waits on; an attempt that was surely not taken leaves no doubt."""
    return replace(
        page,
        attempts=page.attempts + 1,
        last_status=outcome.why,
        not_before=not_before,
        doubts=page.doubts - (outcome.cause != "unclear"),
        cause=outcome.cause,
    )


def as_json(kind: TypeAdapter[Written] | Salvage[Written], value: Written) -> str:
    """Write the value as JSON that kind.validate_json reads back.

    Infinity and NaN stay what they are, where pydantic's own JSON would write null: a rule whose
    value was one could then never be loaded again. Half characters become whole ones.
    """
    text = json.dumps(
        kind.dump_python(value, mode="json"), separators=(",", ":"), ensure_ascii=False
    )
    return text.encode("utf-8", "replace").decode()


def faster(rule: str) -> str:
    """Return what to say when the stored record is not the one that was loaded."""
    return f"Another process evaluated {rule} at the same time; the next tick goes on."
