"""Each line of the crash table of decision 30: an event hub moves on, and nothing is lost."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import pytest

from shared.errors import RetryLater
from shared.events.message import MAX_MESSAGE_CHARS, decode
from shared.rows import ExportLater, ExportRefused
from shared.usecases.processing.hub_batch import HubBatch
from shared.usecases.processing.processed import Processed
from tests.fakes import START
from tests.processing import CALLS, SENT, Bench, for_ids, message


class Queue:
    """Takes messages, or does not answer."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.answers = True

    def put(self, texts: Sequence[str]) -> None:
        if texts and not self.answers:
            raise RetryLater("The queue did not answer.")
        self.texts += texts


class Hub:
    """A function that an event hub hands batches to, with all that it works on."""

    def __init__(self) -> None:
        self.bench = Bench()
        self.queue, self.poison = Queue(), Queue()
        process, claims = self.bench.process.run, self.bench.claims
        self.batch = HubBatch(process, claims, self.queue.put, self.poison.put)

    def hand_over(self, *texts: str, now: datetime = START) -> None:
        self.batch.run(texts, now)

    def work_off(self) -> None:
        """Do what process_events does with the queue."""
        waiting, self.queue.texts = self.queue.texts, []
        for text in waiting:
            self.bench.process.run(text, 1, START)

    def shown(self) -> Mapping[str, int]:
        """Count the rows that UsageEvents shows of each event: of repeats, one; see decision 3."""
        rows = self.bench.exporter.event_rows
        marked = {row.text["id"] for row in rows if "attempt" in row.numbers}
        plain = [row.text["id"] for row in rows if "attempt" not in row.numbers]
        return {i: 1 if i in marked else plain.count(i) for i in {*marked, *plain}}

    def counted(self) -> int:
        return int(self.bench.total("llm_api_calls_total"))


ONCE = dict.fromkeys(SENT, 1)


def test_a_batch_is_processed_as_messages_of_the_queue_are() -> None:
    hub = Hub()
    hub.hand_over(*(message(call) for call in CALLS))
    assert (hub.shown(), hub.counted(), hub.queue.texts) == (ONCE, 3, [])
    assert all("attempt" not in row.numbers for row in hub.bench.exporter.event_rows)


def test_a_batch_that_comes_again_changes_nothing() -> None:
    """The process ended after its work, before the checkpoint."""
    hub = Hub()
    texts = [message(call) for call in CALLS]
    hub.hand_over(*texts)
    hub.hand_over(*texts, now=START + timedelta(minutes=1))
    assert (hub.shown(), hub.counted(), hub.queue.texts) == (ONCE, 3, [])


@pytest.mark.parametrize("dies", ["totals", "done"])
def test_a_crash_in_the_middle_counts_once(dies: str) -> None:
    """In the batch that comes again, and from the queue, where the fault was one of ours."""
    hub, text = Hub(), message(*CALLS)
    hub.bench.series.dies = dies
    hub.hand_over(text)
    hub.bench.series.dies = ""
    hub.hand_over(text)
    hub.work_off()
    assert (hub.shown(), hub.counted()) == (ONCE, 3)


def test_two_instances_that_have_one_batch_show_each_event_once() -> None:
    """A partition changes its owner while the old one still works."""
    hub, text = Hub(), message(*CALLS)

    def interrupted(given: str, delivery: int, now: datetime) -> Processed:
        hub.hand_over(given)
        return hub.bench.process.run(given, delivery, now)

    old = HubBatch(interrupted, hub.bench.claims, hub.queue.put, hub.poison.put)
    old.run([text], START)
    assert (hub.shown(), hub.counted(), hub.queue.texts) == (ONCE, 3, [])


def test_what_fails_waits_in_the_queue_and_stops_no_other() -> None:
    hub = Hub()
    hub.bench.exporter.event_outcome = for_ids(SENT[0], outcome=ExportLater("busy"))
    hub.hand_over(*(message(call) for call in CALLS))
    (waiting,) = hub.queue.texts
    assert decode(waiting).attempts == 1
    hub.bench.exporter.event_outcome = for_ids(outcome=ExportLater("busy"))
    hub.work_off()
    assert (hub.shown(), hub.counted()) == (ONCE, 3)


def test_the_hub_does_not_move_on_before_the_queue_has_what_failed() -> None:
    hub, text = Hub(), message(*CALLS)
    hub.bench.exporter.event_outcome = for_ids(*SENT, outcome=ExportLater("busy"))
    hub.queue.answers = False
    with pytest.raises(RetryLater):
        hub.hand_over(text)
    hub.queue.answers = True
    hub.hand_over(text)
    hub.bench.exporter.event_outcome = for_ids(outcome=ExportLater("busy"))
    hub.work_off()
    assert (hub.shown(), hub.counted()) == (ONCE, 3)


def test_a_message_that_is_in_the_queue_and_comes_again_is_shown_once() -> None:
    """The process ended after the queue had it, before the checkpoint."""
    hub, text = Hub(), message(*CALLS)
    hub.bench.exporter.event_outcome = for_ids(*SENT, outcome=ExportLater("busy"))
    hub.hand_over(text)
    hub.bench.exporter.event_outcome = for_ids(outcome=ExportLater("busy"))
    hub.hand_over(text)
    hub.work_off()
    assert (hub.shown(), hub.counted()) == (ONCE, 3)


def test_refused_events_are_set_aside_before_the_hub_moves_on() -> None:
    hub, text = Hub(), message(*CALLS)
    hub.bench.exporter.event_outcome = for_ids(SENT[0], outcome=ExportRefused(400, "too old"))
    hub.poison.answers = False
    with pytest.raises(RetryLater):
        hub.hand_over(text)
    hub.poison.answers = True
    hub.hand_over(text)
    (aside,) = hub.poison.texts
    assert [event.id for event in decode(aside).events] == SENT[:1]


def test_without_claims_the_batch_is_handed_over_again() -> None:
    hub = Hub()

    def unanswered(*_: object, **__: object) -> Mapping[str, str]:
        raise RetryLater("Tables did not answer.")

    hub.bench.claims.claim = unanswered
    with pytest.raises(RetryLater):
        hub.hand_over(message(*CALLS))
    assert (hub.queue.texts, hub.bench.exporter.event_rows) == ([], [])


def test_what_cannot_be_read_goes_where_the_queue_gives_it_up() -> None:
    hub = Hub()
    hub.hand_over("no message", "x" * 60_000, message(CALLS[0]))
    assert hub.queue.texts == ["no message", "x" * MAX_MESSAGE_CHARS]
    assert hub.counted() == 1
