"""PagerDuty as a plan has it: a sink that takes events, or the status that it fails with."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import requests
from pydantic import SecretStr

from replay.plan import NO_ANSWER, Plan
from shared.alerting.grouping import Routes
from shared.alerting.page import Delivery, Page
from shared.clock import Clock
from shared.notify.ladder import Ladder
from shared.notify.log import LogNotifier
from shared.notify.pagerduty import PagerDuty, Reply
from shared.ports import Notifier, Receivers
from standin.pager.sink import PagerSink

URL = "http://pagerduty.invalid"
"""Never asked: the calls end in this process."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call of PagerDuty. event: the JSON that was sent. status: 0 where nobody answered."""

    at: datetime
    page: Page
    event: Mapping[str, object]
    status: int


class Pager:
    """Answers every call and remembers it. It is the service: our restarts are nothing to it."""

    def __init__(self, plan: Plan, clock: Clock) -> None:
        self._plan = plan
        self._clock = clock
        self._sink = PagerSink(None, clock)
        self._attempts: list[Attempt] = []

    @property
    def attempts(self) -> Sequence[Attempt]:
        """Return the calls in their order, those of one tick by incident."""
        return sorted(self._attempts, key=lambda a: (a.at, a.page.id, a.page.attempts))

    def receivers(self, routes: Routes) -> Receivers:
        """Return those of the plan; all but PagerDuty's end in the log."""
        return _Planned(
            {
                name: _PagerReceiver(self, name)
                if item.notifier == "pagerduty"
                else Ladder(LogNotifier())
                for name, item in routes.receivers.items()
            }
        )

    def take(self, page: Page, body: bytes) -> Reply:
        """Answer a call: a shared.notify.pagerduty.Post for one page."""
        now = self._clock.now()
        reply = self._reply(self._plan.pager_status(now), body)
        self._attempts.append(Attempt(now, page, json.loads(body), reply.status))
        if reply.status == NO_ANSWER:
            raise requests.ConnectionError(reply.text)
        return reply

    def close(self) -> None:
        """Forget everything."""
        self._sink.close()

    def _reply(self, fault: int | None, body: bytes) -> Reply:
        if fault is not None:
            return Reply(fault, "The plan says so.")
        answer = self._sink.receive("event", body)
        return Reply(answer.status, json.dumps(answer.body), answer.retry_after_s)


@dataclass(frozen=True, slots=True)
class _Planned:
    """The receivers, by name; fits ports.Receivers."""

    notifiers: Mapping[str, Notifier]

    def notifier(self, page: Page) -> Notifier:
        """Return that of the page's receiver."""
        return self.notifiers[page.route]

    def destination(self, page: Page) -> str:
        """Return the receiver's name."""
        return page.route


class _PagerReceiver:
    """The real notifier, whose calls the pager takes; fits ports.Notifier."""

    def __init__(self, pager: Pager, receiver: str) -> None:
        self._pager = pager
        self._key = SecretStr(hashlib.sha256(receiver.encode()).hexdigest()[:32])

    def send(self, page: Page) -> Delivery:
        """Make one attempt, in barer forms where the plan refuses one."""
        notifier = PagerDuty(URL, self._key, "", lambda _, body: self._pager.take(page, body))
        return Ladder(notifier).send(page)
