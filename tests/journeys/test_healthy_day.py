"""What is well pages nobody: a fleet without incidents, and recorded traffic of a real service."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic_core import to_json

from local.fleet.runner import Fleet
from ops.play.trace import read_trace
from replay.plan import Plan
from replay.recording import Recorded
from replay.run import Happened, replay
from replay.world import Config
from shared.adapters.config.config_folder import read_routes, read_text, rules_of
from tests.journeys.scenario import CONFIG

DATA = Path(__file__).parents[3] / "shared" / "data"
MIDNIGHT = datetime(2026, 1, 5, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
ONE_IN = 5
"""Of so many seconds of the fleet one is played: a fleet of fewer agents, with the same shares."""


def played(events: Sequence[Recorded], start: datetime, hours: float) -> Happened:
    """Replay them by all that ships, with events that are as late as on Azure."""
    config = Config(
        rules_of(CONFIG / "rules"), read_routes(CONFIG), read_text(CONFIG / "prices.toml")
    )
    stated = {"start": start, "duration_s": 3600 * hours, "ingest_delay_s": 40}
    happened = replay(Plan.model_validate(stated), config, events, lambda _: None)
    assert not happened.failed
    assert not happened.refused
    assert happened.posted > 1000
    return happened


def fleet(start: datetime, hours: float) -> Iterator[Recorded]:
    agents = Fleet(7, start, incidents=False)
    seconds = range(0, int(3600 * hours), ONE_IN)
    for begin in (start + second * SECOND for second in seconds):
        for event in agents.events_between(begin, begin + SECOND):
            yield Recorded(0, to_json(event), datetime.fromisoformat(str(event["time"])))


@pytest.mark.parametrize(
    ("from_hour", "hours"),
    [
        pytest.param(8, 2, id="a-morning"),
        pytest.param(0, 24, id="a-day", marks=[pytest.mark.day, pytest.mark.timeout(1800)]),
    ],
)
def test_a_fleet_that_is_well_pages_no_one(from_hour: int, hours: float) -> None:
    start = MIDNIGHT + from_hour * HOUR
    happened = played(list(fleet(start, hours)), start, hours)
    assert [call.page.summary for call in happened.attempts] == []
    assert [change for change in happened.changes if change.transition.state == "firing"] == []


@pytest.mark.skipif(not DATA.exists(), reason=f"{DATA} is not there: the traces are recordings")
@pytest.mark.parametrize("name", ["AzureLLMInferenceTrace_code", "AzureLLMInferenceTrace_conv"])
def test_recorded_calls_page_no_one(name: str) -> None:
    trace = read_trace(DATA / f"{name}.csv")
    shift = MIDNIGHT - trace.calls[0].at
    events = [
        Recorded(
            call.row,
            to_json(
                {
                    "specversion": "1.0",
                    "id": str(call.row),
                    "source": name,
                    "type": "llm.call",
                    "time": (call.at + shift).isoformat(),
                    "data": {
                        "provider": "openai",
                        "model": "gpt-4o-mini",
                        "status": "success",
                        "usage": {
                            "input_tokens": call.input_tokens,
                            "output_tokens": call.output_tokens,
                        },
                    },
                }
            ),
            call.at + shift,
        )
        for call in trace.calls
    ]
    assert played(events, MIDNIGHT, trace.length / HOUR).attempts == []
