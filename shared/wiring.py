"""Settings become the app: the only place that chooses implementations."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property, partial

from shared import logs, notify
from shared.adapters.azure.azure_monitor import AzureMonitorExporter
from shared.adapters.azure.event_queue import AccountEventQueue
from shared.adapters.azure.identity import Identity
from shared.adapters.azure.log_analytics import LogAnalytics
from shared.adapters.azure.poison_queue import AccountPoisonQueue
from shared.adapters.config.config_folder import (
    parse_edition,
    read_budgets,
    read_edition,
    read_text,
    texts_of,
)
from shared.adapters.config.last_good import LastRight
from shared.adapters.config.price_book import PriceBook
from shared.adapters.config.price_list import PriceList
from shared.alerting.compose import Sender
from shared.alerting.grouping import Routes, parse_routes
from shared.alerting.rule import Rule
from shared.clock import Clock, SystemClock
from shared.errors import Misconfigured
from shared.events.body import Limits
from shared.events.unpack import Sizes
from shared.notify.heartbeat import Heartbeat
from shared.notify.page_links import PageLinks
from shared.settings import Settings, quiet_sdk, read
from shared.storage.stores import Storage, open_storage
from shared.usecases.evaluation.announce import Announce, Announcing
from shared.usecases.evaluation.deliver import Deliver
from shared.usecases.evaluation.evaluate import Evaluate
from shared.usecases.evaluation.history import History
from shared.usecases.evaluation.own_gauges import BudgetFigures, Vitals
from shared.usecases.evaluation.self_watch import SelfWatch, own_rules, with_own
from shared.usecases.evaluation.tick import Tick, Watched
from shared.usecases.evaluation.write_metrics import Minutely
from shared.usecases.explaining.find_alert import Subjects
from shared.usecases.explaining.report import Report
from shared.usecases.explaining.silences import Silences
from shared.usecases.explaining.verdicts import Verdicts
from shared.usecases.explaining.why import Why
from shared.usecases.intake.ingest import Ingest
from shared.usecases.intake.otlp import TakeOtlp
from shared.usecases.intake.rates import RateLimits
from shared.usecases.processing.fast_rules import FastRules
from shared.usecases.processing.narrow import Narrowing
from shared.usecases.processing.process import Process, Stores
from shared.usecases.processing.requeue import Patient
from shared.usecases.spending.budgets import Budgets
from shared.usecases.spending.calls import CallList
from shared.usecases.spending.costs import Costs
from shared.usecases.telemetry import Telemetry


class App:
    """The use cases, each made when it is first asked for: a cold start pays for what it uses."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self._started_at: datetime = clock.now()

    def close(self) -> None:
        """Let go of the storage. Azure ends a process without asking; tests and laptops ask."""
        if "_storage" in self.__dict__:
            self._storage.close()
        if "queue" in self.__dict__:
            self.queue.close()

    @cached_property
    def queue(self) -> AccountEventQueue:
        """Takes what was accepted."""
        return AccountEventQueue(self._queue_account, self._identity)

    @cached_property
    def rates(self) -> RateLimits:
        """How much each key may send."""
        return RateLimits(self.settings.RATE_LIMIT_REQUESTS, self.settings.RATE_LIMIT_EVENTS)

    @cached_property
    def ingest(self) -> Ingest:
        """Takes what agents send."""
        limits = Limits(
            events=self.settings.BATCH_MAX_EVENTS,
            body_bytes=self.settings.BODY_MAX_BYTES,
            unpacked_bytes=self.settings.UNPACKED_MAX_BYTES,
        )
        return Ingest(limits)

    @cached_property
    def traces(self) -> TakeOtlp:
        """Takes the traces that OpenTelemetry exporters send."""
        from shared.adapters.otlp.traces import read_traces

        return TakeOtlp(read_traces, self.otlp_sizes, self.settings.OTLP_KEEP_CONTENT)

    @cached_property
    def logs(self) -> TakeOtlp:
        """Takes the logs that OpenTelemetry exporters send, where they tell of model calls."""
        from shared.adapters.otlp.logs import read_logs

        return TakeOtlp(read_logs, self.otlp_sizes, self.settings.OTLP_KEEP_CONTENT, "log records")

    @cached_property
    def otlp_sizes(self) -> Sizes:
        """How large an export of OpenTelemetry may be."""
        most_bytes, setting = self.settings.OTLP_MAX_BYTES, "OTLP_MAX_BYTES"
        return Sizes(most_bytes, most_bytes, setting, setting)

    @cached_property
    def process(self) -> Patient:
        """Prices, exports and counts what was taken."""
        storage = self._storage
        stores = Stores(storage.claims, storage.series, storage.labels, storage.traces)
        most = self.settings.LABEL_MAX_VALUES, self.settings.SERIES_MAX
        fast = FastRules(self._rules.get)
        process = Process(stores, self._exporter, self._prices, *most, fast.count)
        return Patient(Narrowing(process.run).run)

    @cached_property
    def tick(self) -> Watched:
        """Does what is due, several times a minute."""
        alerts, routes = self._storage.alerts, self._routes.get()
        evaluate = Evaluate(
            rules=self._rules.get,
            own=own_rules(routes.meta),
            log=self._watch,
            alerts=alerts,
            routes=routes,
            deployment=self.settings.AGENTMETER_DEPLOYMENT,
            link=self.settings.AGENTMETER_LINK,
            silences=self.silences.all,
            tallies=self._storage.series.tallies,
            links=PageLinks(
                self.settings.AGENTMETER_RUNBOOKS,
                self.settings.LOGS_RESOURCE_ID,
                self.settings.AGENTMETER_SILENCE_LINK,
                self.settings.cloud.portal,
            ),
        )
        deliver = Deliver(alerts, notify.build(routes, self.settings), self.clock)
        storage = self._storage
        budgets = BudgetFigures(self.budgets).at
        vitals = Vitals(alerts, storage.series, budgets)
        minutely = Minutely(storage.series, storage.mark, lambda: self._exporter)
        history = History(alerts, storage.series, lambda: self._exporter)
        memories = (storage.claims, storage.traces, storage.series, storage.silences, history)
        put = self.queue.put
        tick = Tick(deliver, evaluate, history, vitals, minutely, put, *memories)
        announcing = Announcing(tick, self._announce)
        return Watched(announcing, Heartbeat(self.settings.HEARTBEAT_URL))

    @cached_property
    def _announce(self) -> Announce:
        """Tells what was deployed or changed."""
        prices = self.settings.AGENTMETER_CONFIG / "prices.toml"

        def priced() -> Mapping[str, str]:
            self._prices.check()
            return {prices.name: read_text(prices)}

        kinds: Mapping[str, Callable[[], Mapping[str, str]]] = {
            "version": lambda: {"version": self.settings.AGENTMETER_VERSION},
            "rules": lambda: texts_of(self._rules.text()),
            "routes": lambda: {"routes.toml": self._routes.text()},
            "prices": priced,
        }
        sender = Sender(self.settings.AGENTMETER_DEPLOYMENT, self.settings.AGENTMETER_LINK)
        return Announce(self._storage.alerts, self._routes.get(), sender, kinds)

    @cached_property
    def silences(self) -> Silences:
        """What people do not want to be told of."""
        routes = self._routes.get()
        return Silences(self._storage.silences, [item.silence() for item in routes.maintenance])

    @cached_property
    def report(self) -> Report:
        """Answers what people and machines ask."""
        config = {
            **self._config,
            "price list": self._price_list.check,
            "meta": self._check_meta,
        }
        stores = self._storage
        return Report(stores.series, stores.alerts, self._rules.get, config, self._started_at)

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
        if problems := self.settings.problems():
            raise Misconfigured(" ".join(problems))
        return "links and secrets have their forms"

    def _check_meta(self) -> str:
        """Say who is paged where pages do not arrive; raises Misconfigured where that is no one."""
        said = self._routes.get().watched_by()
        if said and self.settings.AGENTMETER_STATE == "tables":
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
            notify.build(routes, self.settings)
            return routes

        return LastRight("routes.toml", read, parse, self._storage.texts)

    @cached_property
    def _watch(self) -> SelfWatch:
        """What is asked of the workspace, and of agentmeter itself."""
        meta, alerts = self._routes.get().meta, self._storage.alerts
        rules = with_own(self._rules.get, meta)
        return SelfWatch(self._log, alerts, rules, meta, self._poison, self._config)

    @cached_property
    def why(self) -> Why:
        """Explains an alert."""
        return Why(self._subjects, self._storage.alerts, self._routes.get(), self.silences.all)

    @cached_property
    def verdicts(self) -> Verdicts:
        """Takes what people say of an alert."""
        return Verdicts(self._subjects, self._storage.alerts)

    @cached_property
    def _subjects(self) -> Subjects:
        """Finds the alert that a person means."""
        rules = with_own(self._rules.get, self._routes.get().meta)
        return Subjects(self._storage.alerts, rules)

    @cached_property
    def costs(self) -> Costs:
        """Tells what was spent."""
        return Costs(self._log)

    @cached_property
    def calls(self) -> CallList:
        """Lists the calls that were paid for."""
        return CallList(self._log)

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
    def _exporter(self) -> AzureMonitorExporter:
        """The road into Azure Monitor."""
        return AzureMonitorExporter(
            self.settings.connection_string,
            self.settings.APPLICATIONINSIGHTS_AUTHENTICATION_STRING,
            self._identity,
        )

    @cached_property
    def _poison(self) -> AccountPoisonQueue:
        """What was set aside."""
        return AccountPoisonQueue(self._queue_account, self._identity)

    @property
    def _queue_account(self) -> str:
        """Where the queues are."""
        account = self.settings.AzureWebJobsStorage.get_secret_value()
        return account or self.settings.AzureWebJobsStorage__queueServiceUri

    @cached_property
    def _prices(self) -> PriceBook:
        """What model calls cost."""
        file = self.settings.AGENTMETER_CONFIG / "prices.toml"
        return PriceBook(file, self._storage.texts, self.clock, self._price_list)

    @cached_property
    def _price_list(self) -> PriceList:
        """What model calls cost where the operator says nothing else."""
        every = timedelta(hours=self.settings.PRICES_REFRESH_HOURS)
        return PriceList(self.settings.PRICES_REFRESH_URL, every, self.clock)

    @property
    def _identity(self) -> Identity:
        """Who the app is to Azure."""
        return Identity(self.settings.AZURE_CLIENT_ID)

    @cached_property
    def _log(self) -> LogAnalytics:
        """What was exported, to be asked in KQL."""
        return LogAnalytics(
            self.settings.logs_endpoint,
            self.settings.LOGS_WORKSPACE_ID,
            self._identity,
        )

    @cached_property
    def _storage(self) -> Storage:
        """What is remembered between two invocations."""
        return open_storage(self.settings, self._identity.credential)


logger = logging.getLogger(__name__)
_lock = threading.Lock()
_made: list[App] = []


def current() -> App:
    """Return this process's app, made from the environment at the first call.

    Raises:
        Misconfigured: names every setting that is wrong; the next call looks again.
    """
    with _lock:
        if not _made:
            quiet_sdk()
            settings = read()
            logs.set_up(settings.LOG_LEVEL)
            for problem in settings.problems():
                logger.error("%s", problem)
            _made.append(App(settings, SystemClock()))
        return _made[0]
