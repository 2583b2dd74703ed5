"""What a person sees of pages that wait and of stored state that cannot be read, and removes."""

import secrets
from datetime import datetime

from shared.alerting.page import Dropped
from shared.errors import NotFound
from shared.store_ports import AlertStore, SetAside

Shown = dict[str, object]
BY_HAND = "a person removed it"


class Outbox:
    """The pages of the alert store, and the state that was set aside."""

    def __init__(self, alerts: AlertStore, set_aside: SetAside) -> None:
        self._alerts = alerts
        self._set_aside = set_aside

    def listed(self) -> list[Shown]:
        """Return every page that waits, oldest first, then what cannot be read."""
        pages: list[Shown] = [
            {
                "id": page.id,
                "kind": page.action,
                "rule": page.rule,
                "since": page.created_at.isoformat(),
                "receiver": page.route,
                "attempts": page.attempts,
                "said": page.last_status,
            }
            for page in self._alerts.waiting()
        ]
        lost: list[Shown] = [
            {
                "id": one.id,
                "kind": f"unreadable {one.kind}",
                "rule": one.rule,
                "since": "",
                "receiver": "",
                "attempts": 0,
                "said": one.why,
            }
            for one in self._set_aside.listed()
        ]
        return [*pages, *lost]

    def drop(self, id: str, now: datetime) -> None:
        """Remove a page that waits, or something unreadable.

        Raises:
            NotFound: nothing there has this id, or it is being sent at this moment.
        """
        if self._set_aside.discard(id):
            return
        token = secrets.token_hex(8)
        for page in self._alerts.waiting():
            if page.id == id and (taken := self._alerts.lease(page, token, now, now)):
                self._alerts.settle(taken, Dropped(BY_HAND), now)
                return
        raise NotFound(f"Nothing that waits has the id {id}. `bin/ops pages list` shows what does.")
