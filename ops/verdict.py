"""Say whether an alert was right to page: real, noise, duplicate or unclear.

The verdict is about the episode that goes on, or the last one; a later one takes its place.
`bin/ops alerts report` shows the share of noise of each rule.
"""

from argparse import ArgumentParser, Namespace
from typing import get_args
from urllib.parse import quote

from ops.console.api import call
from ops.console.command import Desk
from ops.console.stack import declare_api, find_api
from ops.why.command import ALERT_HELP
from shared.alerting.history import Opinion

EXAMPLES = """\
  bin/ops verdict HighErrorRate real
  bin/ops verdict HighErrorRate.critical.4f53cda18c2b noise --note "a load test" """


def declare(parser: ArgumentParser) -> None:
    """Add which alert, and what is said of it."""
    parser.add_argument("alert", metavar="ALERT", help=ALERT_HELP)
    parser.add_argument("verdict", choices=get_args(Opinion))
    parser.add_argument("--note", default="", help="why")
    parser.add_argument("--by", help="who says so; default: USER")
    declare_api(parser)


def run(given: Namespace, desk: Desk) -> int:
    """Give the verdict and show it."""
    api = find_api(given.url, given.key, desk.environment)
    by = given.by or desk.environment.get("USER") or ""
    body = {"verdict": given.verdict, "note": given.note, "by": by}
    kept = call(api, "POST", f"/api/alerts/{quote(given.alert, safe='')}/verdict", body)
    if given.json:
        desk.terminal.json(kept)
    else:
        desk.terminal.table(tuple(kept), [tuple(kept.values())])
    return 0
