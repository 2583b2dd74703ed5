"""What an operator edits: its last known good edition, what is wrong with it, who it notifies."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial

from shared import notify
from shared.adapters.config.config_folder import parse_edition, read_edition, read_text
from shared.adapters.config.last_good import LastRight
from shared.adapters.config.price_book import PriceBook
from shared.adapters.config.price_list import PriceList
from shared.alerting.grouping import Routes, parse_routes
from shared.alerting.muting import Silence
from shared.alerting.rule import Rule
from shared.clock import Clock
from shared.errors import Misconfigured
from shared.notify.receivers import Receivers
from shared.settings import Settings
from shared.store_ports import Texts


class Configured:
    """Each is read when it is first used."""

    def __init__(
        self, settings: Settings, clock: Clock, texts: Texts, price_list: PriceList
    ) -> None:
        """texts: where last known good editions are kept."""
        self._settings = settings
        self._clock = clock
        self._texts = texts
        self._price_list = price_list

    @property
    def checks(self) -> Mapping[str, Callable[[], str]]:
        """What an operator edits: each says what is in force, or what is wrong."""
        return {
            "rules": lambda: f"{len(self.rules.check())} rules",
            "routes.toml": lambda: f"{len(self.routes.check().receivers)} receivers",
            "prices.toml": self.prices.check,
            "settings": self._check_settings,
        }

    def _check_settings(self) -> str:
        """Say that links and secrets are well formed; raises Misconfigured where they are not."""
        odd = notify.odd_forms(self.routes.get(), self._settings)
        if problems := dict.fromkeys([*self._settings.problems(), *odd]):
            raise Misconfigured(" ".join(problems))
        return "links and secrets have their forms"

    def check_meta(self) -> str:
        """Say who is paged where pages do not arrive; raises Misconfigured where that is no one."""
        said = self.routes.get().watched_by()
        if said and self._settings.AGENTMETER_STATE.startswith("tables"):
            raise Misconfigured(said)
        return said or "pages that do not arrive page another receiver"

    @cached_property
    def rules(self) -> LastRight[Sequence[Rule]]:
        """The operator's rules."""
        read = partial(read_edition, self._settings.AGENTMETER_CONFIG)
        return LastRight("rules", read, parse_edition, self._texts)

    @cached_property
    def routes(self) -> LastRight[Routes]:
        """The receivers of pages; right if there is a notifier for each receiver."""
        read = partial(read_text, self._settings.AGENTMETER_CONFIG / "routes.toml")

        def parse(text: str) -> Routes:
            routes = parse_routes(text, "routes.toml")
            notify.check(routes)
            return routes

        return LastRight("routes.toml", read, parse, self._texts)

    @cached_property
    def receivers(self) -> Receivers:
        """How people are reached."""
        return Receivers(self.routes.get, self._settings)

    @cached_property
    def prices(self) -> PriceBook:
        """What model calls cost."""
        file = self._settings.AGENTMETER_CONFIG / "prices.toml"
        return PriceBook(file, self._texts, self._clock, self._price_list)

    def windows(self) -> Sequence[Silence]:
        """Return the maintenance windows."""
        return [item.silence() for item in self.routes.get().maintenance]

    def meta(self) -> str:
        """Return the receiver of pages about pages."""
        return self.routes.get().meta
