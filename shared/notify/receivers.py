"""Finds how a page is sent: as its incident was opened, before any edit since."""

import hashlib
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from shared.alerting.grouping import Receiver, Routes
from shared.alerting.page import Delivery, Dropped, Later, Page
from shared.notify import NOTIFIERS, secret
from shared.notify.ladder import Ladder
from shared.ports import Notifier
from shared.setting_forms import OLD, is_here
from shared.settings import Settings

MARK_CHARS = 8


class Receivers:
    """Those of config/routes.toml as it is now; fits ports.Receivers and ports.Owners.

    An owner is `<notifier>:<mark> <key> <url>`: a digest of the secret that the incident is bound
    to ("" of a notifier that keeps none), and the names of the receiver's settings; url is the
    address itself where the notifier has one for all receivers, absent in earlier editions. A
    secret is looked for in its own setting and in that setting's `_OLD`, then in those of today's
    receivers.
    """

    def __init__(self, routes: Callable[[], Routes], settings: Settings) -> None:
        self._routes = routes
        self._settings = settings
        self._made: dict[tuple[str, str, str, str], Notifier] = {}

    def owner(self, route: str) -> str:
        """Return what holds an incident that a page to that receiver opens."""
        receiver = self._routes().receivers.get(route)
        return self._owner(receiver) if receiver else ""

    def reaches(self, owner: str, route: str) -> bool:
        """Return whether an incident that was opened so can still be closed."""
        if _is_bound(owner):
            return self._holding(owner) is not None
        return route in self._routes().receivers

    def destination(self, page: Page) -> str:
        """Return the destination whose rate limit the page shares."""
        return page.owner or self.owner(page.route) or page.route

    def notifier(self, page: Page) -> Notifier:
        """Return what reaches the page's owner, or else its receiver."""
        if _is_bound(page.owner):
            holding = self._holding(page.owner)
            if not holding:
                return Unreachable(_lost(page))
            return self._notifier(holding, _address(page.owner))
        receiver = self._routes().receivers.get(page.route)
        if receiver:
            return self._notifier(receiver)
        if page.owner and page.action == "resolve":
            return Unreachable(Dropped(f"its receiver {page.route} is gone, and keeps no incident"))
        why = f"No receiver is named {page.route}. Put it back into config/routes.toml."
        return Unreachable(Later(why, cause="repair"))

    def _owner(self, receiver: Receiver) -> str:
        """Return the receiver as owner; "" where what an incident would be bound to is not set."""
        kind = NOTIFIERS[receiver.notifier]
        bound = kind.bound
        value = secret(self._settings, getattr(receiver, bound)).get_secret_value() if bound else ""
        if bound and not value:
            return ""
        where = getattr(self._settings, kind.address) if kind.address else receiver.url
        return f"{receiver.notifier}:{_mark(value)} {receiver.key} {where}"

    def _holding(self, owner: str) -> Receiver | None:
        """Return a receiver by which that owner is reached."""
        line = owner.partition(" ")[0]
        for receiver in self._candidates(owner):
            bound = NOTIFIERS[receiver.notifier].bound
            name = getattr(receiver, bound)
            for setting in (name, f"{name}{OLD}"):
                found = receiver.model_copy(update={bound: setting})
                if self._owner(found).partition(" ")[0] == line:
                    return found
        return None

    def _candidates(self, owner: str) -> Iterator[Receiver]:
        """Yield the receiver that the owner was, then today's of its kind."""
        kind, _, key, url = _parts(owner)
        if kind in NOTIFIERS:
            yield Receiver.model_construct(notifier=kind, key=key, url=url)
            yield from (r for r in self._routes().receivers.values() if r.notifier == kind)

    def _notifier(self, receiver: Receiver, address: str = "") -> Notifier:
        """Return the receiver's notifier, the same each time. address: "" for today's."""
        kind = NOTIFIERS[receiver.notifier]
        names = receiver.notifier, receiver.key, receiver.url, address
        if names not in self._made:
            key = secret(self._settings, receiver.key)
            there = {kind.address: address} if address else {}
            settings = self._settings.model_copy(update=there)
            self._made[names] = Ladder(kind.make(receiver, key, settings))
        return self._made[names]


@dataclass(frozen=True, slots=True)
class Unreachable:
    """Stands for what cannot be reached; fits ports.Notifier."""

    outcome: Delivery

    def send(self, page: Page) -> Delivery:
        """Say why."""
        del page
        return self.outcome


def _parts(owner: str) -> tuple[str, str, str, str]:
    """Return notifier, mark, the name of the key's setting, and that of the url's or an address."""
    line, _, names = owner.partition(" ")
    kind, _, mark = line.partition(":")
    key, _, url = names.partition(" ")
    return kind, mark, key, url


def _address(owner: str) -> str:
    """Return where its incident was opened; "" for the address of now.

    On a laptop the pager moves with the stack's ports, so that of one that is gone is of no use.
    """
    *_, url = _parts(owner)
    try:
        host, port = urlsplit(url).hostname, urlsplit(url).port
        if host and is_here(host):
            socket.create_connection((host, port or 80), timeout=1).close()
    except (ValueError, OSError):
        return ""
    return url if host else ""


def _is_bound(owner: str) -> bool:
    """Return whether the incident is bound to a secret, of which the owner has the mark."""
    return _parts(owner)[1] != ""


def _mark(value: str) -> str:
    """Return a digest that distinguishes secrets and reveals nothing of them."""
    return hashlib.sha256(value.encode()).hexdigest()[:MARK_CHARS] if value else ""


def _lost(page: Page) -> Later:
    """Say what would close the incident, and what to do where that is gone."""
    kind, mark, key, url = _parts(page.owner)
    setting = url if kind in NOTIFIERS and NOTIFIERS[kind].bound == "url" else key
    return Later(
        f"{page.dedup_key} was opened by the {setting} whose mark is {mark}, and nothing else "
        f"closes it. Set {setting}{OLD} to that one, or close the incident yourself and run "
        f"`ops pages drop {page.id}`.",
        cause="repair",
    )
