"""List prices of Azure, East US, pay as you go, and what agentmeter was measured to use."""

from dataclasses import dataclass

AS_OF = "2026-11"
MONITOR = "azure.microsoft.com/pricing/details/monitor"
FUNCTIONS = "azure.microsoft.com/pricing/details/functions"
STORAGE = "azure.microsoft.com/pricing/details/storage"
LINK = "azure.microsoft.com/pricing/details/private-link"


@dataclass(frozen=True, slots=True)
class Rate:
    """A price. per: of how many units. checked: it was found in two places."""

    usd: float
    per: float
    unit: str
    source: str
    checked: bool = True

    def of(self, amount: float) -> float:
        """Return what so many units cost, in USD."""
        return amount / self.per * self.usd


LOGS = Rate(2.30, 1, "GB of analytics logs", MONITOR)
COMMITMENTS = {
    gb: Rate(usd, 1, f"day of {gb:,} GB of analytics logs, committed", MONITOR, checked=gb <= 200)
    for gb, usd in {
        **{100: 196, 200: 368, 300: 540, 400: 704, 500: 865},
        **{1_000: 1_700, 2_000: 3_320, 5_000: 8_050},
    }.items()
}
"""GB a day → what a day costs; what is more costs as much a GB. There are larger ones, unlisted."""
RUNNING = Rate(0.000026, 1, "GB-s on demand", FUNCTIONS)
RUNNING_WARM = Rate(0.000016, 1, "GB-s running, always ready", FUNCTIONS, checked=False)
WARM = Rate(0.000004, 1, "GB-s always ready", FUNCTIONS, checked=False)
EXECUTIONS = Rate(0.40, 1e6, "executions", FUNCTIONS)
QUEUE = Rate(0.004, 10_000, "queue operations", STORAGE, checked=False)
TABLES = Rate(0.00036, 10_000, "table operations", STORAGE)
ALERT_5_MIN = Rate(1.50, 1, "log alerts asked every 5 min", MONITOR, checked=False)
ALERT_15_MIN = Rate(0.50, 1, "log alerts asked every 15 min", MONITOR, checked=False)
ENDPOINT = Rate(7.30, 1, "private endpoints", LINK)
RATES = (
    *(LOGS, *COMMITMENTS.values(), RUNNING, RUNNING_WARM, WARM, EXECUTIONS),
    *(QUEUE, TABLES, ALERT_5_MIN, ALERT_15_MIN, ENDPOINT),
)

FREE_GB = 5
"""Of logs, a month and billing account."""
FREE_GB_S = 100_000
FREE_EXECUTIONS = 250_000
"""Both a month and subscription, on demand alone: always ready billing has no free grants."""

CALL_BYTES = 562
"""Of a model call's row in AppEvents; `python -m bench.bytes`."""
SPAN_BYTES = 517 + 600
"""Of a model call by OpenTelemetry: its rows in AppEvents and AppDependencies."""
METRIC_BYTES, METRIC_ROWS = 284, 22
"""Of a row in AppMetrics; rows a minute of a fleet of five teams and three models."""
OWN_BYTES = 5_500
"""Of a request and its message in AppRequests, AppDependencies and AppTraces."""
MINUTE_BYTES = 18_000
"""Of what agentmeter and the host write each minute while nothing is sent."""
REQUEST_S, MESSAGE_S, EVALUATION_S = 1, 1, 1
"""Seconds billed of a run; Azure bills a second at the least."""
EVALUATION_TABLES, MINUTE_TABLES = 10, 54
"""Table operations of an evaluation, and of the first one in a minute besides."""
MESSAGE_TABLES = {1: 3, 25: 5, 500: 8}
"""Table operations of a message with up to so many events; `python -m bench.tables`."""
MESSAGE_QUEUE = 3
"""Queue operations of a message: written, received, deleted."""
