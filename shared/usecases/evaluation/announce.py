"""Sends change events: what was deployed, and what was changed in configuration."""

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.alerting.compose import Sender, in_line
from shared.alerting.grouping import Routes
from shared.alerting.page import Page
from shared.alerting.schedule import floor
from shared.errors import AgentmeterError, Misconfigured
from shared.store_ports import AlertStore
from shared.usecases.evaluation.tick import MINUTE, Ticked, Ticks

CHANGES = "Changes/info"
"""The record that remembers what was sent, and the rule that its pages name."""
VERSION = "version"

logger = logging.getLogger(__name__)
Contents = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """What is another since the last tick. kind: version, rules, routes or prices."""

    kind: str
    said: str


class Announce:
    """Sends each receiver one change event when a deployment or configuration changes."""

    def __init__(
        self,
        alerts: AlertStore,
        routes: Callable[[], Routes],
        sender: Sender,
        kinds: Mapping[str, Callable[[], Contents]],
    ) -> None:
        """kinds: kind → returns the texts in force by name, or raises Misconfigured."""
        self._alerts = alerts
        self._routes = routes
        self._sender = sender
        self._kinds = kinds

    def run(self, now: datetime) -> Sequence[Change]:
        """Announce what has changed; nothing of a kind that was never seen, or is wrong now.

        Raises:
            RetryLater: the store did not answer, or another process sent it.
        """
        record = self._alerts.load(CHANGES)
        before = record.contents
        after = {kind: self._digests(kind, before.get(kind, {})) for kind in self._kinds}
        is_same = after.get(VERSION) == before.get(VERSION)
        deployed_at = record.deployed_at if is_same and record.deployed_at else now
        if after == before and deployed_at == record.deployed_at:
            return ()
        changes = [
            Change(kind, _said(kind, before[kind], after[kind]))
            for kind in after
            if before.get(kind) and after[kind] != before[kind]
        ]
        pages = [
            self._page(one, receiver, now, record.paged)
            for one in changes
            for receiver in distinct_receivers(self._routes())
        ]
        paged = max((page.id for page in pages), default=record.paged)
        noted = replace(record, contents=after, paged=paged, deployed_at=deployed_at)
        self._alerts.save(noted, pages)
        for change in changes:
            logger.info("%s", change.said)
        return changes

    def _digests(self, kind: str, before: Contents) -> Contents:
        """Return what stands for the texts in force; a version stands for itself."""
        try:
            texts = self._kinds[kind]()
        except Misconfigured:
            return before
        return {name: text if kind == VERSION else _digest(text) for name, text in texts.items()}

    def _page(self, change: Change, receiver: str, now: datetime, last: str) -> Page:
        source = f"agentmeter/{self._sender.deployment}"
        page = Page(
            id=f"{now:%Y%m%d%H%M%S%f}-{_digest(change.kind + receiver)}",
            rule=CHANGES,
            dedup_key=f"{source}/change/{change.kind}/{receiver}/{now:%Y%m%d%H%M%S%f}",
            route=receiver,
            action="change",
            severity="info",
            summary=f"{source}: {change.said}",
            body={"source": source, "link": self._sender.link},
            created_at=now,
            not_before=now,
            reason=f"{change.kind} changed",
        )
        return in_line(page, last)


def distinct_receivers(routes: Routes) -> list[str]:
    """Return a receiver of each notifier and key."""
    found: dict[tuple[str, str], str] = {}
    for name, item in routes.receivers.items():
        found.setdefault((item.notifier, item.key), name)
    return list(found.values())


def _said(kind: str, before: Contents, after: Contents) -> str:
    """Say what is new, gone or another."""
    if kind == VERSION:
        versions = after[VERSION], before[VERSION]
        if len({*versions}) == 1:
            return f"other code of version {versions[0] or '?'} is deployed"
        return "version {} is deployed, after {}".format(*(one or "?" for one in versions))
    changed = sorted(n for n in after.keys() & before.keys() if after[n] != before[n])
    parts = {
        "changed": changed,
        "added": sorted(after.keys() - before.keys()),
        "removed": sorted(before.keys() - after.keys()),
    }
    return "; ".join(f"{what} {', '.join(names)}" for what, names in parts.items() if names)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


class Announcing:
    """Announces once a minute what has changed since the one before, then runs on; fits Ticks."""

    def __init__(self, tick: Ticks, announce: Announce) -> None:
        self._tick = tick
        self._announce = announce
        self._minute: datetime | None = None

    def run(self, now: datetime) -> Ticked:
        """Do everything that is due; what cannot be sent now is sent by the next minute."""
        minute = floor(now, MINUTE)
        if minute != self._minute:
            self._minute = minute
            try:
                self._announce.run(now)
            except AgentmeterError as exc:
                logger.warning("The change event was not stored: %s", exc)
        return self._tick.run(now)
