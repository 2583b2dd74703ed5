"""Whether a silence says anything: of a source that has gone stale, it does not."""

from datetime import datetime, timedelta

from shared.alerting.reading import read_samples
from shared.alerting.rule import Rule, bind
from shared.errors import AgentmeterError
from shared.metrics.own import HEARTBEAT
from shared.ports import UsageLog

STALE_AFTER = timedelta(minutes=10)
"""A heartbeat is written every minute, and a row is found within three of being sent, as a rule:
ten minutes without one are no quiet time, whatever the fleet does."""
STALE = "the telemetry is stale: for 10 minutes there has been neither an event nor a heartbeat"
OF_THE_STORE = "agentmeter: "
"""What the queries of rules begin with whose facts are in the alert store."""

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


def is_stale(log: UsageLog, at: datetime) -> bool:
    """Tell whether nothing at all was written for STALE_AFTER before that moment.

    A probe without an answer says nothing: each rule goes on by its own.
    """
    start = at - STALE_AFTER
    try:
        table = log.query(bind(PROBE, start, at), start, at)
        samples = read_samples(table.columns, table.rows).values()
    except AgentmeterError:
        return False
    return all(sample.value == 0 for sample in samples)


def is_own(rule: Rule) -> bool:
    """Tell whether the rule is about agentmeter itself: of the present, and by other facts."""
    return rule.query == PROBE or rule.query.startswith(OF_THE_STORE)
