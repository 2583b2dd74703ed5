"""Two instances whose timers run at the same moment: one page each way, on every storage."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier, Lock

from shared.adapters.config.config_folder import read_routes
from shared.alerting.page import Accepted, Delivery, Later, Page
from shared.alerting.rule import Rule
from shared.ports import Table
from shared.usecases.evaluation.deliver import Deliver
from shared.usecases.evaluation.evaluate import Evaluate
from tests.contract.stores import OpenStores
from tests.fakes import FakeReceivers

START = datetime(2026, 1, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ROUTES = read_routes(Path(__file__).parents[2] / "config")
RULES = [
    Rule.model_validate(
        {
            "name": f"Rule{n}",
            "group": "health",
            "severity": "critical",
            "window": "PT5M",
            "condition": "> 10",
            "summary": "{value}",
            "query": "{start} {end}",
        }
    )
    for n in range(3)
]


class Facts:
    """Says the same to all who ask; fits ports.UsageLog."""

    def __init__(self) -> None:
        self.value = 12

    def query(self, kql: str, start: datetime, end: datetime) -> Table:
        return Table(("value",), ((self.value,),))


class Pager:
    """Takes every second call of an incident, so that pages are tried again; a Notifier."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str]] = []
        self._tries: dict[str, int] = {}
        self._lock = Lock()

    def send(self, page: Page) -> Delivery:
        with self._lock:
            self._tries[page.id] = self._tries.get(page.id, 0) + 1
            if self._tries[page.id] == 1:
                return Later("HTTP 503", 1)
            self.taken.append((page.rule, page.action))
            return Accepted(202)


def test_two_that_evaluate_and_deliver_at_once_send_each_page_once(
    open_stores: OpenStores,
) -> None:
    facts, pager, together = Facts(), Pager(), Barrier(2)
    receivers = dict.fromkeys(ROUTES.receivers, pager)

    def instance(number: int) -> tuple[Evaluate, Deliver]:
        alerts = open_stores().alerts
        evaluate = Evaluate(lambda: RULES, facts, alerts, lambda: ROUTES, "test", "")
        return evaluate, Deliver(alerts, FakeReceivers(receivers))

    instances: Sequence[tuple[Evaluate, Deliver]] = [instance(n) for n in range(2)]

    def tick(number: int, now: datetime) -> None:
        evaluate, deliver = instances[number]
        together.wait(30)
        deliver.run(now)
        evaluate.tick(now)
        together.wait(30)
        deliver.run(now)

    with ThreadPoolExecutor(2) as threads:
        for minute in range(8):
            facts.value = 12 if minute < 4 else 5
            list(threads.map(tick, (0, 1), [START + minute * MINUTE] * 2))
    expected = [(rule.key, action) for rule in RULES for action in ("trigger", "resolve")]
    assert sorted(pager.taken) == sorted(expected)
    assert list(open_stores().alerts.waiting()) == []
