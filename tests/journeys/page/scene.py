"""What happens in the few minutes that the page is looked at."""

from collections.abc import Generator
from datetime import datetime, timedelta
from typing import Any

from tests.factories import DATA, event
from tests.fakes import START

SECOND = timedelta(seconds=1)
FIRST = START + 59 * SECOND
"""When the first of all events happened."""
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def at_time(at: datetime, id: str, made: dict[str, Any]) -> dict[str, Any]:
    """Return the event with an id and a time of its own."""
    return {**made, "id": f"{id} {at.isoformat()}", "time": at.isoformat()}


def everything(at: datetime) -> Generator[dict[str, Any]]:
    """Yield each kind of event for two teams, a call without a price, and one with a trace."""
    for team, model in (("red", "gpt-4"), ("blue", "gpt-4o-mini")):
        for kind in DATA:
            yield at_time(at, f"{team} {kind}", event(kind, team_id=team))
        yield at_time(at, f"{team} priced", event(team_id=team, model=model))
        yield at_time(at, f"{team} failed", event(team_id=team, status="error"))
    yield at_time(at, "unpriced", event(provider="workshop", model="house-blend"))
    traceparent = f"00-{TRACE}-00f067aa0ba902b7-01"
    yield at_time(at, "traced", event(team_id="red")) | {"traceparent": traceparent}


def storm(until: datetime) -> list[dict[str, Any]]:
    """Return so many errors, in every quarter of the minute before, that HighErrorRate fires."""
    quarters = [until - n * 15 * SECOND for n in range(1, 5)]
    return [at_time(at, "storm", event("error", count=300)) for at in quarters]
