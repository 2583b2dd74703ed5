"""What the last release wrote or was given is read by this one, and the other way round.

tests/landed/ holds a fixture of it: queue messages, settings, configuration, names of its fields.
Its state is in test_landed_state.py.
"""

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from gzip import decompress
from pathlib import Path
from typing import Any, cast

import pytest

from shared.adapters.config.config_folder import read_budgets, read_prices, read_routes, read_rules
from shared.adapters.otlp.traces import read_traces
from shared.errors import GiveUp
from shared.events.envelope import judge
from shared.events.message import Message, beat, decode, encode, pack
from shared.events.otlp.media import PROTOBUF
from shared.events.split import halves
from shared.events.unpack import Sizes
from shared.settings import read
from shared.usecases.intake.otlp import TakeOtlp
from tests.factories import DATA, event
from tests.fakes import START
from tests.spans import CHAT, span, wire

LANDED = Path(__file__).parents[1] / "landed"
MESSAGES: Mapping[str, str] = json.loads((LANDED / "messages.json").read_text())
FIELDS: Mapping[str, Sequence[str]] = json.loads((LANDED / "fields.json").read_text())
KINDS = list(DATA)


def events_of(message: Message) -> list[tuple[str, str]]:
    return [(event.id, event.type) for event in message.events]


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("events", KINDS),
        ("requeued", KINDS),
        ("poison", KINDS),
        ("given back", KINDS[:2]),
    ],
)
def test_messages_of_the_last_release_are_read(name: str, kinds: list[str]) -> None:
    found = decode(MESSAGES[name])
    assert events_of(found) == [(f"{kind}-{n}", kind) for n, kind in enumerate(kinds)]
    assert found.received_at == START
    assert found.is_posted == (name != "given back")


def test_a_requeued_message_remembers_its_attempts() -> None:
    assert decode(MESSAGES["requeued"]).attempts == 5
    assert decode(MESSAGES["poison"]).note == "failed 5 times"


def test_halves_of_the_last_release_are_read() -> None:
    both = [decode(MESSAGES[name]) for name in ("half 0", "half 1")]
    assert sorted(pair for half in both for pair in events_of(half)) == sorted(
        events_of(decode(MESSAGES["events"]))
    )
    assert [half.batch.rpartition(".")[2] for half in both] == ["0", "1"]


def test_spans_of_the_last_release_are_read() -> None:
    found = decode(MESSAGES["spans"])
    assert [one.name for one in found.spans] == ["invoke_agent", "chat gpt-4o"]
    assert [each.type for each in found.events] == ["agent.operation", "llm.call"]


def test_settings_of_the_last_release_are_read() -> None:
    given = json.loads((LANDED / "settings.json").read_text())
    needed = {
        "APPLICATIONINSIGHTS_CONNECTION_STRING": "InstrumentationKey=x",
        "LOGS_WORKSPACE_ID": "w",
    }
    found = read({**given, **needed})
    assert not found.problems()
    assert {name for name in given if not hasattr(found, name)} == set()


def test_configuration_of_the_last_release_is_read() -> None:
    folder = LANDED / "config"
    assert len(read_rules(folder)) == 10
    assert read_routes(folder).receivers
    assert read_prices(folder)
    assert read_budgets(folder) is not None


def plain(text: str) -> dict[str, Any]:
    return json.loads(decompress(b64decode(text)))


def unknown(message: Mapping[str, Any]) -> Iterator[str]:
    """Yield what of a message the last release does not know, and refuses it for."""
    yield from message.keys() - FIELDS["message"]
    for each in cast("Sequence[dict[str, Any]]", message["events"]):
        yield from each.keys() - FIELDS["event"]
        yield from each["data"].keys() - FIELDS[each["type"]]
        yield from each["data"].get("usage", {}).keys() - FIELDS["usage"]
    for each in cast("Sequence[dict[str, Any]]", message.get("spans", ())):
        yield from each.keys() - FIELDS["span"]


def test_events_that_this_release_queues_are_read_by_the_last() -> None:
    events, _ = judge([event(kind, n) for n, kind in enumerate(DATA)], START)
    (text,) = pack(events, START)
    for each in (text, *halves(text), beat(START)):
        assert list(unknown(plain(each))) == []


def test_spans_that_this_release_queues_are_not_read_by_the_last() -> None:
    """So the queue runs dry before a rollback: docs/deploy.md says so."""
    take = TakeOtlp(read_traces, Sizes(10**7, 10**7, "", ""), 0)
    body = wire([span(CHAT, 1)]).SerializeToString()
    (text,) = take.accept(body, {"content-type": PROTOBUF}, PROTOBUF, START).messages
    assert set(unknown(plain(text))) == {"otlp", "records"}


def test_a_message_of_a_later_version_is_kept_in_poison_with_the_remedy() -> None:
    later = Message(v=2, id="m", batch="m", received_at=START, events=[])
    with pytest.raises(GiveUp, match="Deploy the version that wrote it, then replay"):
        decode(encode(later))
