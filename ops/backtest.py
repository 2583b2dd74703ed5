"""Try alert rules on what has been: would they have fired, when, and how often.

The events of the period are read from the log once, and the rules see them minute by minute in this
process, through the same state machine as in production. Budgets, silences and maintenance windows
are left out. With --against, a second folder of rules is tried on the same events.
"""

import logging
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

from ops.console.command import Desk
from ops.console.moments import moment, span
from ops.console.monitor import find_log
from ops.console.past_rows import PAGE_ROWS, ROWS, read_rows
from ops.console.patient_log import PatientLog
from ops.console.prices_folder import declare_folder, find_folder
from ops.console.terminal import Terminal
from ops.console.weekly import LEAST, weekly, written
from replay.history import Episode, Follower, Past, follow
from replay.plan import MINUTE, Plan
from replay.world import Config
from shared.adapters.config.config_folder import read_routes, read_text, rules_of
from shared.alerting.rule import Rule
from shared.alerting.schedule import floor
from shared.errors import Misconfigured
from shared.usecases.spending.log_slices import Paging
from shared.usecases.spending.period import Period

EXAMPLES = """\
  bin/ops backtest
  bin/ops backtest --from 2026-11-01 --to 2026-11-08 --rule HighErrorRate
  bin/ops backtest --last 7d --rules my-rules --against config/rules --json"""
COLUMNS = ("rule", "labels", "since", "fired", "told", "ended", "peak")


def declare(parser: ArgumentParser) -> None:
    """Add the period and the rules."""
    parser.add_argument("--from", dest="start", type=moment, metavar="ISO", help="from then on")
    parser.add_argument("--to", dest="end", type=moment, metavar="ISO", help="until; default: now")
    parser.add_argument(
        "--last",
        type=span,
        default=timedelta(hours=24),
        metavar="SPAN",
        help="without --from: so long before the end, as 90m, 24h (default), 7d",
    )
    parser.add_argument("--rules", type=Path, metavar="DIR", help="instead of the config's rules")
    parser.add_argument("--against", type=Path, metavar="DIR", help="compare with these rules")
    parser.add_argument(
        "--rule", action="append", default=[], metavar="NAME", help="this one alone; repeatable"
    )
    parser.add_argument(
        "--delay",
        type=span,
        default=timedelta(0),
        metavar="SPAN",
        help="rows were found so much later",
    )
    parser.add_argument("--workspace", metavar="ID", help="this Log Analytics workspace")
    declare_folder(parser)


def run(given: Namespace, desk: Desk) -> int:
    """Try the rules; 1 when one could not be evaluated."""
    logging.getLogger("shared").addHandler(logging.NullHandler())
    period = _period(given, desk.clock.now())
    folder = find_folder(given, desk.environment)
    folders = [given.rules or folder / "rules", *([given.against] if given.against else [])]
    chosen = [_rules(one, given.rule) for one in folders]
    name, log = find_log(given.workspace, desk.environment)
    patient = PatientLog(log, desk.clock, desk.pause, desk.terminal.note)
    desk.terminal.note(f"backtest: events of {name}")
    plan = _plan(period, given.delay).at_the_pace_of([rule for rules in chosen for rule in rules])
    routes, prices = read_routes(folder), read_text(folder / "prices.toml")
    followers = [Follower(Config(rules, routes, prices), plan) for rules in chosen]
    paging = Paging(patient, desk.clock, ROWS, PAGE_ROWS)
    pages = paging.pages(Period(period.start - _longest(chosen), period.end))
    known = _known(paging, period)
    with desk.terminal.progress("runs", plan.ticks) as ticked:
        pasts = follow(plan, followers, read_rows(paging, pages), ticked)
    tried = list(zip(map(str, folders), chosen, pasts, strict=True))
    if given.json:
        desk.terminal.json(
            {
                "from": period.start,
                "to": period.end,
                "known_s": known.total_seconds(),
                "events": sum(page.rows for page in pages),
                "tried": [_machine(*one, known) for one in tried],
            }
        )
    else:
        _print(desk.terminal, tried, period, known)
    for rule, why in ((rule, why) for past in pasts for rule, why in past.failed.items()):
        desk.terminal.note(f"{rule} could not be evaluated: {why}")
    return 1 if any(past.failed for past in pasts) else 0


def _period(given: Namespace, now: datetime) -> Period:
    """Return the whole minutes that are meant."""
    end = floor(given.end or now, MINUTE)
    start = floor(given.start or end - given.last, MINUTE)
    if start >= end:
        raise Misconfigured(f"--from {start:%FT%TZ} is not before --to {end:%FT%TZ}. Swap them.")
    return Period(start, end)


def _rules(folder: Path, names: Sequence[str]) -> list[Rule]:
    """Return the rules of the folder, those of these names alone where any is named."""
    rules = rules_of(folder)
    known = {name for rule in rules for name in (rule.name, rule.key)}
    if unknown := [name for name in names if name not in known]:
        raise Misconfigured(f"{folder} has no rule {unknown[0]}. Name one of its files by --rule.")
    return [rule for rule in rules if not names or {rule.name, rule.key} & set(names)]


def _known(paging: Paging, period: Period) -> timedelta:
    """Return how much of the period the log holds: it may begin later."""
    (row,) = paging.ask("| summarize First = min(At)", period)
    return period.end - cast("datetime", row["First"] or period.end)


def _longest(chosen: Sequence[Sequence[Rule]]) -> timedelta:
    """Return how far back the windows of the first minute reach."""
    conditions = (condition for rules in chosen for rule in rules for condition in rule.conditions)
    return max(condition.window + condition.offset for condition in conditions)


def _plan(period: Period, delay: timedelta) -> Plan:
    length_s = (period.end - period.start).total_seconds()
    stated = {"start": period.start, "duration_s": length_s}
    return Plan.model_validate({**stated, "ingest_delay_s": delay.total_seconds()})


def _machine(folder: str, rules: Sequence[Rule], past: Past, known: timedelta) -> dict[str, object]:
    return {
        "rules": folder,
        "episodes": [{**asdict(one), "detection_s": _detection_s(one)} for one in past.episodes],
        "pages": {rule.key: past.triggers(rule.key) for rule in rules},
        "pages_a_week": {rule.key: weekly(past.triggers(rule.key), known) for rule in rules},
        "failed": past.failed,
    }


def _detection_s(one: Episode) -> float | None:
    """Return how long it took from when the rule was first true to the page."""
    return None if one.told_at is None else (one.told_at - one.since).total_seconds()


def _print(
    terminal: Terminal,
    tried: Sequence[tuple[str, Sequence[Rule], Past]],
    period: Period,
    known: timedelta,
) -> None:
    """Write it for a person: what each set of rules would have done, then how many pages, and how
    many in a week where the log holds a day or more."""
    for folder, _, past in tried:
        terminal.say(f"{folder}, {period.start:%FT%TZ} to {period.end:%FT%TZ}:")
        rows = [_row(one) for one in past.episodes]
        if rows:
            terminal.table(COLUMNS, rows)
        else:
            terminal.say("No alert would have fired.")
    keys = sorted({rule.key for _, rules, _ in tried for rule in rules})
    folders = [folder for folder, _, _ in tried]
    counts = {key: [past.triggers(key) for _, _, past in tried] for key in keys}
    terminal.table((f"pages in {written(known)}", *folders), [[k, *v] for k, v in counts.items()])
    if known >= LEAST:
        rates = [[key, *(weekly(n, known) for n in each)] for key, each in counts.items()]
        terminal.table(("pages a week", *folders), rates)


def _row(one: Episode) -> tuple[object, ...]:
    labels = ", ".join(f"{name}={value}" for name, value in one.labels.items())
    return (one.rule, labels, one.since, one.fired_at, one.told_at, one.ended_at, one.peak)
