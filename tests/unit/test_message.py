import base64
import gzip
import json
import random
import string
from datetime import UTC, datetime

import pytest

from shared.errors import GiveUp
from shared.events.envelope import judge
from shared.events.message import MAX_MESSAGE_CHARS, decode, pack
from tests.factories import DATA, event

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
NOISE = random.Random(1)


def noisy(number: int, size: int) -> dict[str, object]:
    text = "".join(NOISE.choices(string.printable, k=size))
    return event("error", number, message=text)


def test_events_come_out_as_they_went_in() -> None:
    events, _ = judge([event(kind) for kind in DATA], NOW)
    (text,) = pack(events, NOW)
    message = decode(text)
    assert message.events == events
    assert message.received_at == NOW
    assert message.id == message.batch


def test_a_large_batch_is_split_under_the_limit_of_a_queue_message() -> None:
    events, refused = judge([noisy(n, 5000) for n in range(60)], NOW)
    assert refused == []
    texts = pack(events, NOW)
    assert len(texts) > 1
    assert max(map(len, texts)) <= MAX_MESSAGE_CHARS
    assert [e for text in texts for e in decode(text).events] == events
    assert len({decode(text).batch for text in texts}) == len(texts)


def test_the_largest_event_fits_into_a_message() -> None:
    text = "".join(NOISE.choices(string.printable, k=8192))
    fields = ("message", "component", "error_type", "team_id", "agent_id", "tenant")
    parts = dict.fromkeys(fields, text[:1024]) | {"message": text}
    events, refused = judge([{**event("error"), "data": parts}], NOW)
    assert refused == []
    assert len(pack(events, NOW)) == 1


def test_what_is_set_aside_keeps_its_holder_and_counts_anew() -> None:
    events, _ = judge([event()], NOW)
    first = decode(pack(events, NOW)[0])
    again = decode(pack(events, NOW, holder=first.id, note="too old")[0])
    assert (again.id, again.note) == (first.id, "too old")
    assert again.batch != first.batch
    assert again.attempts == 1


def test_the_text_does_not_look_like_json_to_the_host() -> None:
    events, _ = judge([event()], NOW)
    assert pack(events, NOW)[0][0] not in "{["


def packed(value: object) -> str:
    return base64.b64encode(gzip.compress(json.dumps(value).encode())).decode()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("not base64 at all!", id="noise"),
        pytest.param("aGVsbG8=", id="no-gzip"),
        pytest.param("\ufffd\ufffd", id="no-text"),
        pytest.param(packed({"v": 1, "events": []}), id="no-id"),
    ],
)
def test_a_foreign_message_is_given_up_on_with_the_remedy(text: str) -> None:
    with pytest.raises(GiveUp, match="poison"):
        decode(text)


def test_a_newer_version_says_to_deploy_it() -> None:
    newer: dict[str, object] = {"v": 2, "id": "a", "batch": "a", "events": []}
    newer["received_at"] = NOW.isoformat()
    with pytest.raises(GiveUp, match="version 2"):
        decode(packed(newer))
