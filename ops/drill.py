"""Send a real page for a rule, and see that it is taken and resolved.

The page says that it is a drill. It goes the way of the rule's own: the outbox, the timer of the
running app, the receiver of config/routes.toml. The next evaluation resolves it, also if this
command is stopped before. Where pages reach people, say --yes.
"""

from argparse import ArgumentParser, Namespace
from datetime import datetime, timedelta

from ops.console.alert_store import Office, open_office
from ops.console.command import Desk
from ops.console.prices_folder import declare_folder, find_folder
from shared.adapters.config.config_folder import read_routes, read_rules
from shared.alerting.outgoing import Settled
from shared.alerting.page import Accepted, Dropped, Page
from shared.alerting.rule import Rule
from shared.errors import GiveUp, Misconfigured, RetryLater
from shared.usecases.evaluation.self_watch import with_own
from shared.usecases.explaining.drill import Drill, Progress, named

EXAMPLES = """\
  bin/ops drill HighErrorRate
  bin/ops drill LowDatabaseConnections/warning --yes --json"""
PATIENCE = timedelta(minutes=5)
"""Two runs of the timer, and what a pager that is busy may add."""
LOOK_EVERY_S = 1.0
TRIES = 3


def declare(parser: ArgumentParser) -> None:
    """Add the rule, and the word that wakes people."""
    parser.add_argument("rule", metavar="RULE", help="its name, or name/severity")
    parser.add_argument("--yes", action="store_true", help="page the person on call")
    declare_folder(parser)


def run(given: Namespace, desk: Desk) -> int:
    """Page and wait; 1 where the page or its resolve was not taken in time."""
    folder = find_folder(given, desk.environment)
    routes = read_routes(folder)
    rule = named(with_own(lambda: read_rules(folder), lambda: routes.meta)(), given.rule)
    with open_office(desk.environment) as office:
        _agreed(office, given.yes)
        drill = Drill(office.storage.alerts, routes, office.sender)
        page, progress = _send(drill, rule, desk, TRIES)
    return _print(given, desk, page, progress)


def _agreed(office: Office, yes: bool) -> None:
    if not office.is_laptop and not yes:
        raise Misconfigured(
            f"A drill in {office.name} pages the person on call. Warn them, and add --yes."
        )


def _send(drill: Drill, rule: Rule, desk: Desk, tries: int) -> tuple[Page, Progress]:
    """Page and follow it; once more where the evaluation ended it before it was sent."""
    page = drill.start(rule, desk.clock.now())
    desk.terminal.note(f"drill: {page.summary!r} waits for the timer")
    progress = _follow(drill, page, desk)
    if tries > 1 and progress.opened and isinstance(progress.opened[1], Dropped):
        return _send(drill, rule, desk, tries - 1)
    return page, progress


def _follow(drill: Drill, page: Page, desk: Desk) -> Progress:
    """Look until the incident is over, or for too long."""
    give_up_at = page.created_at + PATIENCE
    is_noted = False
    try:
        while True:
            progress = drill.progress(page)
            if progress.opened and not is_noted:
                desk.terminal.note(f"drill: {_said(progress.opened)}; its resolve follows")
                is_noted = True
            if _is_over(progress) or desk.clock.now() >= give_up_at:
                return progress
            desk.pause(LOOK_EVERY_S)
    except KeyboardInterrupt:
        desk.terminal.note("drill: What was opened is resolved at the next evaluation.")
        raise


def _is_over(progress: Progress) -> bool:
    """Return whether nothing more will come."""
    if progress.opened and isinstance(progress.opened[1], Dropped):
        return True
    return progress.closed is not None


def _said(settled: Settled) -> str:
    page, outcome, _ = settled
    taken = isinstance(outcome, Accepted)
    return f"{page.action} {'taken by' if taken else 'not taken by'} {page.route}"


def _print(given: Namespace, desk: Desk, page: Page, progress: Progress) -> int:
    """Say when each step was, and what is wrong."""
    steps: list[tuple[str, datetime]] = [("written", page.created_at)]
    for settled in (progress.opened, progress.closed):
        if settled and isinstance(settled[1], Accepted):
            steps.append((_said(settled), settled[2]))
    after = [(what, at, (at - page.created_at).total_seconds()) for what, at in steps]
    if given.json:
        rows = [{"step": what, "at": at, "after_s": s} for what, at, s in after]
        answer = {"ok": len(steps) == 3, "summary": page.summary, "dedup_key": page.dedup_key}
        desk.terminal.json({**answer, "receiver": page.route, "steps": rows})
    else:
        desk.terminal.table(("step", "at", "after s"), after)
    if len(steps) == 3:
        return 0
    raise _failure(page, progress)


def _failure(page: Page, progress: Progress) -> RetryLater | GiveUp:
    said = progress.waiting or (progress.opened[0].last_status if progress.opened else "")
    last = f" It said: {said}" if said else ""
    return RetryLater(
        f"{page.route} did not take all within {PATIENCE.total_seconds() / 60:.0f} minutes.{last} "
        "See that the timer runs (GET /api/health/alerts); what waits goes out as soon as it can."
    )
