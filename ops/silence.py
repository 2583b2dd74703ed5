"""Mute alerts for a while: list the silences, add one, end one.

An open incident stays open and is resolved as ever; what is muted are pages about what is wrong.
Matchers are name=value, or with !=, =~ or !~; a regular expression matches the whole value. The
names are an alert's labels, alertname and severity; a silence needs all of its matchers.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import cast

from ops.console.api import call
from ops.console.command import Desk
from ops.console.moments import moment, span
from ops.console.stack import declare_api, find_api
from ops.console.watch import declare_watch
from shared.errors import Misconfigured

EXAMPLES = """\
  bin/ops silence list
  bin/ops silence add alertname=HighErrorRate --for 2h --comment "deploying"
  bin/ops silence add 'alertname=~"High.*"' severity=warning --for 30d \\
      --days sat,sun --between 22:00-06:00 --zone Europe/Berlin
  bin/ops silence end 4f1d0c62a7be"""
PATH = "/api/silences"
COLUMNS = ("id", "state", "matchers", "starts_at", "ends_at", "recurrence", "author", "comment")


def declare(parser: ArgumentParser) -> None:
    """Add what to do, and what a new silence says."""
    parser.add_argument("action", choices=("list", "add", "end"))
    parser.add_argument("what", nargs="*", metavar="MATCHER | ID", help="for add; for end")
    parser.add_argument("--from", dest="start", type=moment, metavar="ISO", help="default: now")
    parser.add_argument("--to", dest="end", type=moment, metavar="ISO", help="when it ends")
    parser.add_argument(
        "--for",
        dest="span",
        type=span,
        default=timedelta(hours=1),
        metavar="SPAN",
        help="without --to: how long, as 90s, 15m, 1h (default), 7d",
    )
    parser.add_argument("--days", metavar="DAYS", help="only then: mon,tue,wed,thu,fri,sat,sun")
    parser.add_argument("--between", metavar="HH:MM-HH:MM", help="only at this time of day")
    parser.add_argument("--zone", default="UTC", help="whose clock --between goes by; default: UTC")
    parser.add_argument("--author", help="who asks for it; default: USER")
    parser.add_argument("--comment", default="", help="why")
    declare_api(parser)
    declare_watch(parser)


def run(given: Namespace, desk: Desk) -> int:
    """Do it and show the silences that it is about."""
    api = find_api(given.url, given.key, desk.environment)
    if given.action == "list":
        shown = call(api, "GET", PATH)["silences"]
    elif given.action == "add":
        shown = [call(api, "POST", PATH, _silence(given, desk))]
    else:
        shown = [call(api, "DELETE", f"{PATH}/{id}") for id in _named(given.what, "the id to end")]
    if given.json:
        desk.terminal.json(shown)
    else:
        desk.terminal.table(COLUMNS, [[_cell(one[name]) for name in COLUMNS] for one in shown])
    return 0


def _silence(given: Namespace, desk: Desk) -> dict[str, object]:
    """Return the body that asks for the silence."""
    start = given.start or desk.clock.now()
    return {
        "matchers": _named(given.what, "at least one matcher"),
        "starts_at": start.isoformat(),
        "ends_at": (given.end or start + given.span).isoformat(),
        "author": given.author or desk.environment.get("USER") or "unknown",
        "comment": given.comment,
        "recurrence": _recurrence(given),
    }


def _recurrence(given: Namespace) -> dict[str, object] | None:
    """Return at which times of the week, None for all of them."""
    if not given.days and not given.between:
        return None
    start, dash, end = (given.between or "00:00-00:00").partition("-")
    if not dash:
        raise Misconfigured(f"--between {given.between} has no end. Write it as 22:00-06:00.")
    days = {"days": given.days.split(",")} if given.days else {}
    return {**days, "from": start, "to": end, "zone": given.zone}


def _named(what: Sequence[str], wanted: str) -> Sequence[str]:
    if not what:
        raise Misconfigured(f"Name {wanted}. `bin/ops silence --help` shows examples.")
    return what


def _cell(value: object) -> str:
    """Write matchers and recurrences as one would type them."""
    if isinstance(value, list):
        return " ".join(map(str, cast("list[object]", value)))
    if isinstance(value, Mapping):
        times = cast("Mapping[str, object]", value)
        return f"{_cell(times['days'])} {times['from']}-{times['to']} {times['zone']}"
    return str(value or "")
