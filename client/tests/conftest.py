"""An endpoint and meters that are closed when a test ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agentmeter_client import Limits, Meter
from endpoint import Endpoint, serving

KEY = "k3y-that-must-stay-hidden"
QUICK = Limits(max_age_s=0.05, backoff_s=0.01, longest_backoff_s=0.05, timeout_s=2)
MakeMeter = Callable[..., Meter]


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serving() as running:
        yield running


@pytest.fixture
def make_meter(endpoint: Endpoint) -> Iterator[MakeMeter]:
    made: list[Meter] = []

    def make(limits: Limits = QUICK, spool: Path | None = None, url: str = "") -> Meter:
        made.append(Meter(url or endpoint.url, KEY, source="tests", limits=limits, spool=spool))
        return made[-1]

    yield make
    endpoint.over.set()
    for meter in made:
        meter.close(0.2)


@pytest.fixture
def meter(make_meter: MakeMeter) -> Meter:
    return make_meter()
