"""Shows what was set aside, and gives it to the processor again.

A message comes here when it failed too often, an event when it cannot be processed or Azure Monitor
refused it. Nothing is lost meanwhile: fix the cause, then replay. What was counted before is not
counted again. ID/NUMBER, as `show` prints it, is a single event of a message.
"""

from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from ops.console.command import Desk
from ops.console.watch import declare_watch
from ops.poison.queues import Poisoned, PoisonQueue, Put, find_queue
from shared.adapters.azure.poison_queue import POISON, QUEUE
from shared.errors import GiveUp
from shared.events.message import after_deliveries, decode
from shared.events.split import contents, singles
from shared.usecases.processing.requeue import LAST_DELIVERY

EXAMPLES = """\
  bin/ops poison list
  bin/ops poison show 6f1c…
  bin/ops poison replay --all
  bin/ops poison replay 6f1c… 2b7e…/3
  bin/ops poison drop 2b7e…/1
  bin/ops poison split 2b7e…"""
SHOWN_CHARS = 60
DONE = {
    "replay": ("replayed", "{} messages are with the processor again."),
    "drop": ("dropped", "{} messages are deleted."),
    "split": ("split", "{} messages are split: a message for each event."),
}


def declare(parser: ArgumentParser) -> None:
    """Add what to do, and with which messages."""
    parser.add_argument(
        "what",
        choices=("list", "show", "replay", "drop", "split"),
        help="show, replay, delete, or make a message of each event",
    )
    parser.add_argument("ids", nargs="*", metavar="ID[/NUMBER]", help="these messages or events")
    parser.add_argument("--all", action="store_true", help="every message")
    declare_watch(parser)


def run(given: Namespace, desk: Desk) -> int:
    """Do it; exit 1 when a message that was named is not there, or one cannot be read."""
    queue = find_queue(desk.environment)
    if given.what == "list":
        return _table([_describe(message) for message in queue.messages(hide=False)], given, desk)
    if bool(given.ids) == given.all:
        desk.terminal.note("Say which: the ids of `ops poison list`, or --all.")
        return 2
    wanted = Wanted(given.ids)
    if given.what == "show":
        rows = [row for message in queue.messages(hide=True) for row in _show(message, wanted)]
        return _missing(wanted, desk) or _table(rows, given, desk)
    return _change(queue, wanted, given, desk)


@dataclass(slots=True)
class Wanted:
    """What an operator named, all for no ids. left: what was not found yet."""

    ids: Sequence[str]
    left: set[str] = field(default_factory=set[str])

    def __post_init__(self) -> None:
        self.left = set(self.ids)

    def parts(self, message: Poisoned, count: int) -> Sequence[int]:
        """Return the places of the named events among the message's, from 0; all where it is
        named as a whole."""
        names = {f"{message.id}/{place + 1}": place for place in range(count)}
        if not self.ids or message.id in self.ids:
            self.left -= {message.id, *names}
            return range(max(count, 1))
        found = [place for name, place in names.items() if name in self.left]
        self.left -= names.keys()
        return found


def _table(rows: Sequence[dict[str, object]], given: Namespace, desk: Desk) -> int:
    """Print the rows."""
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
        return about | {"events": len(contents(poisoned.text)), "kinds": "", "why": str(exc)}
    kinds = Counter(event.type for event in message.events)
    said = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    why = message.note or f"failed {LAST_DELIVERY} times; the log of process_events says why"
    return about | {"events": len(message.events), "kinds": said, "why": why}


def _show(poisoned: Poisoned, wanted: Wanted) -> Iterator[dict[str, object]]:
    """Yield a row for each of the wanted events; one for a message that is none of ours."""
    events = contents(poisoned.text)
    for place in wanted.parts(poisoned, len(events)):
        if not events:
            yield {"event": poisoned.id, "type": "", "id": "", "source": "", "time": "", "data": ""}
            continue
        stated = events[place]
        named = {name: str(stated.get(name, ""))[:SHOWN_CHARS] for name in ("type", "id", "source")}
        said = str(stated.get("data", stated.get("name", "")))[: 5 * SHOWN_CHARS]
        time = str(stated.get("time", ""))
        yield {"event": f"{poisoned.id}/{place + 1}", **named, "time": time, "data": said}


def _change(queue: PoisonQueue, wanted: Wanted, given: Namespace, desk: Desk) -> int:
    """Replay, drop or split messages, and say what became of each."""
    done, unreadable = 0, 0
    # All are read first: what is put back into the queue must not be found there again.
    for poisoned in list(queue.messages(hide=True)):
        texts = singles(poisoned.text)
        chosen = wanted.parts(poisoned, len(contents(poisoned.text)))
        if not chosen:
            continue
        try:
            puts = PUTS[given.what](poisoned.text, texts, chosen)
        except GiveUp as exc:
            unreadable += 1
            desk.terminal.note(f"{poisoned.id} stays: {exc}")
            continue
        done += queue.replace(poisoned, puts)
    code, (name, sentence) = _missing(wanted, desk), DONE[given.what]
    if given.json:
        counts = {"unreadable": unreadable, "missing": sorted(wanted.left)}
        desk.terminal.json({name: done, **counts})
    else:
        desk.terminal.say(sentence.format(done))
    return 1 if unreadable else code


def _missing(wanted: Wanted, desk: Desk) -> int:
    """Name what was not there; return the exit code."""
    for gone in sorted(wanted.left):
        desk.terminal.note(f"{gone} is not in the poison queue. `ops poison list` shows what is.")
    return 1 if wanted.left else 0


def _replay(text: str, texts: Sequence[str], chosen: Sequence[int]) -> Sequence[Put]:
    """Give the message back, or the chosen events; the others stay, each alone."""
    if len(chosen) == len(texts):
        return [(QUEUE, after_deliveries(decode(text), LAST_DELIVERY))]
    given = [(QUEUE, after_deliveries(decode(texts[place]), LAST_DELIVERY)) for place in chosen]
    return [*given, *_drop(text, texts, chosen)]


def _drop(text: str, texts: Sequence[str], chosen: Sequence[int]) -> Sequence[Put]:
    """Keep what is not chosen, each event alone."""
    return [(POISON, kept) for place, kept in enumerate(texts) if place not in chosen]


def _split(text: str, texts: Sequence[str], chosen: Sequence[int]) -> Sequence[Put]:
    """Keep each event alone."""
    return [(POISON, single) for single in texts]


PUTS: dict[str, Callable[[str, Sequence[str], Sequence[int]], Sequence[Put]]] = {
    "replay": _replay,
    "drop": _drop,
    "split": _split,
}
