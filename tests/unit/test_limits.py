"""No call to another machine waits without end."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
NEEDED = {
    "requests.get": {"timeout"},
    "requests.post": {"timeout"},
    "requests.request": {"timeout"},
    "socket.create_connection": {"timeout"},
    "pool.urlopen": {"timeout"},
    "Timeout": {"connect", "read"},
    "RequestsTransport": {"connection_timeout", "read_timeout"},
    "LogsQueryClient": {"connection_timeout", "read_timeout"},
    "TableServiceClient.from_connection_string": {"connection_timeout", "read_timeout"},
    "QueueServiceClient.from_connection_string": {"connection_timeout", "read_timeout"},
    "AzureMonitorLogExporter": {"timeout", "read_timeout"},
}
"""What a call must say, by its name."""


def calls(file: Path) -> Iterator[tuple[str, set[str | None]]]:
    """Yield each call of the module by name, and the keywords that it says; None: a mapping."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), {keyword.arg for keyword in node.keywords}


def test_every_call_outward_has_a_limit() -> None:
    found = 0
    for folder in ("functions", "shared"):
        for file in (ROOT / folder).rglob("*.py"):
            for name, said in calls(file):
                if name in NEEDED:
                    found += 1
                    assert None in said or NEEDED[name] <= said, f"{file}: {name}"
    assert found
