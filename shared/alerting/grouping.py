"""The receivers of each severity in config/routes.toml, and the incident of a rule."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, get_args

from pydantic import BaseModel, StringConstraints

from shared.alerting.muting import Inhibition
from shared.alerting.page import Severity
from shared.alerting.record import Incident, Resolved, RuleRecord, SeriesAlert
from shared.alerting.rule import Duration, Rule
from shared.alerting.silences import Maintenance
from shared.toml_file import Fault, read

SettingName = Annotated[str, StringConstraints(pattern=r"^([A-Z][A-Z0-9_]*)?$")]


class Receiver(BaseModel, frozen=True, extra="forbid"):
    """A receiver of some severities, with its intervals.

    key: the name of the setting that holds the notifier's secret: any that begins with RECEIVER_.
    url: the name of the setting that holds the address, of a webhook alone.
    group_wait: from the first alert to the first page; none for an alert of a [fast] part.
    group_interval: at least this between two pages of an open incident; a resolve never waits.
    repeat_interval: from one page to a reminder that the incident is still open.
    resolve_again: from a resolve to its repeat, in case the other side lost it; PT0S: none.
    """

    severities: tuple[Severity, ...] = ()
    notifier: str = "pagerduty"
    key: SettingName = ""
    url: SettingName = "WEBHOOK_URL"
    group_wait: Duration = timedelta(seconds=30)
    group_interval: Duration = timedelta(minutes=5)
    repeat_interval: Duration = timedelta(hours=4)
    resolve_again: Duration = timedelta(minutes=15)

    def reminding_every(self, interval: timedelta) -> "Receiver":
        """Return the receiver with that patience between reminders, which a rule may ask for."""
        return self.model_copy(update={"repeat_interval": interval})


class Routes(BaseModel, frozen=True, extra="forbid"):
    """All of config/routes.toml. receivers: by the name that pages and incidents keep.

    meta: the receiver of pages about pages that do not reach the others; "": there is none.
    accept_log_as_meta: you know that it ends in the log.
    """

    meta: str = ""
    accept_log_as_meta: bool = False
    receivers: Mapping[str, Receiver]
    inhibitions: tuple[Inhibition, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()

    def watched_by(self) -> str:
        """Return what is wrong with the receiver of pages about pages; "" where nothing is."""
        found = self.receivers.get(self.meta)
        if self.accept_log_as_meta or (found and found.notifier != "log"):
            return ""
        return (
            "meta: pages that do not arrive are written to the log alone. Give [receivers.meta] a "
            "notifier that shares nothing with the others, or write accept_log_as_meta = true."
        )

    def receiver_of(self, severity: Severity) -> str:
        """Return the name of the receiver of that severity."""
        return next(name for name, item in self.receivers.items() if severity in item.severities)

    def receiver_for(self, route: str, severity: Severity) -> str:
        """Return the name of the receiver that a rule asks for; that of its severity if there is
        none by that name, for the page must reach a person."""
        return route if route in self.receivers else self.receiver_of(severity)


def parse_routes(text: str, file: str) -> Routes:
    """Read the routes from TOML.

    Raises:
        Misconfigured: names the file and every wrong field at once, each with its remedy.
    """
    return read(Routes, text, file, "docs/notifications.md explains routes and receivers.", _lint)


def _lint(routes: Routes) -> list[Fault]:
    """Return the severities without exactly one receiver, and a meta that is none."""
    named = [severity for item in routes.receivers.values() for severity in item.severities]
    absent = routes.meta and routes.meta not in routes.receivers
    missing: list[Fault] = [
        (("meta",), f"there is no receiver {routes.meta}; name one of those below")
    ]
    return missing * bool(absent) + [
        (("receivers",), f"{named.count(severity)} of them name {severity}; let exactly one")
        for severity in get_args(Severity)
        if named.count(severity) != 1
    ]


@dataclass(frozen=True, slots=True)
class Group:
    """The alerts of a rule that share an incident.

    key: "" for all of the rule, the fingerprint where each alert has an incident of its own.
    firing: by fingerprint. muted: what keeps which of them from being sent.
    ended: a firing alert has just resolved.
    resolved: the incident before, while its resolve has not been repeated.
    """

    firing: Mapping[str, SeriesAlert]
    incident: Incident | None
    muted: Mapping[str, str] = field(default_factory=dict[str, str])
    ended: bool = False
    resolved: Resolved | None = None
    key: str = ""

    @property
    def muted_by(self) -> str:
        """Return what mutes some or all of the alerts; "" where nothing does."""
        return "; ".join(sorted(set(self.muted.values())))


def dedup_key(deployment: str, rule: str, group: str) -> str:
    """Return what the incident is known by outside; the same in every episode.

    rule: the rule's key. group: the group's key.
    """
    return "/".join(filter(None, ("agentmeter", deployment, rule, group)))


def groups_of(
    rule: Rule,
    record: RuleRecord,
    muted: Mapping[str, str],
    ended: Collection[str],
) -> Sequence[Group]:
    """Return the groups of a rule that there is something to decide about, one at least.

    What is open stays a group of its own though its rule groups otherwise by now: nothing of it
    fires any more, so that it is resolved.
    muted: fingerprint → what keeps that alert from being sent. ended: the fingerprints of firing
    alerts that have just resolved.
    """

    def key(series: str) -> str:
        return series if rule.per_series else ""

    firing: defaultdict[str, dict[str, SeriesAlert]] = defaultdict(dict)
    for name, alert in record.firing.items():
        firing[key(name)][name] = alert
    over = {key(series) for series in ended}
    keys = {*firing, *over, *record.incidents, *record.resolved} or {""}
    return [
        Group(
            firing=firing[group],
            incident=record.incidents.get(group),
            muted={name: muted[name] for name in firing[group] if name in muted},
            ended=group in over,
            resolved=record.resolved.get(group),
            key=group,
        )
        for group in sorted(keys)
    ]
