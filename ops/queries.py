"""List every query that ships, one JSON object a line: what a KQL checker reads."""

import json
import re
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dashboards.kql import GRAFANA
from dashboards.kql import bind as bind_panel
from dashboards.panel import read_pages
from ops.alerts import KNOWN, QUALITY
from ops.console.command import Desk
from ops.export.command import KEPT, rows_of
from ops.export_rules.native_rule import Native, native
from replay.columns import empty_tables
from shared.adapters.config.config_folder import read_rules
from shared.alerting.budget import parse_budgets
from shared.alerting.budget_rules import rules_of
from shared.alerting.rule import Rule, bind
from shared.clock import SystemClock
from shared.events.columns import ADJUSTMENT
from shared.usecases.evaluation.self_watch import TELEMETRY_STALE
from shared.usecases.explaining.dearest import WORK_SORTS, work_query
from shared.usecases.explaining.work import COLUMNS
from shared.usecases.spending.buckets import WIDTHS, Buckets
from shared.usecases.spending.budgets import budget_query
from shared.usecases.spending.calls import CallQuestion
from shared.usecases.spending.log_slices import COUNTED, STEPS
from shared.usecases.spending.period import Period, free
from shared.usecases.spending.question import SPLIT_BY, Question, Scope
from shared.usecases.spending.reprice import CALLS
from shared.usecases.spending.spent_query import ROWS, SORTS, spent_query, unpriced_query

EXAMPLES = "  bin/ops queries > queries.jsonl"
ROOT = Path(__file__).parent.parent
END = datetime(2026, 1, 5, tzinfo=UTC)
COMMENTED = re.compile(r"^#(?=\S)", re.MULTILINE)
"""What stands before each line of an example in config/budgets.toml."""
ODD_BUDGET = """
[[budget]]
name = "odd"
amount_usd = 0.01
period = "week"
scope = { team = '"{start}\\', mission = "it's", environment = "" }
"""
IN_GRAFANA = {
    "$__timeFrom()": "datetime(2026-01-04T00:00:00Z)",
    "$__timeTo()": "datetime(2026-01-05T00:00:00Z)",
    "$__interval": "60000ms",
}
VARIABLE = re.compile(r"'?\$\{\w+:\w+\}'?")
FENCED = re.compile(r"^ *```kusto\n(.*?)^ *```", re.DOTALL | re.MULTILINE)


def declare(parser: ArgumentParser) -> None:
    """Take no arguments of its own."""


def run(given: Namespace, desk: Desk) -> int:
    """Print the queries of rules, budgets and costs with times bound, then those of the docs."""
    for name, query in (
        *_of_rules(),
        *_of_native(),
        *_of_budgets(),
        *_of_costs(),
        *_of_work(),
        *_of_panels(),
        *_of_pages(),
    ):
        desk.terminal.say(json.dumps({"name": name, "query": query}))
    return 0


def _of_rules() -> Iterator[tuple[str, str]]:
    """Yield the query of each condition of each rule."""
    for rule in (*read_rules(ROOT / "config"), TELEMETRY_STALE):
        yield from _of_rule(rule)


def _of_rule(rule: Rule) -> Iterator[tuple[str, str]]:
    for condition in rule.conditions:
        bound = bind(condition.query, END - condition.window, END, condition.calendar)
        yield f"{rule.key} {condition.name}", bound
    if rule.contributors:
        main = rule.conditions[0]
        bound = bind(rule.contributors, END - main.window, END, main.calendar)
        yield f"{rule.key} contributors", bound


def _of_native() -> Iterator[tuple[str, str]]:
    """Yield the query of each rule as `ops export-rules` writes it."""
    with empty_tables(SystemClock()) as columns:
        for rule in read_rules(ROOT / "config"):
            alert = native(rule, columns, END)
            if isinstance(alert, Native):
                yield f"{rule.key} native", alert.query


def _of_budgets() -> Iterator[tuple[str, str]]:
    """Yield what the rules of example budgets and GET /api/budgets ask."""
    text = COMMENTED.sub("", (ROOT / "config" / "budgets.toml").read_text(encoding="utf-8"))
    for budget in parse_budgets(text + ODD_BUDGET, "budgets.toml"):
        for rule in rules_of(budget):
            yield from _of_rule(rule)
        start = END - budget.calendar.longest
        yield f"budget {budget.name}", bind(budget_query(budget), start, END)


def _of_costs() -> Iterator[tuple[str, str]]:
    """Yield what GET /api/costs, `ops reprice`, `ops export` and `ops alerts` ask."""
    queries = dict(_of_questions())
    queries |= {"costs unpriced": unpriced_query(), "reprice page": ROWS + CALLS}
    queries |= {"alerts report": QUALITY, "alerts known": KNOWN}
    queries |= {"export page": rows_of(["llm.call", ADJUSTMENT]) + KEPT}
    queries |= {f"count {step}": ROWS + COUNTED.replace("{step}", step) for step, _ in STEPS}
    for name, query in queries.items():
        yield name, bind(query, END - timedelta(days=1), END)


def _of_questions() -> Iterator[tuple[str, str]]:
    """Yield what GET /api/costs asks: by each dimension, in each order and width of buckets."""
    asked = free(Period(END - timedelta(days=1), END), END)
    for name in SPLIT_BY:
        yield f"costs by {name}", spent_query(Question(asked.period, (name,)))
    for sort in SORTS:
        yield (
            f"costs sorted by {sort}",
            spent_query(Question(asked.period, ("team", "model"), sort=sort, before=asked.before)),
        )
    odd = Scope({"team": ('"{start}\\\n', "")}, {"cost_status": ("unknown",)})
    for width in WIDTHS:
        buckets = Buckets(width, "Europe/Berlin")
        yield (
            f"costs by {width}",
            spent_query(Question(asked.period, scope=odd, buckets=buckets, before=asked.before)),
        )


def _of_work() -> Iterator[tuple[str, str]]:
    """Yield what GET /api/traces, /api/missions and /api/conversations ask."""
    period, odd = Period(END - timedelta(days=1), END), Scope({"team": ('"{start}\\\n', "")})
    for kind in COLUMNS:
        for sort in WORK_SORTS:
            query = work_query(kind, CallQuestion(period, odd, sort))
            yield f"{kind}s by {sort}", bind(query, period.start, period.end)


def _of_panels() -> Iterator[tuple[str, str]]:
    """Yield what Grafana asks, its macros and variables replaced as it does."""
    for page in read_pages():
        for panel in page.panels:
            query = bind_panel(panel.query, GRAFANA)
            for macro, text in IN_GRAFANA.items():
                query = query.replace(macro, text)
            yield f"grafana {panel.name}", VARIABLE.sub("'*'", query)


def _of_pages() -> Iterator[tuple[str, str]]:
    """Yield each fenced query of the runbooks, docs/costs.md and docs/alert-quality.md."""
    docs = ROOT / "docs"
    for page in (
        *sorted((docs / "runbooks").glob("*.md")),
        docs / "costs.md",
        docs / "alert-quality.md",
    ):
        for number, query in enumerate(FENCED.findall(page.read_text(encoding="utf-8")), 1):
            yield f"{page.name} {number}", query
