import gzip
import json
from typing import Any

import pytest

from shared.errors import InvalidEvent, LengthRequired, TooLarge, UnsupportedMedia
from shared.events.body import Limits, read_events
from tests.factories import event

JSON = {"content-type": "application/json"}
LIMITS = Limits(events=3, body_bytes=4096, unpacked_bytes=8192)


def encoded(value: object) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    ("media", "body", "count"),
    [
        pytest.param("application/json", event(), 1, id="one-object"),
        pytest.param("application/json; charset=utf-8", [event()] * 3, 3, id="array"),
        pytest.param("application/cloudevents+json", event(), 1, id="structured"),
        pytest.param("application/cloudevents-batch+json", [event()] * 2, 2, id="batch"),
    ],
)
def test_every_content_type_of_ours_is_read(media: str, body: Any, count: int) -> None:
    assert len(read_events(encoded(body), {"content-type": media}, LIMITS)) == count


def test_gzip_is_unpacked() -> None:
    headers = {**JSON, "content-encoding": "gzip"}
    assert read_events(gzip.compress(encoded(event())), headers, LIMITS) == [event()]


BIG = encoded([event()] * 200)


@pytest.mark.parametrize(
    ("headers", "body", "error", "says"),
    [
        pytest.param(
            {**JSON, "transfer-encoding": "chunked"}, b"", LengthRequired, "Content-Length"
        ),
        pytest.param({}, b"{}", UnsupportedMedia, "application/json", id="no-type"),
        pytest.param({"content-type": "text/xml"}, b"{}", UnsupportedMedia, "text/xml"),
        pytest.param({**JSON, "content-encoding": "br"}, b"{}", UnsupportedMedia, "gzip"),
        pytest.param({**JSON, "content-encoding": "gzip"}, b"{}", InvalidEvent, "not gzip"),
        pytest.param(
            {**JSON, "content-encoding": "gzip"},
            gzip.compress(encoded(event()))[:-9],
            InvalidEvent,
            "not gzip",
            id="cut-gzip",
        ),
        pytest.param(JSON, BIG, TooLarge, "BODY_MAX_BYTES", id="big-body"),
        pytest.param(
            {**JSON, "content-encoding": "gzip"},
            gzip.compress(b"[" + b" " * 9000 + b"]"),
            TooLarge,
            "UNPACKED_MAX_BYTES",
            id="bomb",
        ),
        pytest.param(JSON, encoded([1] * 4), TooLarge, "BATCH_MAX_EVENTS", id="many"),
        pytest.param(JSON, b"[]", InvalidEvent, "at least one", id="empty"),
        pytest.param(JSON, b"", InvalidEvent, "not JSON", id="nothing"),
        pytest.param(JSON, b'{"a": NaN}', InvalidEvent, "not JSON", id="nan"),
        pytest.param(JSON, b"\xff\xfe", InvalidEvent, "not JSON", id="binary"),
        pytest.param(JSON, b"[" * 4000, InvalidEvent, "not JSON", id="deep"),
        pytest.param(
            {"content-type": "application/cloudevents+json"}, b"[]", InvalidEvent, "batch"
        ),
        pytest.param(
            {"content-type": "application/cloudevents-batch+json"}, b"{}", InvalidEvent, "array"
        ),
    ],
)
def test_a_body_that_is_wrong_gets_an_error_with_the_remedy(
    headers: dict[str, str], body: bytes, error: type[InvalidEvent], says: str
) -> None:
    with pytest.raises(error, match=says):
        read_events(body, headers, LIMITS)
