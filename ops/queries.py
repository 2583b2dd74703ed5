"""List every query that ships, one JSON object a line: what a KQL checker reads."""

import json
import re
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from ops.command import Desk
from shared.adapters.config_folder import read_rules
from shared.alerting.rule import bind

EXAMPLES = "  python -m ops queries > queries.jsonl"
ROOT = Path(__file__).parent.parent
END = datetime(2026, 1, 5, tzinfo=UTC)
FENCED = re.compile(r"^ *```kusto\n(.*?)^ *```", re.DOTALL | re.MULTILINE)


def declare(parser: ArgumentParser) -> None:
    """Take no arguments of its own."""


def run(given: Namespace, desk: Desk) -> int:
    """Print the rules' queries with their times bound, then those of the runbooks."""
    for name, query in (*_of_rules(), *_of_pages()):
        desk.terminal.say(json.dumps({"name": name, "query": query}))
    return 0


def _of_rules() -> Iterator[tuple[str, str]]:
    """Yield the query of each look of each rule."""
    for rule in read_rules(ROOT / "config"):
        for look in rule.looks:
            yield f"{rule.key} {look.name}", bind(look.query, END - look.window, END)


def _of_pages() -> Iterator[tuple[str, str]]:
    """Yield each fenced query of the runbooks."""
    for page in sorted((ROOT / "docs" / "runbooks").glob("*.md")):
        for number, query in enumerate(FENCED.findall(page.read_text(encoding="utf-8")), 1):
            yield f"{page.name} {number}", query
