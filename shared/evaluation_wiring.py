"""What evaluates rules and delivers pages, wired."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from shared.adapters.config.config_folder import read_text, texts_of
from shared.alerting.compose import Sender
from shared.clock import Clock
from shared.configured import Configured
from shared.edition import edition
from shared.notify.heartbeat import Heartbeat
from shared.notify.page_links import PageLinks
from shared.ports import Exporter, PoisonQueue, UsageLog
from shared.settings import Settings
from shared.storage.stores import Storage
from shared.usecases.evaluation.announce import Announce, Announcing
from shared.usecases.evaluation.deliver import Deliver
from shared.usecases.evaluation.evaluate import Evaluate
from shared.usecases.evaluation.history import History
from shared.usecases.evaluation.own_gauges import BudgetFigures, Vitals
from shared.usecases.evaluation.self_watch import SelfWatch, own_rules, with_own
from shared.usecases.evaluation.tick import Heard, Tick, Watched
from shared.usecases.evaluation.write_metrics import Minutely
from shared.usecases.explaining.silences import Silences
from shared.usecases.spending.budgets import Budgets


@dataclass(frozen=True, slots=True)
class Outside:
    """What an evaluation reaches outside its process. put: into the queue."""

    storage: Storage
    log: UsageLog
    exporter: Callable[[], Exporter]
    poison: PoisonQueue
    put: Callable[[Sequence[str]], None]


@dataclass(frozen=True)
class Evaluation:
    """What the timer runs, and the part of it that stands in for a timer."""

    settings: Settings
    clock: Clock
    outside: Outside
    config: Configured
    silences: Silences
    budgets: Budgets

    @cached_property
    def tick(self) -> Watched:
        """Does what is due, several times a minute."""
        heard = Heard(
            Announcing(self.without_announcements, self._announce), self.outside.storage.turns
        )
        return Watched(heard, Heartbeat(self.settings.HEARTBEAT_URL))

    @cached_property
    def without_announcements(self) -> Tick:
        """What the timer does, but for what it says of itself."""
        outside, config, settings = self.outside, self.config, self.settings
        storage = outside.storage
        alerts = storage.alerts
        evaluate = Evaluate(
            rules=config.rules.get,
            own=lambda: own_rules(config.meta()),
            log=self._watch,
            alerts=alerts,
            routes=config.routes.get,
            owners=config.receivers,
            deployment=settings.AGENTMETER_DEPLOYMENT,
            link=settings.AGENTMETER_LINK,
            silences=self.silences.all,
            tallies=storage.series.tallies,
            links=PageLinks(
                settings.AGENTMETER_RUNBOOKS,
                settings.LOGS_RESOURCE_ID,
                settings.AGENTMETER_SILENCE_LINK,
                settings.cloud.portal,
            ),
        )
        deliver = Deliver(alerts, config.receivers, self.clock)
        vitals = Vitals(alerts, storage.series, BudgetFigures(self.budgets).at)
        minutely = Minutely(storage.series, storage.mark, outside.exporter)
        history = History(alerts, storage.series, outside.exporter)
        memories = (storage.claims, storage.traces, storage.series, storage.silences, history)
        return Tick(deliver, evaluate, history, vitals, minutely, outside.put, *memories)

    @cached_property
    def _announce(self) -> Announce:
        """Tells what was deployed or changed."""
        prices = self.settings.AGENTMETER_CONFIG / "prices.toml"

        def priced() -> Mapping[str, str]:
            self.config.prices.check()
            return {prices.name: read_text(prices)}

        kinds: Mapping[str, Callable[[], Mapping[str, str]]] = {
            "version": lambda: {"version": self.settings.AGENTMETER_VERSION, "code": edition()},
            "rules": lambda: texts_of(self.config.rules.text()),
            "routes": lambda: {"routes.toml": self.config.routes.text()},
            "prices": priced,
        }
        sender = Sender(self.settings.AGENTMETER_DEPLOYMENT, self.settings.AGENTMETER_LINK)
        return Announce(self.outside.storage.alerts, self.config.routes.get, sender, kinds)

    @cached_property
    def _watch(self) -> SelfWatch:
        """What is asked of the workspace, and of agentmeter itself."""
        rules = with_own(self.config.rules.get, self.config.meta)
        kept = self.outside.storage.alerts, self.outside.storage.set_aside
        return SelfWatch(
            self.outside.log,
            *kept,
            rules,
            self.config.meta,
            self.outside.poison,
            self.config.checks,
        )
