"""What a function's cold start takes, beside Azure's own package and pydantic alone.

`python -m bench`. A process of its own for each; what counts is its processor time, from the start
of the interpreter until the function's part of the app is made.
"""

import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measured import Measured, compared

ROUNDS = 4
PARTS: Mapping[str, str] = {
    "indexing alone": "",
    "post_events": "ingest queue",
    "post_traces": "traces queue",
    "process_events": "process",
    "evaluate_alerts": "tick",
    "get_health": "report",
    "get_costs": "answers",
}
MADE = """
import sys
import function_app
from shared.clock import SystemClock
from shared.settings import read
from shared.wiring import App
app = App(read(), SystemClock())
for part in sys.argv[1].split():
    getattr(app, part)
"""
ALONE = "import azure.functions, pydantic; from pydantic import BaseModel"
REFERENCE = "import azure.functions, pydantic"


def cold_us(script: str, parts: str, state: Path) -> float:
    """Return the processor time of a process that runs the script."""
    environment = {
        "APPLICATIONINSIGHTS_CONNECTION_STRING": "InstrumentationKey="
        "00000000-0000-0000-0000-000000000000",
        "LOGS_WORKSPACE_ID": "w",
        "AGENTMETER_STATE": f"sqlite:{state / 'state.db'}",
        "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    }
    before = _children_s()
    subprocess.run(  # noqa: S603  # our own script
        [sys.executable, "-c", script, parts], env=environment, check=True, capture_output=True
    )
    return (_children_s() - before) * 1e6


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure() -> list[Measured]:
    """Compare each function with the reference, in turns."""
    made: list[Measured] = []
    for name, parts in PARTS.items():
        with TemporaryDirectory() as folder:
            state = Path(folder)
            pairs = [
                (cold_us(MADE, parts, state), cold_us(ALONE, "", state)) for _ in range(ROUNDS)
            ]
        made.append(Measured(f"cold start, {name}", "start", REFERENCE, *compared(pairs)))
    return made
