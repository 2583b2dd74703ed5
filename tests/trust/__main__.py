"""`make trust`: faults under load for an hour, or a million events; `--write` keeps the table.

`python -m tests.trust faults --minutes 60 --each 60`, or `memory --events 1000000`. Exit code 1:
something was lost, doubled or left open, or memory grew.
"""

import argparse
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from shared.clock import SystemClock
from tests.journeys.process import ROOT, Machine
from tests.trust.faults import FAULTS
from tests.trust.ledger import Figures
from tests.trust.memory import Sample, flat, grow
from tests.trust.run import machine_of, run

DOC = ROOT / "docs" / "trust.md"
SAMPLES = 20
MOST_GROWTH = 1.25
HEADS = (
    *("fault", "times", "events", "lost", "doubled", "dollars off"),
    *("troubles", "pages lost", "pages doubled", "incidents left open"),
)


def main() -> int:
    """Run what was asked for; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("faults", "memory"))
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--each", type=float, help="seconds from fault to fault")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--write", action="store_true", help="put the table into docs/trust.md")
    given = parser.parse_args()
    with TemporaryDirectory(prefix="agentmeter-trust-") as folder:
        machine = machine_of(Path(folder))
        try:
            if given.what == "faults":
                each_s = given.each or min(60, given.minutes * 60 / len(FAULTS))
                said, is_good = _faults(machine, given.minutes, each_s)
            else:
                said, is_good = _memory(machine, given.events)
        finally:
            if machine.process and machine.process.poll() is None:
                machine.end(signal.SIGKILL)
    say(said)
    if given.write:
        write(given.what, said)
    return 0 if is_good else 1


def _faults(machine: Machine, minutes: float, each_s: float) -> tuple[str, bool]:
    began = SystemClock().now()
    rows = run(machine, minutes * 60, each_s, say)
    took = (SystemClock().now() - began).total_seconds() / 60
    events = sum(row.events for row in rows)
    head = f"{events:,} events, a fault every {each_s:g} s, {took:.0f} minutes with settling."
    return f"{head}\n\n{table(rows)}", all(row.is_clean for row in rows)


def table(rows: Sequence[Figures]) -> str:
    """Return the table in Markdown."""
    lines = [f"| {' | '.join(HEADS)} |", "|" + " --- |" * len(HEADS)]
    for row in rows:
        figures = (getattr(row, name) for name in Figures.__slots__)
        cells = (
            f"{cell:,.6f}" if isinstance(cell, float) else f"{cell:,}"
            for cell in figures
            if not isinstance(cell, str)
        )
        lines.append(f"| {row.fault} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _memory(machine: Machine, events: int) -> tuple[str, bool]:
    samples = list[Sample]()
    lines = ["| events | memory, MB | after, s |", "| ---: | ---: | ---: |"]
    for sample in grow(machine, events, SAMPLES):
        samples.append(sample)
        lines.append(f"| {sample.events:,} | {sample.mb:,.0f} | {sample.after_s:,.0f} |")
        say(lines[-1])
    growth = flat(samples)
    head = f"The last quarter took at most {growth:.2f} times what the first quarter ended with."
    return f"{head}\n\n" + "\n".join(lines) + "\n", growth <= MOST_GROWTH


def write(what: str, said: str) -> None:
    """Put what was found in its place in the document."""
    begin, end = (f"<!-- {word}: make trust {what} -->\n" for word in ("begin", "end"))
    text = DOC.read_text(encoding="utf-8")
    before, rest = text.split(begin)
    _, after = rest.split(end)
    asked = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603  # git itself
    at = f"Measured on {SystemClock().now():%Y-%m-%d} at {commit}: {said}"
    DOC.write_text(f"{before}{begin}{at}{end}{after}", encoding="utf-8")


def say(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
