"""The prices in force: by config/prices.toml, or by its last edition that was right."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock

from shared.adapters.config.config_folder import read_text
from shared.clock import Clock
from shared.errors import AgentmeterError, Misconfigured
from shared.events.types import LlmCall
from shared.pricing import book
from shared.pricing.cost import Cost
from shared.pricing.listed import Listing
from shared.pricing.overrides import Overrides
from shared.pricing.price import Prices
from shared.store_ports import Texts

LOOK_EVERY = timedelta(seconds=5)
KEPT_AS = "prices.toml"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Edition:
    """What the file said when it was last read. stamp: another one means that it changed since.

    problem: what is wrong with the file, and what stands in for it.
    """

    overrides: Overrides
    stamp: object
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _InForce:
    """One edition over one price list, until the file and the list are read again."""

    edition: _Edition
    listing: Listing
    prices: Prices
    until: datetime


class PriceBook:
    """Prices that go on as they were when the file becomes wrong; fits process.Prices.

    The file is checked every few seconds. Its last known good edition is kept in storage: a process
    that starts with a wrong file goes on by that one, or by list prices where none was ever right.
    """

    def __init__(
        self, file: Path, texts: Texts, clock: Clock, listing: Callable[[], Listing]
    ) -> None:
        """listing: returns the price list in force; asked whenever the file is read."""
        self._file = file
        self._texts = texts
        self._clock = clock
        self._listing = listing
        self._looking = Lock()
        self._found: _InForce | None = None

    def price(self, call: LlmCall, at: datetime) -> Cost:
        """Return the cost of the call at the prices of that moment. Never raises."""
        return self._in_force().prices.price(call, at)

    def check(self) -> str:
        """Say what calls are priced by.

        Raises:
            Misconfigured: the file is wrong: where, what goes on in its place, and the remedy.
        """
        found = self._in_force()
        if found.edition.problem:
            raise Misconfigured(found.edition.problem)
        return f"{len(found.edition.overrides.prices)} own prices over {found.listing.name}"

    def _in_force(self) -> _InForce:
        found, now = self._found, self._clock.now()
        if found and now < found.until:
            return found
        # While one reads, others go on with what there is, or wait where there is nothing yet.
        if not self._looking.acquire(blocking=found is None):
            return found or self._in_force()
        try:
            self._found = self._look(self._found, now)
            return self._found
        finally:
            self._looking.release()

    def _look(self, before: _InForce | None, now: datetime) -> _InForce:
        """Take over what has changed; what has not keeps its compiled rates."""
        stamp, listing, until = _stamp(self._file), self._listing(), now + LOOK_EVERY
        if before and before.edition.stamp == stamp:
            if before.listing is listing:
                return _InForce(before.edition, listing, before.prices, until)
            edition = before.edition
        else:
            edition = self._read(stamp, before)
        return _InForce(edition, listing, Prices(edition.overrides, listing), until)

    def _read(self, stamp: object, before: _InForce | None) -> _Edition:
        try:
            text = read_text(self._file)
            edition = _Edition(book.read(text), stamp)
        except Misconfigured as exc:
            return self._stand_in(stamp, before, str(exc))
        self._keep(text)
        return edition

    def _stand_in(self, stamp: object, before: _InForce | None, wrong: str) -> _Edition:
        """Return the last known good edition in place of the wrong one, and say so."""
        overrides, what = (
            (before.edition.overrides, "what was in force goes on") if before else self._kept()
        )
        problem = f"{wrong} Until then, {what}."
        logger.error("%s", problem)
        return _Edition(overrides, stamp, problem)

    def _kept(self) -> tuple[Overrides, str]:
        try:
            text = self._texts.read(KEPT_AS)
            if text is not None:
                return book.read(text), "its last known good edition goes on"
        except AgentmeterError as exc:
            logger.warning("The last known good %s cannot be read: %s", KEPT_AS, exc)
        return Overrides(), "calls are priced by the list alone, and `ops reprice` can correct them"

    def _keep(self, text: str) -> None:
        """Pricing goes on without the storage: it only matters when the file becomes wrong."""
        try:
            if self._texts.read(KEPT_AS) != text:
                self._texts.write(KEPT_AS, text)
        except AgentmeterError as exc:
            logger.warning("This edition of %s was not kept for later: %s", KEPT_AS, exc)


def _stamp(file: Path) -> object:
    """Return what changes with the file; None where there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
