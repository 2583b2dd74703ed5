"""An ingestion that takes nothing is asked now and then; what waits holds nothing up."""

from collections.abc import Callable, Sequence
from threading import Event as Flag
from threading import Thread

from shared.adapters.azure.circuit_breaker import CircuitBreaker
from shared.rows import EventRow, Exported, ExportLater, ExportOutcome, MetricRow
from tests.fakes import START, FakeExporter

ROW = EventRow("error", START, {}, {})
LATER = ExportLater("HTTP 503.")


class Ingestion(FakeExporter):
    """Counts requests, each of which takes a while."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.takes_s, self.requests = 0.0, 0.0, 0
        self.meanwhile: Callable[[], object] = lambda: None

    def events(self, rows: Sequence[EventRow]) -> Sequence[ExportOutcome]:
        self.requests += 1
        self.now += self.takes_s
        self.meanwhile()
        return super().events(rows)


def made(takes_s: float = 0) -> tuple[CircuitBreaker, Ingestion]:
    ingestion = Ingestion()
    ingestion.takes_s = takes_s
    ingestion.event_outcome = lambda row: LATER
    return CircuitBreaker(ingestion, lambda: ingestion.now), ingestion


def asked(breaker: CircuitBreaker, ingestion: Ingestion, times: int, every_s: float = 0) -> int:
    """Return how many requests came of so many calls."""
    before = ingestion.requests
    for _ in range(times):
        breaker.events([ROW])
        ingestion.now += every_s
    return ingestion.requests - before


def test_an_hour_without_answers_is_asked_now_and_then() -> None:
    breaker, ingestion = made()
    assert asked(breaker, ingestion, times=3600, every_s=1) <= 3600 / 15 + 5
    assert breaker.closed == "HTTP 503. Until it does again, one request asks."
    assert breaker.events([ROW, ROW]) == [ExportLater(breaker.closed)] * 2


def test_one_quick_refusal_is_a_blip() -> None:
    breaker, ingestion = made()
    breaker.events([ROW])
    assert breaker.closed == ""
    ingestion.event_outcome = lambda row: Exported()
    assert breaker.events([ROW]) == [Exported()]


def test_one_time_out_is_no_blip() -> None:
    breaker, ingestion = made(takes_s=20)
    breaker.events([ROW])
    assert asked(breaker, ingestion, times=100) == 0


def test_the_first_that_is_taken_opens_it_for_all() -> None:
    breaker, ingestion = made()
    asked(breaker, ingestion, times=100)
    ingestion.event_outcome = lambda row: Exported()
    ingestion.now += 15
    assert asked(breaker, ingestion, times=10) == 10
    assert breaker.closed == ""


def test_what_is_taken_in_part_is_open() -> None:
    breaker, ingestion = made()
    outcomes: list[ExportOutcome] = [LATER, Exported()] * 100
    ingestion.event_outcome = lambda row: outcomes.pop()
    for _ in range(50):
        breaker.events([ROW, ROW])
    assert ingestion.requests == 50


def test_one_asks_while_all_others_wait() -> None:
    breaker, ingestion = made(takes_s=20)
    breaker.events([ROW])
    ingestion.now += 15
    inside, leave = Flag(), Flag()

    def wait() -> None:
        inside.set()
        assert leave.wait(5)

    ingestion.meanwhile = wait
    asking = Thread(target=breaker.events, args=([ROW],))
    asking.start()
    assert inside.wait(5)
    before = ingestion.requests
    assert breaker.metrics([MetricRow("m", START, (), 1)]) == [ExportLater(breaker.closed)]
    assert ingestion.metric_rows == []
    assert asked(breaker, ingestion, times=5) == 0
    leave.set()
    asking.join()
    assert ingestion.requests == before


def test_time_outs_side_by_side_count_as_one() -> None:
    breaker, ingestion = made(takes_s=1)
    first = True

    def nested() -> None:
        nonlocal first
        if first:
            first = False
            breaker.events([ROW])

    ingestion.meanwhile = nested
    breaker.events([ROW])
    assert breaker.closed == ""


def test_a_clock_that_is_set_back_ends_a_rest() -> None:
    breaker, ingestion = made()
    ingestion.now = 3600
    asked(breaker, ingestion, times=100)
    ingestion.now = 0
    assert asked(breaker, ingestion, times=1) == 1
    ingestion.event_outcome = lambda row: Exported()
    assert breaker.events([ROW]) == [Exported()]
    assert breaker.closed == ""
