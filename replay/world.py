"""The app and all that it talks to, in one process and under one clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from replay.azure import DirectExporter, DirectLog
from replay.late import LateExporter
from replay.pager import Pager
from replay.past_events import event_of
from replay.plan import MINUTE, Plan
from replay.queue import RETRIED_AFTER, Queue
from replay.recording import Recorded, Refused
from replay.rules import FaultyLog, planned, resolved_once
from shared.alerting.count_fast import CountFast
from shared.alerting.grouping import Routes
from shared.alerting.rule import Rule
from shared.alerting.schedule import floor
from shared.errors import RetryLater
from shared.events.body import PLAIN, Limits
from shared.events.message import beat
from shared.metrics.own import HEARTBEAT
from shared.pricing.price import load
from shared.rows import EventRow
from shared.settings import Settings
from shared.storage.sqlite import connect
from shared.storage.stores import stores_of
from shared.usecases.evaluation.deliver import Deliver
from shared.usecases.evaluation.evaluate import Evaluate
from shared.usecases.evaluation.history import History
from shared.usecases.evaluation.own_gauges import SOURCE, Vitals
from shared.usecases.evaluation.run_report import RuleReport
from shared.usecases.evaluation.tick import Tick
from shared.usecases.evaluation.write_metrics import Minutely, gauge_row
from shared.usecases.intake.ingest import Ingest
from shared.usecases.processing.give_back import GiveBack
from shared.usecases.processing.process import Process, Stores
from shared.usecases.processing.requeue import Patient
from standin.monitor.query import Limits as QueryLimits
from standin.monitor.store import MonitorStore

DEPLOYMENT = "replay"
EVENTS_AT_ONCE = 500
MOST_BYTES = 2**40
"""Of a request; nothing is sent, so nothing limits it."""
JSON = {"content-type": PLAIN}
LABEL_MAX_VALUES: int = Settings.model_fields["LABEL_MAX_VALUES"].default
BEATS = 30
"""So many minutes of heartbeats before a run decide whether telemetry has stopped, and to spare."""


@dataclass(frozen=True, slots=True)
class Config:
    """What an operator edits. prices: the text of a prices.toml."""

    rules: Sequence[Rule]
    routes: Routes
    prices: str


class SetClock:
    """Time that a test moves; fits shared.clock.Clock."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        """Return the moment that was set."""
        return self.at


class World:
    """What survives a restart is held here: Azure Monitor, PagerDuty, the queue and storage.

    Storage is the laptop's SQLite, so that whatever a restart keeps has been written down.
    """

    def __init__(self, config: Config, plan: Plan) -> None:
        self._config = config
        self._plan = plan
        self.clock = SetClock(plan.first_tick)
        self.monitor = MonitorStore(None, self.clock, QueryLimits(threads=1))
        self.pager = Pager(plan, self.clock)
        self._exporter = LateExporter(DirectExporter(self.monitor), plan, self.clock)
        self._database = connect(Path(":memory:"))
        self._queue = Queue()
        self._loads = 0
        self._ticked_at = plan.first_tick - 2 * MINUTE
        self.restart()

    def restart(self) -> None:
        """Drop all that is in memory, and make the use cases anew."""
        storage = stores_of(self._database)
        claims, series = storage.claims, storage.series
        stores = Stores(claims, series, storage.labels, storage.traces)
        self._ingest = Ingest(Limits(EVENTS_AT_ONCE, MOST_BYTES, MOST_BYTES))
        exporter, self._series = self._exporter, series
        alerts = self.alerts = storage.alerts
        rules = planned(self._config.rules, self._plan)
        self._count = CountFast(rule.tallied for rule in rules if rule.tallied)
        process = Process(
            *(stores, exporter, load(self._config.prices), LABEL_MAX_VALUES),
            fast=lambda now: self._count,
        )
        self._process = Patient(GiveBack(process.run, series, self._closed).run)
        windows = [window.silence() for window in self._config.routes.maintenance]
        silences = [*self._plan.muted(), *windows]
        evaluate = Evaluate(
            rules=lambda: rules,
            log=FaultyLog(DirectLog(self.monitor), self._plan, self.clock),
            alerts=alerts,
            routes=lambda: resolved_once(self._config.routes),
            deployment=DEPLOYMENT,
            link="",
            silences=lambda: silences,
            tallies=series.tallies,
            kql_s=None,
        )
        deliver = Deliver(alerts, self.pager.receivers(self._config.routes))
        vitals = Vitals(alerts, series)
        history = History(alerts, series, lambda: exporter)
        minutely = Minutely(series, storage.mark, lambda: exporter)
        put = self._put_now
        self._tick = Tick(deliver, evaluate, history, vitals, minutely, put, claims, series)

    def _closed(self) -> str:
        """Return why Azure Monitor takes nothing now; "" where it does."""
        status = self._plan.ingestion_status(self.clock.now())
        return "" if status is None else f"HTTP {status}."

    def load(self, rows: Sequence[EventRow]) -> None:
        """Have Azure Monitor hold these rows, priced and written as they are, and tally them."""
        self._exporter.events(rows)
        events = [event for row in rows if (event := event_of(row))]
        now = self.clock.now()
        self._loads += 1
        self._series.apply(f"load {self._loads}", (), now, self._count.count(events, now))

    def take(self, events: Sequence[Recorded], at: datetime) -> list[Refused]:
        """POST the events at that moment, into the queue; return those that were refused."""
        refused: list[Refused] = []
        for start in range(0, len(events), EVENTS_AT_ONCE):
            refused += self._post(events[start : start + EVENTS_AT_ONCE], at)
        return refused

    def _post(self, events: Sequence[Recorded], at: datetime) -> list[Refused]:
        body = b"[%s]" % b",".join(event.text for event in events)
        received = self._ingest.accept(body, JSON, at)
        for message in received.messages:
            self._put(message, at + timedelta(seconds=self._plan.queue_s))
        return [Refused(events[one.index].number, one.error) for one in received.rejected]

    def work(self, now: datetime) -> None:
        """Process what the queue has brought by then, and let queries find what is due."""
        while (item := self._queue.take(now)) is not None:
            self.clock.at = item.at
            try:
                again = self._process.run(item.text, item.delivery, item.at).again
            except RetryLater:
                self._put(item.text, item.at + RETRIED_AFTER, item.delivery + 1)
                continue
            for text in again:
                self._put(text, item.at + RETRIED_AFTER)
        self.clock.at = now
        self._exporter.show()

    def tick(self) -> Sequence[RuleReport]:
        """Do what the timer does; return what became of each rule.

        The heartbeats of the minutes in which a timer that a plan does not slow down would have
        run are there, for as far back as the run looks for them: quiet time in a recording is no
        telemetry that stopped.
        """
        now = self.clock.now()
        minute = floor(now, MINUTE)
        missed = range(max(0, (minute - self._ticked_at) // MINUTE))
        beats = [minute - number * MINUTE for number in reversed(missed[:BEATS])]
        for at in beats:
            self._exporter.metrics([gauge_row(HEARTBEAT.name, (), SOURCE, at, 1)])
            self._put(beat(at), at + timedelta(seconds=self._plan.queue_s))
        self._ticked_at = max(minute, self._ticked_at)
        self.work(now)
        return self._tick.run(now).evaluated.rules

    def _put(self, text: str, at: datetime, delivery: int = 1) -> None:
        self._queue.put(text, self._plan.processed_at(at), delivery)

    def _put_now(self, messages: Sequence[str]) -> None:
        """Leave out the heartbeat of the run itself: tick() has sent it."""

    def close(self) -> None:
        """Let go of everything."""
        self._database.close()
        self.pager.close()
        self.monitor.close()
