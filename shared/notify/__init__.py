"""How a person is reached, by the name that config/routes.toml calls it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import SecretStr

from shared.alerting.grouping import Receiver, Routes
from shared.errors import Misconfigured
from shared.notify.ladder import Receiving
from shared.notify.log import LogNotifier
from shared.notify.pagerduty import PagerDuty
from shared.notify.slack import Slack
from shared.notify.teams import Teams
from shared.notify.webhook import Webhook
from shared.setting_forms import ADDRESS_FORM, PAGER_FORM, RECEIVER, TOKEN_FORM, Form
from shared.settings import Settings, is_secret

Make = Callable[[Receiver, SecretStr, Settings], Receiving]


@dataclass(frozen=True, slots=True)
class Kind:
    """A way to reach a person. key, url: how the values of the receiver's settings look.

    bound: which of them an incident is bound to, for no other closes it; "" where it keeps none.
    address: the setting for where all of the kind send to, which an incident is bound to as well.
    """

    make: Make
    key: Form | None = None
    url: Form | None = None
    bound: Literal["key", "url", ""] = ""
    address: str = ""


NOTIFIERS: Mapping[str, Kind] = {
    "pagerduty": Kind(
        lambda receiver, key, settings: PagerDuty(settings.PAGERDUTY_URL, key, receiver.key),
        key=PAGER_FORM,
        bound="key",
        address="PAGERDUTY_URL",
    ),
    "webhook": Kind(
        lambda receiver, key, settings: Webhook(
            secret(settings, receiver.url), receiver.url, key, receiver.key
        ),
        key=TOKEN_FORM,
        url=ADDRESS_FORM,
        bound="url",
    ),
    "slack": Kind(lambda receiver, key, settings: Slack(key, receiver.key), key=ADDRESS_FORM),
    "teams": Kind(lambda receiver, key, settings: Teams(key, receiver.key), key=ADDRESS_FORM),
    "log": Kind(lambda receiver, key, settings: LogNotifier()),
}


def check(routes: Routes) -> None:
    """Make sure that there is what the receivers name.

    Raises:
        Misconfigured: a receiver names a notifier or setting that there is not.
    """
    for name, receiver in routes.receivers.items():
        if receiver.notifier not in NOTIFIERS:
            raise Misconfigured(
                f"routes.toml: receivers.{name}.notifier: {receiver.notifier!r} is none of "
                f"{', '.join(NOTIFIERS)}; use one of these."
            )
        for field, setting in (("key", receiver.key), ("url", receiver.url)):
            if setting and not is_secret(setting):
                raise Misconfigured(
                    f"routes.toml: receivers.{name}.{field}: there is no secret setting {setting}. "
                    f"Name one that begins with {RECEIVER}, or one of docs/settings.md."
                )


def odd_forms(routes: Routes, settings: Settings) -> Iterator[str]:
    """Yield the settings of receivers whose values have another form than they should."""
    for receiver in routes.receivers.values():
        kind = NOTIFIERS[receiver.notifier]
        for name, form in ((receiver.key, kind.key), (receiver.url, kind.url)):
            if form and not form.fits(secret(settings, name)):
                yield form.said(name)


def secret(settings: Settings, name: str) -> SecretStr:
    """Return the secret; empty where it is not set."""
    found = getattr(settings, name, None) if name else None
    return found if isinstance(found, SecretStr) else SecretStr("")
