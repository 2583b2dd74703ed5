"""Show the book of label values, and make room in it.

A label has room for LABEL_MAX_VALUES values, a metric for SERIES_MAX series; what comes on top
counts as `other`. Values that nothing used for a week make room by themselves; --free does so now,
and what is still sent joins again. Instances of the app follow within a quarter of an hour.
"""

from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

from ops.console.alert_store import Office, open_office
from ops.console.command import Desk
from shared.errors import GiveUp
from shared.store_ports import Use

EXAMPLES = """\
  bin/ops labels
  bin/ops labels model
  bin/ops labels model --free 'junk-*' gpt-typo
  bin/ops labels model --sender 3f2a9c01 --free '*'"""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def declare(parser: ArgumentParser) -> None:
    """Add the label, and which of its values go."""
    parser.add_argument("label", nargs="?", help="show the values of this one")
    parser.add_argument(
        "--free", nargs="+", metavar="VALUE", default=(), help="drop these; * and ? match any"
    )
    parser.add_argument("--sender", help="of this sender alone, as the table names it")


def run(given: Namespace, desk: Desk) -> int:
    """Show, or free and say how many; 1 where no value was as named.

    Raises:
        GiveUp: the book has no such label.
    """
    with open_office(desk.environment) as office:
        books = office.storage.labels.all(desk.clock.now())
        if given.label is None:
            return _table([_summary(name, books[name]) for name in sorted(books)], given, desk)
        if given.label not in books:
            raise GiveUp(f"The book has no label {given.label}. `ops labels` lists all.")
        chosen = {
            value: use
            for value, use in books[given.label].items()
            if given.sender in (None, use.sender)
        }
        if given.free:
            return _free(given, desk, office, list(chosen))
        rows = sorted(chosen.items(), key=lambda item: (-item[1].hour, item[0]))
        return _table([_shown(value, use) for value, use in rows], given, desk)


def _free(given: Namespace, desk: Desk, office: Office, values: Sequence[str]) -> int:
    wanted = [v for v in values if any(fnmatchcase(v, pattern) for pattern in given.free)]
    freed = office.storage.labels.free(given.label, wanted, desk.clock.now()) if wanted else ()
    if given.json:
        desk.terminal.json({"label": given.label, "freed": sorted(freed)})
    desk.terminal.note(f"labels: {len(freed)} values of {given.label} in {office.name} are free.")
    return 0 if freed else 1


def _summary(label: str, book: Mapping[str, Use]) -> dict[str, object]:
    senders = Counter(use.sender or "unknown" for use in book.values())
    (most,) = senders.most_common(1) or [("", 0)]
    return {
        "label": label,
        "values": len(book),
        "senders": len(senders),
        "most from": most[0],
        "of them": most[1],
        "last used": _hour(max((use.hour for use in book.values()), default=0)),
    }


def _shown(value: str, use: Use) -> dict[str, object]:
    return {"value": value, "last used": _hour(use.hour), "sender": use.sender or "unknown"}


def _hour(hour: int) -> datetime:
    return EPOCH + timedelta(hours=hour)


def _table(rows: Sequence[Mapping[str, object]], given: Namespace, desk: Desk) -> int:
    if given.json:
        desk.terminal.json(rows)
    elif rows:
        desk.terminal.table(tuple(rows[0]), [tuple(row.values()) for row in rows])
    else:
        desk.terminal.note("labels: There are none.")
    return 0
