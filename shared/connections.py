"""Connects the app to what is outside its process: Azure Monitor, queues, tables, price lists."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING

from shared.adapters.azure.event_queue import AccountEventQueue
from shared.adapters.azure.identity import Identity
from shared.adapters.azure.poison_queue import POISON
from shared.errors import Misconfigured

if TYPE_CHECKING:
    from shared.adapters.azure.circuit_breaker import CircuitBreaker
    from shared.adapters.azure.event_hub import HubEventQueue
    from shared.adapters.azure.log_analytics import LogAnalytics
    from shared.adapters.azure.poison_queue import AccountPoisonQueue
    from shared.adapters.config.price_list import PriceList
    from shared.clock import Clock
    from shared.ports import EventQueue
    from shared.settings import Settings
    from shared.storage.stores import Storage


class Connections:
    """Each is made when it is first used, and kept for the life of the process."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock

    def close(self) -> None:
        """Close what was opened."""
        for name in ("storage", "storage_queue", "set_aside", "hub"):
            if name in self.__dict__:
                self.__dict__[name].close()

    @property
    def queue(self) -> EventQueue:
        """Takes what was accepted."""
        return self.hub if self._settings.EVENT_BUFFER == "eventhubs" else self.storage_queue

    @cached_property
    def storage_queue(self) -> AccountEventQueue:
        """Where messages wait to be processed, or to be tried again."""
        return AccountEventQueue(self._queue_account, self._identity)

    @cached_property
    def set_aside(self) -> AccountEventQueue:
        """Takes what goes to the poison queue."""
        return AccountEventQueue(self._queue_account, self._identity, POISON)

    @cached_property
    def hub(self) -> HubEventQueue:
        """Takes what was accepted, where EVENT_BUFFER says so.

        Raises:
            Misconfigured: no namespace is named.
        """
        from shared.adapters.azure.event_hub import HubEventQueue, token_policy

        namespace, identity = self._settings.EVENT_HUB__fullyQualifiedNamespace, self._identity
        if not namespace:
            raise Misconfigured(
                "EVENT_BUFFER is eventhubs, and EVENT_HUB__fullyQualifiedNamespace names none. Set "
                "it to the namespace, as NAME.servicebus.windows.net."
            )
        policy = partial(token_policy, identity.credential)
        return HubEventQueue(f"https://{namespace}", identity, policy)

    @cached_property
    def exporter(self) -> CircuitBreaker:
        """Takes what goes into Azure Monitor."""
        from shared.adapters.azure.azure_monitor import AzureMonitorExporter
        from shared.adapters.azure.circuit_breaker import CircuitBreaker

        exporter = AzureMonitorExporter(
            self._settings.connection_string,
            self._settings.APPLICATIONINSIGHTS_AUTHENTICATION_STRING,
            self._identity,
            all_by_sdk=self._settings.EXPORT_BY_SDK,
        )
        return CircuitBreaker(exporter, lambda: self._clock.now().timestamp())

    @cached_property
    def poison(self) -> AccountPoisonQueue:
        """What was set aside."""
        from shared.adapters.azure.poison_queue import AccountPoisonQueue

        return AccountPoisonQueue(self._queue_account, self._identity)

    @cached_property
    def log(self) -> LogAnalytics:
        """What was exported, to be asked in KQL."""
        from shared.adapters.azure.log_analytics import LogAnalytics

        return LogAnalytics(
            self._settings.logs_endpoint,
            self._settings.LOGS_WORKSPACE_ID,
            self._identity,
        )

    @cached_property
    def storage(self) -> Storage:
        """What is remembered between two invocations."""
        from shared.storage.stores import open_storage

        return open_storage(self._settings, self._identity.credential)

    @cached_property
    def price_list(self) -> PriceList:
        """What model calls cost where the operator says nothing else."""
        from shared.adapters.config.price_list import PriceList

        every = timedelta(hours=self._settings.PRICES_REFRESH_HOURS)
        return PriceList(self._settings.PRICES_REFRESH_URL, every, self._clock)

    @property
    def _queue_account(self) -> str:
        """Where the queues are."""
        account = self._settings.AzureWebJobsStorage.get_secret_value()
        return account or self._settings.AzureWebJobsStorage__queueServiceUri

    @property
    def _identity(self) -> Identity:
        """Who the app is to Azure."""
        return Identity(self._settings.AZURE_CLIENT_ID)
