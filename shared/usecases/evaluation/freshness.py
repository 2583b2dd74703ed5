"""Whether a silence says anything: of a source that has gone stale, it does not."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.alerting.reading import read_samples
from shared.alerting.rule import Rule, bind
from shared.errors import AgentmeterError
from shared.metrics.own import HEARTBEAT
from shared.ports import UsageLog
from shared.rows import BEAT_ROW
from shared.usecases.evaluation.log_wrappers import NotYet, Question

STALE_AFTER = timedelta(minutes=10)
"""A heartbeat is written every minute, and a row is found within three of being sent, as a rule:
ten minutes without one are no quiet time, whatever the fleet does."""
BEAT = timedelta(minutes=1)
SHOWN_AGO = timedelta(minutes=30)
LATE_MOST = timedelta(minutes=20)
"""Rows that are found later than this are as good as none."""
STALE = "the telemetry is stale: for 10 minutes there has been neither an event nor a heartbeat"
OF_THE_STORE = "agentmeter: "
"""What the queries of rules begin with whose facts are in the alert store."""

REACH = f"""AppEvents
| where TimeGenerated >= {{start}} and TimeGenerated < {{end}} and Name == "{BEAT_ROW}"
| summarize Newest = max(TimeGenerated)"""

PROBE = f"""union
    (UsageEvents
    | where TimeGenerated >= {{start}} and TimeGenerated < {{end}}
    | project TimeGenerated
    | take 1),
    (AppMetrics
    | where TimeGenerated >= {{start}} and TimeGenerated < {{end}} and Name == "{HEARTBEAT.name}"
    | project TimeGenerated
    | take 1)
| summarize value = count()"""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far the log shows rows. to: the newest heartbeat that it shows; None where none is."""

    to: datetime | None = None

    def lag(self, at: datetime) -> timedelta | None:
        """Return how late rows are found, at least: the heartbeat after the newest is not found."""
        return None if self.to is None else max(at - self.to - BEAT, timedelta(0))


def reach(log: UsageLog, at: datetime) -> Reach:
    """Ask how far the log shows rows at a whole minute.

    Raises:
        NotYet: the log is still thinking. Without an answer all goes on as if rows came at once.
    """
    try:
        table = log.query(*reach_question(at))
        newest = table.rows[0][table.columns.index("Newest")] if table.rows else None
    except NotYet:
        raise
    except (AgentmeterError, ValueError):
        return Reach()
    return Reach(newest if isinstance(newest, datetime) else None)


def reach_question(at: datetime) -> Question:
    """Return what reach() asks."""
    start, end = at - SHOWN_AGO, at + timedelta(seconds=1)
    return bind(REACH, start, end), start, end


def probes(at: datetime, reach: Reach) -> Iterator[Question]:
    """Yield what is_stale() asks."""
    if reach.to is None or at - reach.to <= STALE_AFTER:
        start = at - STALE_AFTER
        yield bind(PROBE, start, at), start, at


def is_stale(log: UsageLog, at: datetime, reach: Reach) -> bool:
    """Return whether nothing at all was written for STALE_AFTER before that moment.

    Where rows come later than that, they are late and not missing, up to LATE_MOST. A probe without
    an answer says nothing: each rule goes on by its own.

    Raises:
        NotYet: the log is still thinking.
    """
    asked = next(probes(at, reach), None)
    if asked is None:
        return reach.to is None or at - reach.to > LATE_MOST
    try:
        table = log.query(*asked)
        samples = read_samples(table.columns, table.rows).values()
    except NotYet:
        raise
    except AgentmeterError:
        return False
    return all(sample.value == 0 for sample in samples)


def is_own(rule: Rule) -> bool:
    """Return whether the rule is about agentmeter itself: of the present, and by other facts."""
    return rule.query == PROBE or rule.query.startswith(OF_THE_STORE)
