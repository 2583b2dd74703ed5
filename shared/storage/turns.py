"""Remembers when rules were last evaluated, and who stands in for the timer."""

from datetime import UTC, datetime, timedelta

from shared.alerting.schedule import AHEAD_MOST
from shared.storage.rows import Change, Conflict, Insert, Put, Replace, Rows

_PARTITION = _KEY = "turn"
_NEVER = datetime.min.replace(tzinfo=UTC)


class TurnRows:
    """One row, which is replaced only as it was read; fits ports.Turns."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def evaluated(self, at: datetime) -> None:
        """Note that all rules were evaluated, which ends the turn of any other."""
        self._rows.commit(_PARTITION, [Put(_KEY, {"evaluated_at": at.isoformat()})])

    def take(self, now: datetime, overdue: timedelta, until: datetime) -> bool:
        """Take the turn until then; False where another has it, or that was done within overdue.

        Where it was never done, its time begins now. A time ahead of the clock says
        nothing: a clock was wrong when it was written.
        """
        row = self._rows.get(_PARTITION, _KEY)
        if row is None:
            self._try(Insert(_KEY, {"evaluated_at": now.isoformat()}))
            return False
        since = now - _read(row.text("evaluated_at"))
        if -AHEAD_MOST <= since <= overdue or now < _read(row.text("until")) <= until:
            return False
        return self._try(Replace(_KEY, {**row.fields, "until": until.isoformat()}, row.etag))

    def _try(self, change: Change) -> bool:
        """Make the change; False where another was faster."""
        try:
            self._rows.commit(_PARTITION, [change])
        except Conflict:
            return False
        return True


def _read(text: str) -> datetime:
    return datetime.fromisoformat(text) if text else _NEVER
