"""agentmeter's alerts about itself: rules like any other, whose answers are in its own stores."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import get_args

from shared.alerting.failing import awaited, failing
from shared.alerting.page import Page, Severity
from shared.alerting.record import RuleRecord
from shared.alerting.rule import Rule
from shared.errors import Misconfigured
from shared.ports import PoisonQueue, Table, UsageLog
from shared.store_ports import AlertStore, SetAside
from shared.usecases.evaluation.freshness import OF_THE_STORE, PROBE, is_own, reach

STUCK_AFTER = timedelta(minutes=5)


def own_rules(meta: str) -> Sequence[Rule]:
    """Return the rules about agentmeter itself.

    meta: the receiver for what keeps pages from the others; without one that stays unsaid.
    """
    about_receivers = (
        [rule.model_copy(update={"route": meta}) for rule in OF_RECEIVERS] if meta else []
    )
    return [*about_receivers, *OTHERS]


@dataclass(frozen=True, slots=True)
class SelfWatch:
    """Answers those rules, and hands all other questions on; fits ports.UsageLog.

    rules: those that are, the own ones too; what is stored of others is history. meta: the receiver
    whose own pages count for nothing here: they would ring for ever. config: part of the
    configuration → raises Misconfigured where that is wrong.
    """

    log: UsageLog
    alerts: AlertStore
    set_aside: SetAside
    rules: Callable[[], Sequence[Rule]]
    meta: Callable[[], str]
    poison: PoisonQueue
    config: Mapping[str, Callable[[], str]]

    def query(self, kql: str, start: datetime, end: datetime) -> Table:
        """Return what the stores say of (start, end], or what the log says. Raises as they do."""
        about, _, severity = kql.removeprefix(OF_THE_STORE).partition(" ")
        answer = self._answers(severity, end).get(about) if kql.startswith(OF_THE_STORE) else None
        return answer() if answer else self.log.query(kql, start, end)

    def _answers(self, severity: str, now: datetime) -> Mapping[str, Callable[[], Table]]:
        """Return what answers which question of the own rules."""
        alerts = self.alerts
        return {
            "failing": lambda: self._failing(severity, now),
            "series": lambda: left_out(alerts.load_all()),
            "stuck": lambda: stuck(self._others(alerts.waiting()), now),
            "refused": lambda: refused(self._others(alerts.waiting())),
            "unreadable": lambda: _counted(
                "Rule", Counter(one.rule for one in self.set_aside.listed())
            ),
            "config": lambda: _counted("File", Counter(self._wrong())),
            "late": lambda: self._late(now),
            "poison": lambda: Table(("value",), ((self.poison.count(),),)),
        }

    def _late(self, now: datetime) -> Table:
        """Return how late the log is; no row where that is not known."""
        lag = reach(self.log, now).lag(now)
        return Table(("value",), () if lag is None else ((lag.total_seconds(),),))

    def _failing(self, severity: str, now: datetime) -> Table:
        """Count the failures of rules of that severity; of none in a fresh deployment."""
        rules, records = self.rules(), self.alerts.load_all()
        operators = {rule.key for rule in rules if not is_own(rule)}
        if awaited([record for record in records if record.rule in operators], now):
            return _counted("Rule", {})
        known = {rule.key for rule in rules if rule.severity == severity}
        return _counted("Rule", failing([one for one in records if one.rule in known], now))

    def _wrong(self) -> Iterator[str]:
        for name, check in self.config.items():
            try:
                check()
            except Misconfigured:
                yield name

    def _others(self, pages: Sequence[Page]) -> Sequence[Page]:
        return [page for page in pages if page.route != self.meta() and page.action != "change"]


def stuck(waiting: Sequence[Page], now: datetime) -> Table:
    """Count the pages that wait for too long, of each receiver; one row at least.

    Those that wait for a repair are refused()'s.
    """
    held = (page for page in waiting if page.cause != "repair")
    late = Counter(page.route for page in held if now - page.created_at >= STUCK_AFTER)
    return _counted("Receiver", late)


def refused(waiting: Sequence[Page]) -> Table:
    """Count the pages that wait for a repair, of each receiver; one row at least."""
    unrepaired = Counter(page.route for page in waiting if page.cause == "repair")
    return _counted("Receiver", unrepaired)


def left_out(records: Sequence[RuleRecord]) -> Table:
    """Count the series of each rule that were too many to keep; one row at least."""
    return _counted("Rule", {one.rule: one.left_out for one in records if one.left_out})


def _counted(label: str, counts: Mapping[str, int]) -> Table:
    """Return a row for each; a rule without rows would be one without data."""
    return Table((label, "value"), tuple(sorted(counts.items())) or (("", 0),))


def _rule(
    name: str, query: str, window: str, severity: str, summary: str, **fields: object
) -> Rule:
    common = {"group": "agentmeter", "condition": "> 0", "no_data": "ok"}
    said = {"name": name, "query": query, "window": window, "severity": severity}
    texts = {"summary": summary, "runbook": f"docs/runbooks/{name}.md"}
    return Rule.model_validate({**common, **said, **texts, **fields})


def _failing(severity: str) -> Rule:
    """Return the rule about rules that have no answer, of the same severity as they."""
    return _rule(
        *("RuleEvaluationFailing", f"{OF_THE_STORE}failing {severity}", "PT5M", severity),
        "{Rule} had no answer for more than 5 minutes: {value:.0f} failures in a row",
    )


OF_RECEIVERS: Sequence[Rule] = (
    _rule(
        *("OutboxStuck", f"{OF_THE_STORE}stuck", "PT5M", "critical"),
        "{value:.0f} pages for {Receiver} wait for more than 5 minutes",
    ),
    _rule(
        *("PagesRefused", f"{OF_THE_STORE}refused", "PT5M", "critical"),
        "{Receiver} takes none of {value:.0f} pages: its key or address is to be repaired",
    ),
    _rule(
        *("AlertStateUnreadable", f"{OF_THE_STORE}unreadable", "PT5M", "error"),
        "{value:.0f} parts of the stored state of {Rule} cannot be read and were quarantined",
    ),
)
TELEMETRY_LATE = _rule(
    *("TelemetryLate", f"{OF_THE_STORE}late", "PT5M", "warning"),
    "Queries find rows over {value:.0f} s after they were sent: main conditions are as late",
    condition=">= 180",
    keep_firing="PT5M",
    no_data="keep",
    no_data_max="PT30M",
)
TELEMETRY_STALE = _rule(
    *("TelemetryStale", PROBE, "PT15M", "critical"),
    "No telemetry arrives: for 25 minutes neither an event nor a heartbeat was found",
    condition="< 1",
    hold="PT10M",
    offset="PT0S",
)
OTHERS: Sequence[Rule] = (
    *map(_failing, get_args(Severity)),
    _rule(
        *("TooManySeries", f"{OF_THE_STORE}series", "PT5M", "warning"),
        "{Rule} returns {value:.0f} series more than are kept; the worst are",
    ),
    _rule(
        *("PoisonQueueNotEmpty", f"{OF_THE_STORE}poison", "PT5M", "error"),
        "{value:.0f} messages of accepted events were dead-lettered and are not counted",
    ),
    _rule(
        *("ConfigurationWrong", f"{OF_THE_STORE}config", "PT5M", "error"),
        "{File} of the configuration is wrong; GET /api/health says where, and what goes on",
    ),
    TELEMETRY_LATE,
    TELEMETRY_STALE,
)


def with_own(
    rules: Callable[[], Sequence[Rule]], meta: Callable[[], str]
) -> Callable[[], Sequence[Rule]]:
    """Return what reads the operator's rules, with the own ones added."""
    return lambda: [*rules(), *own_rules(meta())]
