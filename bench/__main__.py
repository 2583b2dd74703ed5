"""Measures speed beside named references, and prints tables; `--write` keeps it in the docs.

`make bench`. Each figure is processor time, taken in turns with its reference in this one run, so
that other work on the machine hurts both alike: judge by the ratio. With `--write` the tables go
into docs/performance.md, and a line of JSON for this commit into bench/history.jsonl.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from bench import asked, cold, corrected, detection, export, otlp, whole
from bench.measured import Measured
from shared.clock import SystemClock

ROOT = Path(__file__).parents[1]
DOC = ROOT / "docs" / "performance.md"
HISTORY = ROOT / "bench" / "history.jsonl"
BEGIN, END = "<!-- begin: make bench -->\n", "<!-- end: make bench -->\n"


def table(rows: Sequence[Measured]) -> str:
    """Return the table in Markdown."""
    lines = ["| what | ours, µs | reference | its, µs | ratio | must | aim | |", "|" + " --- |" * 8]
    for row in rows:
        targets = [f"{target:g}" if target else "" for target in (row.must, row.aim)]
        figures = f"{row.ours:,.1f}", row.reference, f"{row.theirs:,.1f}", f"{row.ratio:.2f}"
        cells = f"{row.what} (one {row.unit})", *figures, *targets, row.verdict
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def write(rows: Sequence[Measured], requests: Sequence[asked.Asked], at: str) -> None:
    """Put the tables into the document, and the figures into the history."""
    text = DOC.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    said = f"Measured on {at[:10]} at {_commit()}.\n\n{table(rows)}\n{asked.table(requests)}"
    DOC.write_text(f"{before}{BEGIN}{said}{END}{after}", encoding="utf-8")
    with HISTORY.open("a", encoding="utf-8") as history:
        figures = [asdict(row) for row in (*rows, *requests)]
        line = {"commit": _commit(), "at": at, "rows": figures}
        history.write(json.dumps(line) + "\n")


def _commit() -> str:
    asked = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603  # git itself


def main() -> None:
    with export.taking() as url:
        rows = [*whole.measure(url), *export.measure(url), *otlp.measure()]
    rows += [*detection.measure(), *corrected.measure(), *cold.measure()]
    requests = asked.measure()
    sys.stdout.write(f"{table(rows)}\n{asked.table(requests)}")
    sys.stdout.write(json.dumps([asdict(row) for row in rows]) + "\n")
    if "--write" in sys.argv:
        write(rows, requests, SystemClock().now().isoformat())


if __name__ == "__main__":
    main()
