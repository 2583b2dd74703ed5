"""Computes what a deployment costs a month, line by line."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf

from ops.bill import rates
from ops.bill.rates import Rate

DAY_S = 24 * 3_600
MONTH_S = 30 * DAY_S
MINUTES = MONTH_S / 60
WATCHES_5_MIN, WATCHES_15_MIN = 2, 3
"""Azure's own alerts about agentmeter; infra/modules/watch.bicep."""
ENDPOINTS = 3


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is deployed and sent. calls: model calls a month. batch: calls a request.

    warm: instances kept warm for ingest, processing and evaluation, all three or none.
    instances: that work at a time, at most; requests that share one are billed once.
    """

    calls: float = 0
    batch: float = 100
    spans: bool = False
    instance_gb: float = 0.5
    warm: bool = False
    evaluate_every_s: float = 15
    watched: bool = True
    private_network: bool = False
    instances: float = inf


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the bill. how: where usd comes from."""

    what: str
    how: str
    usd: float


def month(one: Deployment) -> Sequence[Line]:
    """Return the lines of a month's bill, with the free grants taken off."""
    return [*_functions(one), *_storage(one), *_logs(one), *_fixed(one)]


def total(lines: Sequence[Line]) -> float:
    """Return what they are together, in USD."""
    return sum(line.usd for line in lines)


def _functions(one: Deployment) -> Iterator[Line]:
    """Yield what the instances cost: running, being warm, executions."""
    requests = one.calls / one.batch
    evaluations = MONTH_S / one.evaluate_every_s
    work = min(requests * (rates.REQUEST_S + rates.MESSAGE_S), one.instances * MONTH_S)
    seconds = work + evaluations * rates.EVALUATION_S
    rate, free_gb_s, free_runs = (
        (rates.RUNNING_WARM, 0, 0)
        if one.warm
        else (rates.RUNNING, rates.FREE_GB_S, rates.FREE_EXECUTIONS)
    )
    runs = f"{evaluations:,.0f} evaluations, {requests:,.0f} requests and their messages"
    yield _line(runs, seconds * one.instance_gb, rate, free_gb_s)
    yield _line("the same, by number", evaluations + 2 * requests, rates.EXECUTIONS, free_runs)
    if one.warm:
        yield _line("3 instances kept warm", 3 * one.instance_gb * MONTH_S, rates.WARM)


def _storage(one: Deployment) -> Iterator[Line]:
    """Yield what tables and queue cost."""
    messages, evaluations = one.calls / one.batch, MONTH_S / one.evaluate_every_s
    most = next((size for size in rates.MESSAGE_TABLES if one.batch <= size), 500)
    tables = evaluations * rates.EVALUATION_TABLES + MINUTES * rates.MINUTE_TABLES
    yield _line("tables", tables + messages * rates.MESSAGE_TABLES[most], rates.TABLES)
    yield _line("queue", MINUTES + messages * rates.MESSAGE_QUEUE, rates.QUEUE)


def _logs(one: Deployment) -> Iterator[Line]:
    """Yield what Log Analytics costs: calls, metrics, and what agentmeter writes of itself."""
    calls = one.calls * (rates.SPAN_BYTES if one.spans else rates.CALL_BYTES)
    metrics = min(one.calls, MINUTES) * rates.METRIC_ROWS * rates.METRIC_BYTES
    own = MINUTES * rates.MINUTE_BYTES + one.calls / one.batch * rates.OWN_BYTES
    parts = f"{calls / 1e9:.2f} of calls, {metrics / 1e9:.2f} of metrics, {own / 1e9:.2f} its own"
    yield _cheapest(f"logs: {parts}", (calls + metrics + own) / 1e9)


def _cheapest(what: str, gb: float) -> Line:
    """Return the line of the logs: as they come, or by the commitment that costs least."""
    ways = [_line(what, gb, rates.LOGS, rates.FREE_GB)]
    for tier, rate in rates.COMMITMENTS.items():
        days = max(gb / tier, MONTH_S / DAY_S)
        how = f"{gb:,.0f} GB, for {tier:,} GB a day are committed; ${rate.usd:,.0f} / {tier:,}"
        ways.append(Line(what, how, rate.of(days)))
    return min(ways, key=lambda line: line.usd)


def _fixed(one: Deployment) -> Iterator[Line]:
    """Yield what costs the same, however much is sent."""
    if one.watched:
        yield _line("Azure's alerts about it", WATCHES_5_MIN, rates.ALERT_5_MIN)
        yield _line("more of these", WATCHES_15_MIN, rates.ALERT_15_MIN)
    if one.private_network:
        yield _line("private network", ENDPOINTS, rates.ENDPOINT)


def _line(what: str, amount: float, rate: Rate, free: float = 0) -> Line:
    """Return the line of an amount: what is beyond the free part is billed."""
    less = f", {free:,} free" if free else ""
    price = f"{rate.usd:f}".rstrip("0").ljust(len("0.00"), "0")
    per = f" / {rate.per:,.0f}" if rate.per > 1 else ""
    number = f"{amount:,.0f}" if amount >= 100 else f"{amount:.3g}"
    how = f"{number} {rate.unit}{less}; ${price}{per}"
    return Line(what, how, rate.of(max(0.0, amount - free)))
