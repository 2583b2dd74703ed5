"""`python -m local` whose app has a clock that the file `shift` moves, by so many seconds.

The queue, the monitor and the pager keep the right time, as Azure's services do.
"""

import runpy
from datetime import datetime, timedelta
from pathlib import Path

from shared import process_app
from shared.clock import SystemClock
from shared.settings import operator_environment

SHIFT = "shift"


class ShiftedClock(SystemClock):
    """The machine's clock, as far off as the file says."""

    def now(self) -> datetime:
        """Return the moment that a clock shows that is so far off."""
        shift = Path(operator_environment()["AGENTMETER_HOME"]) / SHIFT
        return super().now() + timedelta(seconds=int(shift.read_text()) if shift.exists() else 0)


if __name__ == "__main__":
    process_app.SystemClock = ShiftedClock
    runpy.run_module("local", run_name="__main__", alter_sys=True)
