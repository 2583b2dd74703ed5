"""Sends a page in the fullest form that its receiver takes: no link or detail is worth a page."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

from shared.alerting.page import Answer, Dead, Delivery, Later, Page, Refused
from shared.notify.wire import title

LINKS = ("link", "links", "runbook")
DETAILS = "custom_details"
BARE_SUMMARY_MAX = 200

logger = logging.getLogger(__name__)


class Receiving(Protocol):
    """Makes one attempt to send a page just as it is."""

    def send(self, page: Page) -> Answer:
        """Send it once; Refused where a barer form may be taken."""
        ...


class Ladder:
    """A notifier that gives up links, then details, rather than the page; fits ports.Notifier."""

    def __init__(self, receiving: Receiving) -> None:
        self._receiving = receiving

    def send(self, page: Page) -> Delivery:
        """Send the first form that is not refused.

        A trigger or resolve of which even the bare summary is refused is not at fault itself: it
        waits until an operator has repaired the receiver. A change event is dead then.
        """
        why = ""
        for form in forms(page):
            answer = self._attempt(form)
            if not isinstance(answer, Refused):
                if why:
                    logger.warning("%s of %s was refused in full (%s)", page.action, page.id, why)
                return answer
            why = answer.why
        if page.action == "change":
            return Dead(why)
        said = f"Refused, even as a bare summary: {why} Check the receiver's key or address."
        return Later(said, cause="repair")

    def _attempt(self, form: Page) -> Answer:
        """Send one form; a fault of ours in writing it is a refusal, and says no secret."""
        try:
            return self._receiving.send(form)
        except Exception as exc:  # noqa: BLE001 - whatever is wrong with a form, a barer one goes
            return Refused(f"This form cannot be written ({type(exc).__name__}).")


def forms(page: Page) -> Iterator[Page]:
    """Yield the page, then barer ones: without links, without details, its summary alone."""
    yield page
    if page.action == "change":
        return
    linkless = {name: item for name, item in page.body.items() if name not in LINKS}
    if len(linkless) < len(page.body):
        yield replace(page, body=linkless)
    if DETAILS in linkless:
        yield replace(page, body={n: item for n, item in linkless.items() if n != DETAILS})
    yield replace(page, body={}, summary=title(page, BARE_SUMMARY_MAX))
