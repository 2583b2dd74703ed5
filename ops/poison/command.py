"""Look at what was set aside, and give it to the processor again.

A message comes here when it failed too often, an event when Azure Monitor refused it. Nothing is
lost meanwhile: mend the cause, then replay. What was counted before is not counted again.
"""

from argparse import ArgumentParser, Namespace
from collections import Counter

from ops.console.command import Desk
from ops.console.watch import declare_watch
from ops.poison.queues import Poisoned, PoisonQueue, find_queue
from shared.errors import GiveUp
from shared.events.message import after_deliveries, decode
from shared.usecases.processing.requeue import LAST_DELIVERY

EXAMPLES = """\
  python -m ops poison list
  python -m ops poison replay --all
  python -m ops poison replay 6f1c… 2b7e…"""


def declare(parser: ArgumentParser) -> None:
    """Add what to do, and with which messages."""
    parser.add_argument("what", choices=("list", "replay"), help="look, or give it back")
    parser.add_argument("ids", nargs="*", metavar="ID", help="with replay: these messages")
    parser.add_argument("--all", action="store_true", help="with replay: every message")
    declare_watch(parser)


def run(given: Namespace, desk: Desk) -> int:
    """Do it; exit 1 when a message that was named is not there, or one cannot be read."""
    queue = find_queue(desk.environment)
    if given.what == "list":
        return _list(queue, given, desk)
    if bool(given.ids) == given.all:
        desk.terminal.note("Say which: the ids of `ops poison list`, or --all.")
        return 2
    return _replay(queue, given, desk)


def _list(queue: PoisonQueue, given: Namespace, desk: Desk) -> int:
    """Print what is there."""
    rows = [_describe(message) for message in queue.messages(hide=False)]
    if given.json:
        desk.terminal.json(rows)
    elif rows:
        desk.terminal.table(tuple(rows[0]), [tuple(row.values()) for row in rows])
    else:
        desk.terminal.say("The poison queue is empty.")
    return 0


def _describe(poisoned: Poisoned) -> dict[str, object]:
    """Say what a message holds and why it is here."""
    about: dict[str, object] = {"id": poisoned.id, "since": poisoned.inserted_at}
    try:
        message = decode(poisoned.text)
    except GiveUp as exc:
        return about | {"events": 0, "kinds": "", "why": str(exc)}
    kinds = Counter(event.type for event in message.events)
    said = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    why = message.note or f"failed {LAST_DELIVERY} times; the log of process_events says why"
    return about | {"events": len(message.events), "kinds": said, "why": why}


def _replay(queue: PoisonQueue, given: Namespace, desk: Desk) -> int:
    """Give messages back, and say what became of each."""
    left, done, unreadable = set[str](given.ids), 0, 0
    for poisoned in queue.messages(hide=True):
        if not given.all and poisoned.id not in left:
            continue
        left.discard(poisoned.id)
        try:
            text = after_deliveries(decode(poisoned.text), LAST_DELIVERY)
        except GiveUp as exc:
            unreadable += 1
            desk.terminal.note(f"{poisoned.id} stays: {exc}")
            continue
        done += queue.put_back(poisoned, text)
    for gone in sorted(left):
        desk.terminal.note(f"{gone} is not in the poison queue. `ops poison list` shows what is.")
    if given.json:
        desk.terminal.json({"replayed": done, "unreadable": unreadable, "missing": sorted(left)})
    else:
        desk.terminal.say(f"{done} messages are with the processor again.")
    return 1 if left or unreadable else 0
