import io
import json
from collections.abc import Iterator, Mapping, Sequence

import pytest

from ops.__main__ import main
from ops.console.command import Desk
from ops.console.terminal import Terminal
from ops.poison.queues import Poisoned, Put
from shared.adapters.azure.poison_queue import POISON, QUEUE
from shared.events.envelope import judge
from shared.events.message import pack
from tests.factories import event
from tests.fakes import START, FakeClock

FULL = 20
"""More messages than any of these tests makes."""


class LiveQueue:
    """A poison queue that hands out what is put into it while it is read, as Azure's does."""

    def __init__(self, *texts: str) -> None:
        self.held = [Poisoned(f"m{place}", START, text) for place, text in enumerate(texts)]
        self.given_back: list[str] = []
        self._gone = set[str]()

    def messages(self, *, hide: bool) -> Iterator[Poisoned]:
        for message in self.held:  # a list that grows meanwhile is read to its new end
            assert len(self.held) < FULL, "what was put back is found again without end"
            if message.id not in self._gone:
                yield message

    def replace(self, message: Poisoned, puts: Sequence[Put]) -> bool:
        for to, text in puts:
            if to == POISON:
                self.held.append(Poisoned(f"m{len(self.held)}", START, text))
            elif to == QUEUE:
                self.given_back.append(text)
        self._gone.add(message.id)
        return True

    @property
    def left(self) -> int:
        return len(self.held) - len(self._gone)


def set_aside(count: int) -> str:
    """Return the queue text of so many events."""
    events, _ = judge([{**event("llm.call"), "id": str(n)} for n in range(count)], START)
    (text,) = pack(events, START)
    return text


def poison(queue: LiveQueue, patch: pytest.MonkeyPatch, *argv: str) -> dict[str, object]:
    def find(environment: Mapping[str, str]) -> LiveQueue:
        return queue

    patch.setattr("ops.poison.command.find_queue", find)
    out = io.StringIO()
    desk = Desk(Terminal(out, io.StringIO()), {}, FakeClock())
    assert main(["poison", *argv, "--json"], desk) == 0
    return json.loads(out.getvalue())


def test_splitting_all_ends_with_a_message_for_each_event(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = LiveQueue(set_aside(3), set_aside(2))
    assert poison(queue, monkeypatch, "split", "--all")["split"] == 2
    assert queue.left == 5


def test_an_event_replayed_alone_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = LiveQueue(set_aside(3))
    assert poison(queue, monkeypatch, "replay", "m0/2")["replayed"] == 1
    assert (len(queue.given_back), queue.left) == (1, 2)
