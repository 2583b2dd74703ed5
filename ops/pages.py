"""Show the pages that wait, and stored alert state that cannot be read; remove what is of no use.

A page waits until it is taken: `said` is the receiver's last answer. Drop one only when no one can
use it any more, such as the resolve of an incident that you closed by hand. What cannot be read was
written by another edition or damaged; all else went on without it.
"""

from argparse import ArgumentParser, Namespace

from ops.console.alert_store import open_office
from ops.console.command import Desk
from ops.console.watch import declare_watch
from shared.errors import Misconfigured
from shared.usecases.explaining.outbox import Outbox

EXAMPLES = """\
  bin/ops pages list
  bin/ops pages list --json
  bin/ops pages drop 20261130120000000000-6f1c0d2b7e55"""
COLUMNS = ("id", "kind", "rule", "since", "receiver", "attempts", "said")


def declare(parser: ArgumentParser) -> None:
    """Add what to do, and with which."""
    parser.add_argument("action", choices=("list", "drop"))
    parser.add_argument("ids", nargs="*", metavar="ID", help="for drop")
    declare_watch(parser)


def run(given: Namespace, desk: Desk) -> int:
    """Show them, or remove those that are named."""
    if given.action == "drop" and not given.ids:
        raise Misconfigured("Name the id to drop. `bin/ops pages list` shows them.")
    with open_office(desk.environment) as office:
        outbox = Outbox(office.storage.alerts, office.storage.set_aside)
        for id in given.ids if given.action == "drop" else ():
            outbox.drop(id, desk.clock.now())
            desk.terminal.note(f"{id} is removed.")
        shown = outbox.listed()
    if given.json:
        desk.terminal.json(shown)
    else:
        desk.terminal.table(COLUMNS, [[str(one[name]) for name in COLUMNS] for one in shown])
    return 0
