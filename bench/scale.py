"""What each part does from 1 to 1,000,000 events a second, which limit comes first, what it costs.

`make scale` writes the tables of docs/scale.md.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.limits import LIMITS, LIVES, Limit, deployments
from bench.traffic import Figures, Traffic, figures
from ops.bill import rates

ROOT = Path(__file__).parents[1]
DOC = ROOT / "docs" / "scale.md"
HISTORY = ROOT / "bench" / "history.jsonl"
BEGIN, END = "<!-- begin: make scale -->\n", "<!-- end: make scale -->\n"

RATES = tuple(10**n for n in range(7))
BATCHES = (1, 100)


def section(found: Figures) -> str:
    """Return the tables, and what they follow from."""
    return "\n".join(_parts(found))


def _parts(found: Figures) -> Iterator[str]:
    yield f"From the figures of `make bench` at {found.commit}.\n"
    for size in BATCHES:
        name = "1 event" if size == 1 else f"{size} events"
        yield f"### Requests of {name}\n"
        yield _table(
            (
                *("events/s", "instances: ingest", "processing", "messages/s", "table requests/s"),
                *("rows/s of totals", "GB a day of logs", "its own", "limits passed"),
                *("deployments", "USD a month"),
            ),
            [_line(Traffic(rate, size, found)) for rate in RATES],
        )
    yield "### The limits, in the order in which requests of 100 events reach them\n"
    yield _table(
        (
            "",
            "limit",
            "reached at events/s, 1 a request",
            "100 a request",
            "what to change",
            "from",
        ),
        [
            (
                *(limit.name, limit.what),
                *(f"{limit.reached(size, found):,.0f}" for size in BATCHES),
                *(limit.change, limit.source),
            )
            for limit in _in_order(BATCHES[-1], found)
        ],
    )


def _in_order(batch: int, found: Figures) -> Sequence[Limit]:
    return sorted(LIMITS, key=lambda limit: limit.reached(batch, found))


def _line(traffic: Traffic) -> Sequence[str]:
    size, found = traffic.batch, traffic.figures
    passed = [n.name for n in _in_order(size, found) if n.reached(size, found) < traffic.events]
    needed = deployments(traffic)
    own = traffic.messages * rates.OWN_BYTES / traffic.log_bytes
    amounts = traffic.messages, traffic.requests, LIVES * traffic.rows("series")
    return (
        *(f"{traffic.events:,.0f}", f"{traffic.ingest:,}", f"{traffic.process:,}"),
        *(f"{amount:,.0f}" if amount >= 10 else f"{amount:.2g}" for amount in amounts),
        *(f"{traffic.log_bytes * 86_400 / 1e9:,.1f}", f"{own:.0%}", ", ".join(passed)),
        *(f"{needed:,}", f"{traffic.usd(needed):,.0f}"),
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def main() -> None:
    written = section(figures(HISTORY.read_text(encoding="utf-8")))
    sys.stdout.write(written)
    if "--write" in sys.argv:
        before, rest = DOC.read_text(encoding="utf-8").split(BEGIN)
        _, after = rest.split(END)
        DOC.write_text(f"{before}{BEGIN}{written}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
