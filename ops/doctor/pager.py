"""Looks at the keys of PagerDuty, and rings once where it is asked to."""

import re
from collections.abc import Iterator, Mapping

from pydantic import SecretStr

from ops.console.command import Desk
from ops.doctor.finding import Finding, ok, skipped, wrong
from shared.alerting.page import Accepted, Action, Page
from shared.notify.pagerduty import PagerDuty
from shared.setting_forms import PAGER_FORM

FORMAT = PAGER_FORM.remedy


def keys(named: Mapping[str, SecretStr]) -> Iterator[Finding]:
    """Return whether each key has the form of one; never shows it."""
    for name, key in named.items():
        if not key.get_secret_value():
            yield skipped(f"pager {name}", "It is not known here.", f"export {name}=… to see it")
        elif re.fullmatch(PAGER_FORM.pattern, key.get_secret_value().strip()):
            yield ok(f"pager {name}", "It has the form of an integration key.")
        else:
            yield wrong(f"pager {name}", "It is no integration key.", FORMAT)


def drill(url: str, named: Mapping[str, SecretStr], desk: Desk) -> Iterator[Finding]:
    """Open an incident of severity info for each key, and resolve it at once."""
    for name, key in named.items():
        if not key.get_secret_value():
            continue
        notifier = PagerDuty(url, key, name)
        for action in ("trigger", "resolve"):
            answer = notifier.send(_page(name, action, desk))
            if not isinstance(answer, Accepted):
                yield wrong(f"drill {name}", f"{action}: {getattr(answer, 'why', answer)}", FORMAT)
                break
        else:
            yield ok(f"drill {name}", "An incident was opened and resolved.")


def _page(name: str, action: Action, desk: Desk) -> Page:
    now = desk.clock.now()
    return Page(
        id=f"doctor-{action}",
        rule="doctor/info",
        dedup_key=f"agentmeter/doctor/{name}",
        route=name,
        action=action,
        severity="info",
        summary="Drill: agentmeter's doctor tries the pager. Nothing is wrong.",
        body={},
        created_at=now,
        not_before=now,
        reason="drill",
    )
