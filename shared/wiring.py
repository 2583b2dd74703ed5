"""Settings become the app: the only place that chooses implementations."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property, partial

from shared import notify
from shared.adapters.config.config_folder import (
    parse_edition,
    read_budgets,
    read_edition,
    read_text,
    texts_of,
)
from shared.adapters.config.last_good import LastRight
from shared.adapters.config.price_book import PriceBook
from shared.alerting.compose import Sender
from shared.alerting.grouping import Routes, parse_routes
from shared.alerting.muting import Silence
from shared.alerting.rule import Rule
from shared.answers import Answers
from shared.clock import Clock
from shared.connections import Connections
from shared.edition import edition
from shared.errors import Misconfigured
from shared.events.body import Limits
from shared.events.unpack import Sizes
from shared.notify.heartbeat import Heartbeat
from shared.notify.page_links import PageLinks
from shared.notify.receivers import Receivers
from shared.ports import EventQueue, Exporter, PoisonQueue, UsageLog
from shared.settings import Settings
from shared.storage.stores import Storage
from shared.usecases.evaluation.announce import Announce, Announcing
from shared.usecases.evaluation.deliver import Deliver
from shared.usecases.evaluation.evaluate import Evaluate
from shared.usecases.evaluation.history import History
from shared.usecases.evaluation.own_gauges import BudgetFigures, Vitals
from shared.usecases.evaluation.self_watch import SelfWatch, own_rules, with_own
from shared.usecases.evaluation.stand_in import StandIn
from shared.usecases.evaluation.tick import Heard, Tick, Watched
from shared.usecases.evaluation.write_metrics import Minutely
from shared.usecases.explaining.report import Report
from shared.usecases.explaining.silences import Silences
from shared.usecases.intake.ingest import Ingest
from shared.usecases.intake.otlp import TakeOtlp
from shared.usecases.intake.rates import RateLimits
from shared.usecases.processing.fast_rules import FastRules
from shared.usecases.processing.give_back import GiveBack
from shared.usecases.processing.narrow import Narrowing
from shared.usecases.processing.process import Process, Stores
from shared.usecases.processing.requeue import Patient
from shared.usecases.spending.budgets import Budgets
from shared.usecases.telemetry import Telemetry


class App:
    """The use cases, each made when it is first asked for: a cold start pays for what it uses."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self._outside = Connections(settings, clock)
        self._started_at: datetime = clock.now()

    def close(self) -> None:
        """Close what was opened. Azure ends a process without asking; tests and laptops ask."""
        self._outside.close()

    @property
    def _storage(self) -> Storage:
        """What is remembered between two invocations."""
        return self._outside.storage

    @cached_property
    def _exporter(self) -> Exporter:
        """Takes what goes into Azure Monitor."""
        return self._outside.exporter

    @cached_property
    def _log(self) -> UsageLog:
        """What was exported, to be asked in KQL."""
        return self._outside.log

    @cached_property
    def _poison(self) -> PoisonQueue:
        """What was set aside."""
        return self._outside.poison

    @property
    def queue(self) -> EventQueue:
        """Takes what was accepted."""
        return self._outside.queue

    @cached_property
    def rates(self) -> RateLimits:
        """How much each key may send."""
        return RateLimits(self.settings.RATE_LIMIT_REQUESTS, self.settings.RATE_LIMIT_EVENTS)

    @cached_property
    def ingest(self) -> Ingest:
        """Takes what agents send."""
        most = self.settings
        return Ingest(Limits(most.BATCH_MAX_EVENTS, most.BODY_MAX_BYTES, most.UNPACKED_MAX_BYTES))

    @cached_property
    def traces(self) -> TakeOtlp:
        """Takes the traces that OpenTelemetry exporters send."""
        from shared.adapters.otlp.traces import read_traces

        return TakeOtlp(read_traces, self.otlp_sizes, self.settings.OTLP_KEEP_CONTENT)

    @cached_property
    def logs(self) -> TakeOtlp:
        """Takes the logs that OpenTelemetry exporters send, where they tell of model calls."""
        from shared.adapters.otlp.logs import read_logs

        return TakeOtlp(read_logs, self.otlp_sizes, self.settings.OTLP_KEEP_CONTENT, "logs")

    @cached_property
    def otlp_sizes(self) -> Sizes:
        """How large an export of OpenTelemetry may be."""
        most_bytes, setting = self.settings.OTLP_MAX_BYTES, "OTLP_MAX_BYTES"
        return Sizes(most_bytes, most_bytes, setting, setting)

    @cached_property
    def process(self) -> Patient:
        """Prices, exports and counts what was taken."""
        kept = self._storage
        stores = Stores(kept.claims, kept.series, kept.labels, kept.traces)
        most = self.settings.LABEL_MAX_VALUES, self.settings.SERIES_MAX
        fast = FastRules(self._rules.get)
        process = Process(stores, self._exporter, self._prices, *most, fast.count)
        narrowing = Narrowing(process.run)
        closed = partial(getattr, self._outside.exporter, "closed")
        return Patient(GiveBack(narrowing.run, kept.series, closed).run)

    @cached_property
    def tick(self) -> Watched:
        """Does what is due, several times a minute."""
        heard = Heard(Announcing(self._tick, self._announce), self._storage.turns)
        return Watched(heard, Heartbeat(self.settings.HEARTBEAT_URL))

    @cached_property
    def stand_in(self) -> StandIn:
        """Judges fast conditions where the timer does not."""
        return StandIn(self._storage.turns, lambda now: self._tick.run_fast(now))

    @cached_property
    def _tick(self) -> Tick:
        """What the timer does, but for what it says of itself."""
        storage = self._storage
        alerts = storage.alerts
        evaluate = Evaluate(
            rules=self._rules.get,
            own=lambda: own_rules(self._meta()),
            log=self._watch,
            alerts=alerts,
            routes=self._routes.get,
            owners=self._receivers,
            deployment=self.settings.AGENTMETER_DEPLOYMENT,
            link=self.settings.AGENTMETER_LINK,
            silences=self.silences.all,
            tallies=storage.series.tallies,
            links=PageLinks(
                self.settings.AGENTMETER_RUNBOOKS,
                self.settings.LOGS_RESOURCE_ID,
                self.settings.AGENTMETER_SILENCE_LINK,
                self.settings.cloud.portal,
            ),
        )
        deliver = Deliver(alerts, self._receivers, self.clock)
        vitals = Vitals(alerts, storage.series, BudgetFigures(self.budgets).at)
        minutely = Minutely(storage.series, storage.mark, lambda: self._exporter)
        history = History(alerts, storage.series, lambda: self._exporter)
        memories = (storage.claims, storage.traces, storage.series, storage.silences, history)
        return Tick(deliver, evaluate, history, vitals, minutely, self.queue.put, *memories)

    @cached_property
    def _announce(self) -> Announce:
        """Tells what was deployed or changed."""
        prices = self.settings.AGENTMETER_CONFIG / "prices.toml"

        def priced() -> Mapping[str, str]:
            self._prices.check()
            return {prices.name: read_text(prices)}

        kinds: Mapping[str, Callable[[], Mapping[str, str]]] = {
            "version": lambda: {"version": self.settings.AGENTMETER_VERSION, "code": edition()},
            "rules": lambda: texts_of(self._rules.text()),
            "routes": lambda: {"routes.toml": self._routes.text()},
            "prices": priced,
        }
        sender = Sender(self.settings.AGENTMETER_DEPLOYMENT, self.settings.AGENTMETER_LINK)
        return Announce(self._storage.alerts, self._routes.get, sender, kinds)

    @cached_property
    def silences(self) -> Silences:
        """What people do not want to be told of."""

        def windows() -> Sequence[Silence]:
            return [item.silence() for item in self._routes.get().maintenance]

        return Silences(self._storage.silences, windows)

    @cached_property
    def report(self) -> Report:
        """Answers what people and machines ask."""
        config = {
            **self._config,
            "price list": self._outside.price_list.check,
            "meta": self._check_meta,
        }
        kept = self._storage
        stores = kept.series, kept.alerts, kept.set_aside
        return Report(*stores, self._rules.get, config, self._started_at)

    @property
    def _config(self) -> Mapping[str, Callable[[], str]]:
        """What an operator edits: each says what is in force, or what is wrong."""
        return {
            "rules": lambda: f"{len(self._rules.check())} rules",
            "routes.toml": lambda: f"{len(self._routes.check().receivers)} receivers",
            "prices.toml": self._prices.check,
            "settings": self._check_settings,
        }

    def _check_settings(self) -> str:
        """Say that links and secrets are well formed; raises Misconfigured where they are not."""
        odd = notify.odd_forms(self._routes.get(), self.settings)
        if problems := dict.fromkeys([*self.settings.problems(), *odd]):
            raise Misconfigured(" ".join(problems))
        return "links and secrets have their forms"

    def _check_meta(self) -> str:
        """Say who is paged where pages do not arrive; raises Misconfigured where that is no one."""
        said = self._routes.get().watched_by()
        if said and self.settings.AGENTMETER_STATE.startswith("tables"):
            raise Misconfigured(said)
        return said or "pages that do not arrive page another receiver"

    @cached_property
    def _rules(self) -> LastRight[Sequence[Rule]]:
        """The operator's rules."""
        read = partial(read_edition, self.settings.AGENTMETER_CONFIG)
        return LastRight("rules", read, parse_edition, self._storage.texts)

    @cached_property
    def _routes(self) -> LastRight[Routes]:
        """Who is told; right if there is a notifier for each receiver."""
        read = partial(read_text, self.settings.AGENTMETER_CONFIG / "routes.toml")

        def parse(text: str) -> Routes:
            routes = parse_routes(text, "routes.toml")
            notify.check(routes)
            return routes

        return LastRight("routes.toml", read, parse, self._storage.texts)

    @cached_property
    def _receivers(self) -> Receivers:
        """How people are reached."""
        return Receivers(self._routes.get, self.settings)

    @cached_property
    def _watch(self) -> SelfWatch:
        """What is asked of the workspace, and of agentmeter itself."""
        rules = with_own(self._rules.get, self._meta)
        kept = self._storage.alerts, self._storage.set_aside
        return SelfWatch(self._log, *kept, rules, self._meta, self._poison, self._config)

    def _meta(self) -> str:
        """Return the receiver of pages about pages."""
        return self._routes.get().meta

    @cached_property
    def answers(self) -> Answers:
        """Answers questions on an alert, a cost, a piece of work."""
        rules = with_own(self._rules.get, self._meta)
        alerts = self._storage.alerts
        return Answers(self._log, alerts, rules, self._routes.get, self.silences.all)

    @cached_property
    def budgets(self) -> Budgets:
        """Tells where each budget stands."""
        budgets = partial(read_budgets, self.settings.AGENTMETER_CONFIG)
        return Budgets(self._log, self._storage.alerts, budgets)

    @cached_property
    def telemetry(self) -> Telemetry:
        """Sends what invocations record of themselves."""
        return Telemetry(lambda: self._exporter)

    @cached_property
    def _prices(self) -> PriceBook:
        """What model calls cost."""
        file = self.settings.AGENTMETER_CONFIG / "prices.toml"
        return PriceBook(file, self._storage.texts, self.clock, self._outside.price_list)
