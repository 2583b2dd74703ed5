"""The limits of Azure, and of agentmeter, that more events a second reach one after the other."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from bench.traffic import Figures, Traffic
from ops.bill import rates
from shared.settings import Settings
from shared.storage.series import MOST_FOLDED

OWN_ROWS = 6
"""Of a request and its message: two requests, two dependencies, two log lines."""
LIVES = 2
"""Each row is written once, and deleted once."""


@dataclass(frozen=True, slots=True)
class Limit:
    """most: of what `used` returns. split: only several deployments help."""

    name: str
    what: str
    most: float
    used: Callable[[Traffic], float]
    change: str
    source: str
    split: bool = False

    def reached(self, batch: int, figures: Figures) -> float:
        """Return the events a second that reach it."""
        sample = Traffic(1e6, batch, figures)
        return sample.events * self.most / self.used(sample)


LEARN = "learn.microsoft.com/azure/"
TABLES = f"{LEARN}storage/tables/scalability-targets"
QUEUES = f"{LEARN}storage/queues/scalability-targets"
MONITOR = f"{LEARN}azure-monitor/fundamentals/service-limits"
FLEX = f"{LEARN}azure-functions/flex-consumption-plan"
PARTITIONS, MOST_PARTITIONS = int(Settings.model_fields["CLAIM_PARTITIONS"].default), 64
LIMITS = (
    Limit(
        "fold",
        f"additions to the totals that one compaction folds, once a minute: {MOST_FOLDED:,}",
        MOST_FOLDED / 60,
        lambda t: t.rows("additions"),
        "larger requests; several deployments. Beyond it nothing is lost, but additions pile up, "
        "and `/metrics` and fast conditions read them all",
        "`MOST_FOLDED`, shared/storage/series.py",
        split=True,
    ),
    Limit(
        "totals",
        "rows a second in the one partition of table `series`: 2,000",
        2_000,
        lambda t: LIVES * t.rows("series"),
        "larger requests; several deployments",
        TABLES,
        split=True,
    ),
    Limit(
        "claims",
        f"rows a second in {PARTITIONS} partitions of table `claims`: {PARTITIONS} x 2,000",
        PARTITIONS * 2_000,
        lambda t: LIVES * t.rows("claims"),
        f"`CLAIM_PARTITIONS`, up to {MOST_PARTITIONS}",
        TABLES,
    ),
    Limit(
        "most claims",
        f"the same in {MOST_PARTITIONS} partitions",
        MOST_PARTITIONS * 2_000,
        lambda t: LIVES * t.rows("claims"),
        "several deployments",
        TABLES,
        split=True,
    ),
    Limit(
        "queue",
        "messages a second of one queue: 2,000",
        2_000,
        lambda t: t.messages,
        "larger requests; `eventBuffer=eventhubs`; several deployments",
        QUEUES,
        split=True,
    ),
    Limit(
        "account",
        "requests a second of one storage account, tables and queue: 20,000",
        20_000,
        lambda t: t.requests + rates.MESSAGE_QUEUE * t.messages,
        "several deployments, each with an account of its own",
        TABLES,
        split=True,
    ),
    Limit(
        "component",
        "rows a second of one Application Insights component, over a minute: 32,000",
        32_000,
        lambda t: t.events + OWN_ROWS * t.messages,
        "ask Azure's support for more; several deployments",
        MONITOR,
        split=True,
    ),
    Limit(
        "workspace",
        "bytes a minute into one Log Analytics workspace: about 6 GB",
        6e9 / 60,
        lambda t: t.log_bytes,
        "ask Azure's support for more; several deployments",
        MONITOR,
        split=True,
    ),
    Limit(
        "instances",
        "instances of one function, the default of `maximumInstances`: 100",
        100,
        lambda t: max(t.ingest, t.process),
        "`maximumInstances`, up to 1,000",
        "infra/main.bicep",
    ),
    Limit(
        "cores",
        "cores of all apps of a subscription in a region: 250",
        250,
        lambda t: t.ingest + t.process,
        "ask Azure's support for more; another region or subscription",
        FLEX,
    ),
)


def deployments(traffic: Traffic) -> int:
    """Return how many it takes, when all that can be set is set."""
    return ceil(max(limit.used(traffic) / limit.most for limit in LIMITS if limit.split))
