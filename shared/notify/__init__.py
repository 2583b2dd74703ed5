"""The roads to a person, by the name that config/routes.toml calls them."""

from collections.abc import Callable, Mapping

from pydantic import SecretStr

from shared.alerting.grouping import Receiver, Routes
from shared.errors import Misconfigured
from shared.notify.ladder import Ladder, Receiving
from shared.notify.log import LogNotifier
from shared.notify.pagerduty import PagerDuty
from shared.notify.slack import Slack
from shared.notify.teams import Teams
from shared.notify.webhook import Webhook
from shared.ports import Notifier
from shared.settings import RECEIVER, Settings, is_secret

Make = Callable[[Receiver, SecretStr, Settings], Receiving]

NOTIFIERS: Mapping[str, Make] = {
    "pagerduty": lambda receiver, key, settings: PagerDuty(
        settings.PAGERDUTY_URL, key, receiver.key
    ),
    "webhook": lambda receiver, key, settings: Webhook(
        _secret(settings, receiver.url), receiver.url, key, receiver.key
    ),
    "slack": lambda receiver, key, settings: Slack(key, receiver.key),
    "teams": lambda receiver, key, settings: Teams(key, receiver.key),
    "log": lambda receiver, key, settings: LogNotifier(),
}


def build(routes: Routes, settings: Settings) -> Mapping[str, Notifier]:
    """Return the notifier of each receiver, by the receiver's name.

    Receivers of one notifier and key share it, and so its pace. One whose key is not set keeps its
    pages waiting, and says so: they are not lost.
    Raises:
        Misconfigured: a receiver names a notifier or setting that there is not.
    """
    made = {
        (item.notifier, item.url, item.key): _notifier(name, item, settings)
        for name, item in routes.receivers.items()
    }
    return {n: made[item.notifier, item.url, item.key] for n, item in routes.receivers.items()}


def _notifier(name: str, receiver: Receiver, settings: Settings) -> Notifier:
    """Make one receiver's notifier."""
    make = NOTIFIERS.get(receiver.notifier)
    if make is None:
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
    return Ladder(make(receiver, _secret(settings, receiver.key), settings))


def _secret(settings: Settings, name: str) -> SecretStr:
    """Return the secret; empty where it is not set."""
    return getattr(settings, name, SecretStr("")) if name else SecretStr("")
