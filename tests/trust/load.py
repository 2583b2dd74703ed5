"""Agents that send without end, and send again until they are answered."""

import random
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from shared.clock import SystemClock
from tests.factories import event, without
from tests.journeys.process import Machine
from tests.trust.ledger import Ledger

IN_A_REQUEST = 20
"""Model calls; as many tasks go with them."""
AGAIN = 0.1
"""The share of answered requests that are sent once more all the same, as agents do."""
USD_IN, USD_OUT = 30e-6, 60e-6
TIMEOUT_S = 30
RETRIED = (0, 429, 500, 502, 503, 504)
"""Statuses after which an exporter sends again; 0: no answer."""
WAIT_S = 0.5


@dataclass(slots=True)
class Load:
    """Senders of model calls and tasks that bear the name of the fault of the moment.

    every_s: between two requests of a sender.
    """

    machine: Machine
    ledger: Ledger
    every_s: float
    senders: int = 2
    fault: str = ""
    troubles: Sequence[str] = ()
    answers: Counter[int] = field(default_factory=Counter[int])
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list[threading.Thread])

    def start(self) -> None:
        """Begin to send."""
        for number in range(self.senders):
            thread = threading.Thread(target=self._send, args=(number,), name=f"sender {number}")
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Send no more; returns when all that was begun is accepted."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _send(self, sender: int) -> None:
        choose = random.Random(sender)
        count = 0
        while not self._over.wait(self.every_s):
            fault, troubles = self.fault, self.troubles
            tokens = [choose.randrange(1, 2000) for _ in range(IN_A_REQUEST)]
            batch = [
                one
                for number, each in enumerate(tokens)
                for one in pair(f"{sender}-{count}-{number}", fault, each)
            ]
            self._post([*batch, *(error(f"{sender}-{count}", one) for one in troubles)])
            self.ledger.sent(fault, IN_A_REQUEST, sum(n * USD_IN + n * USD_OUT for n in tokens))
            if choose.random() < AGAIN:
                self._post(batch)
            count += 1

    def _post(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Post the events until they are accepted, as an agent's exporter does."""
        pause = threading.Event()
        while True:
            status = self._answered(events)
            self.answers[status] += 1
            if status == 202:
                return
            assert status in RETRIED, f"the API answers {status}"
            pause.wait(WAIT_S)

    def _answered(self, events: Sequence[Mapping[str, Any]]) -> int:
        """Return the status of the answer, 0 where there is none."""
        try:
            answer = requests.post(
                f"http://127.0.0.1:{self.machine.first_port + 1}/api/events",
                json=events,
                headers={"x-functions-key": key(self.machine.home)},
                timeout=TIMEOUT_S,
            )
        except requests.RequestException:
            return 0
        return answer.status_code


def key(home: Path) -> str:
    """Return the stack's key, which stays over its restarts."""
    return (home / "function.key").read_text(encoding="ascii")


def pair(number: str, fault: str, tokens: int) -> Sequence[Mapping[str, Any]]:
    """Return a model call and a task; no time, as agents with no clock send."""
    usage = {"input_tokens": tokens, "output_tokens": tokens}
    both = (
        event("llm.call", model="gpt-4", mission_id=fault, usage=usage),
        event("task.operation", operation=fault),
    )
    return [{**without(one, "time"), "id": f"{one['type']}-{number}"} for one in both]


def error(number: str, trouble: str) -> Mapping[str, Any]:
    """Return an error of the trouble, with its time: the clock of the app may be wrong."""
    stated = {"id": f"{trouble}-{number}", "time": SystemClock().now().isoformat()}
    return {**event("error", component=trouble), **stated}
