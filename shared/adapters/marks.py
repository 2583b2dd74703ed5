"""How the mark of what was written to AppMetrics is itself written, alike in every store."""

import json
from datetime import datetime

from pydantic import TypeAdapter

from shared.adapters.totals import Totals
from shared.ports import Written
from shared.rows import MetricRow

FASTER = "Somebody else writes the metrics of this minute; the next tick goes on."
_ROWS = TypeAdapter(tuple[MetricRow, ...])


def as_text(written: Written) -> str:
    """Write everything but the version as JSON of ASCII letters."""
    totals = Totals(
        dict(written.totals.counters), dict(written.totals.histograms), dict(written.totals.gauges)
    )
    fields = {
        "minute": written.minute.isoformat(),
        "until": written.until.isoformat(),
        "owed": _ROWS.dump_python(written.owed, mode="json"),
        "totals": list(totals.lines()),
    }
    return json.dumps(fields, separators=(",", ":"))


def of_text(version: int, text: str) -> Written:
    """Read back what as_text() wrote."""
    fields = json.loads(text)
    totals = Totals()
    for line in fields["totals"]:
        totals.take(*line)
    minute, until = (datetime.fromisoformat(fields[name]) for name in ("minute", "until"))
    return Written(version, minute, totals.state(), _ROWS.validate_python(fields["owed"]), until)
