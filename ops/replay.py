"""Run recorded events through the whole pipeline under a simulated clock.

EVENTS holds events, one a line, as they were POSTed; PLAN says from when to when, and what goes
wrong meanwhile. OUT gets what the alerts did, what PagerDuty got, and what the calls cost.
Nothing leaves this process. docs/replay.md shows the files.
"""

import json
import logging
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path

from ops.console.command import Desk
from ops.console.terminal import Terminal
from replay.costs import Costs
from replay.outcome import outcome
from replay.plan import Plan, read_plan
from replay.recording import Refused, read_recording
from replay.run import Happened, replay
from replay.world import Config
from shared.adapters.config.config_folder import read_text, rules_of
from shared.alerting.grouping import parse_routes
from shared.errors import Misconfigured
from shared.settings import Settings

EXAMPLES = """\
  bin/ops replay --events events.jsonl --plan plan.json --out out.json
  bin/ops replay --events events.jsonl.gz --plan plan.json --rules my-rules \\
      --out out.json --json"""
SHOWN = 10


def declare(parser: ArgumentParser) -> None:
    """Add what is replayed, by which rules and prices, and where the outcome goes."""
    for name, file, what in (
        ("events", "EVENTS", "the events, one a line; .gz too"),
        ("plan", "PLAN", "the plan, JSON"),
        ("out", "OUT", "where to write the outcome, JSON"),
    ):
        parser.add_argument(f"--{name}", type=Path, required=True, metavar=file, help=what)
    for name, file in (("rules", "DIR"), ("prices", "FILE"), ("routes", "FILE")):
        own = name if name == "rules" else f"{name}.toml"
        what = f"instead of {own} of AGENTMETER_CONFIG (config)"
        parser.add_argument(f"--{name}", type=Path, metavar=file, help=what)


def run(given: Namespace, desk: Desk) -> int:
    """Replay; 1 when a rule could not be evaluated though the plan does not say so."""
    logging.getLogger("shared").addHandler(logging.NullHandler())
    config = _config(given, desk.environment)
    plan = read_plan(given.plan).at_the_pace_of(config.rules)
    recording = read_recording(given.events)
    began = desk.clock.now()
    with desk.terminal.progress("ticks", plan.ticks) as ticked:
        happened = replay(plan, config, recording.events, ticked)
    found = outcome(plan, happened)
    _write(given.out, found)
    if given.json:
        desk.terminal.json(found)
    else:
        _print(desk.terminal, plan, happened, (desk.clock.now() - began).total_seconds())
    refused = sorted((*recording.refused, *happened.refused), key=lambda one: one.number)
    _complain(desk.terminal, refused, happened.failed)
    return 1 if happened.failed else 0


def _config(given: Namespace, environment: Mapping[str, str]) -> Config:
    """Read the files that were named, the operator's own for the others."""
    default: Path = Settings.model_fields["AGENTMETER_CONFIG"].default
    folder = Path(environment.get("AGENTMETER_CONFIG") or default)
    routes = given.routes or folder / "routes.toml"
    return Config(
        rules=rules_of(given.rules or folder / "rules"),
        routes=parse_routes(read_text(routes), routes.name),
        prices=read_text(given.prices or folder / "prices.toml"),
    )


def _write(path: Path, found: Mapping[str, object]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as exc:
        raise Misconfigured(f"{path} cannot be written ({exc}). Name another --out.") from exc


def _print(terminal: Terminal, plan: Plan, happened: Happened, took_s: float) -> None:
    """Sum up for a person."""
    terminal.say(
        f"Replayed {plan.duration_s / 3600:.1f} h in {took_s:.1f} s: {happened.posted:,} events, "
        f"{plan.ticks:,} ticks"
    )
    changes = [
        (c.transition.at, c.rule, c.transition.state, _labels(c.transition.series))
        for c in happened.changes
    ]
    if changes:
        terminal.table(("at", "alert", "became", "labels"), changes)
    calls = [
        (c.at, c.page.rule, c.page.action, c.status, c.page.summary) for c in happened.attempts
    ]
    if calls:
        terminal.table(("at", "alert", "PagerDuty received", "status", "summary"), calls)
    else:
        terminal.say("No page was sent.")
    terminal.say(_spent(happened.bill.total))


def _labels(series: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in series.items())


def _spent(costs: Costs) -> str:
    """Say what the calls cost, and of how many that is not known."""
    usd = "an unknown sum" if costs.usd is None else f"${costs.usd:,.2f}"
    unknown = costs.statuses.get("unknown", 0)
    rest = f"; {unknown:,} of them have no price" if unknown else ""
    return f"{costs.calls:,} model calls cost {usd}{rest}."


def _complain(terminal: Terminal, refused: Sequence[Refused], failed: Mapping[str, str]) -> None:
    """Name what was not taken and what could not be evaluated."""
    for one in refused[:SHOWN]:
        terminal.note(f"line {one.number} was refused: {one.why}")
    if len(refused) > SHOWN:
        terminal.note(f"and {len(refused) - SHOWN:,} more lines were refused.")
    for rule, why in failed.items():
        terminal.note(f"{rule} could not be evaluated: {why}")
