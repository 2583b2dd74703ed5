from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from agentmeter_client import Limits
from conftest import KEY, MakeMeter
from endpoint import Endpoint, Reply, send


def test_closing_counts_what_the_endpoint_did_not_take(
    endpoint: Endpoint, make_meter: MakeMeter, caplog: pytest.LogCaptureFixture
) -> None:
    meter = make_meter()
    endpoint.behave = lambda request: Reply(503)
    send(meter, 5)
    assert not meter.close(0.2)
    send(meter, 2)
    assert (meter.stats().dropped, meter.stats().waiting) == (7, 0)
    assert "lost 5 events" in caplog.text


def test_the_spool_keeps_what_cannot_be_sent(
    endpoint: Endpoint, make_meter: MakeMeter, tmp_path: Path
) -> None:
    endpoint.behave = lambda request: Reply(503)
    meter = make_meter(spool=tmp_path)
    for _ in range(3):
        send(meter, 10)
        assert meter.flush(5)
    assert (meter.stats().spooled, meter.stats().waiting) == (30, 0)
    assert [path.stat().st_mode & 0o777 for path in tmp_path.iterdir()] == [0o600]
    assert KEY.encode() not in next(tmp_path.iterdir()).read_bytes()
    meter.close(0.1)

    endpoint.behave = endpoint.take
    later = make_meter(spool=tmp_path)
    send(later, 5)
    deadline = time.monotonic() + 5
    while later.stats().spooled and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    assert later.flush(5)
    assert len(endpoint.of("task.operation")) == 35
    assert list(tmp_path.iterdir()) == []


def test_the_spool_is_bounded_and_says_what_it_gave_up(
    endpoint: Endpoint, make_meter: MakeMeter, tmp_path: Path
) -> None:
    endpoint.behave = lambda request: Reply(503)
    meter = make_meter(
        Limits(max_age_s=0.01, spool_bytes=4_000, batch_events=50, backoff_s=0.01), spool=tmp_path
    )
    for _ in range(40):
        send(meter, 50)
        meter.flush(5)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 4_000
    stats = meter.stats()
    assert stats.dropped > 0
    assert stats.dropped + stats.spooled == 2000


def test_a_broken_file_in_the_spool_stops_nothing(
    endpoint: Endpoint, make_meter: MakeMeter, tmp_path: Path
) -> None:
    now_ms = int(time.time() * 1000)  # noqa: TID251 - the name of the file says when it was written
    (tmp_path / f"{now_ms:014d}-abc-000001-7.gz").write_bytes(b"no gzip at all")
    (tmp_path / "00000000000001-abc-000001-3.gz").write_bytes(b"far too old")
    (tmp_path / "notes.gz").write_bytes(b"somebody else's")
    meter = make_meter(spool=tmp_path)
    send(meter, 4)
    assert meter.flush(5)
    deadline = time.monotonic() + 5
    while meter.stats().spooled and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    assert len(endpoint.of("task.operation")) == 4
    assert meter.stats().dropped == 10
    assert [path.name for path in tmp_path.iterdir()] == ["notes.gz"]


def test_a_directory_that_cannot_be_used_is_done_without(
    endpoint: Endpoint, make_meter: MakeMeter, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    meter = make_meter(spool=tmp_path / "file")
    send(meter)
    assert meter.flush(5)
    assert len(endpoint.of("task.operation")) == 1
    assert "works without its spool directory" in caplog.text
