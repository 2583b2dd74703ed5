"""Hold our prices against two independent sources, model by model.

Each model agrees with both, or is settled by the vendor's own figures, or its cost is an estimate
that names why, or unknown. One that is none of these is open, and the exit code is 1: look its
price up, and write the vendor's figures into ops/prices/audit.csv or a `[[price]]` or `[[doubt]]`
into config/prices.toml.
"""

from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from ops.console.command import Desk
from ops.console.prices_folder import declare_folder, find_folder
from ops.prices.audit import SOURCES, Audited, audit, written
from shared.adapters.config.config_folder import read_overrides
from shared.pricing.listed import Listing
from shared.pricing.price import Prices

EXAMPLES = """\
  bin/ops prices audit
  bin/ops prices audit --all
  bin/ops prices audit --json"""


def declare(parser: ArgumentParser) -> None:
    """Add what to do."""
    parser.add_argument("what", choices=("audit",), help="compare with what others say")
    parser.add_argument("--all", action="store_true", help="those that agree, too")
    declare_folder(parser)


def run(given: Namespace, desk: Desk) -> int:
    """Print the audit; 1 where a price is open."""
    overrides = read_overrides(find_folder(given, desk.environment))
    audited = list(audit(Prices(overrides, Listing())))
    if given.json:
        desk.terminal.json([_machine(one) for one in audited])
    else:
        shown = [one for one in audited if given.all or one.verdict != "agrees"]
        desk.terminal.table(COLUMNS, [row(one) for one in shown])
        desk.terminal.say(summary(audited))
    return 1 if any(one.verdict == "open" for one in audited) else 0


COLUMNS = ("seller", "model", "verdict", *SOURCES, "ours", "why")


def row(one: Audited) -> Sequence[str]:
    """Return what a person reads of one model."""
    stated = (written(one.told[name]) for name in SOURCES)
    ours = "" if one.ours is None else written(one.ours)
    why = ", ".join(one.missing) if one.verdict == "doubt" else one.vendor_source
    return (one.seller, one.model, one.verdict, *stated, ours, why)


def summary(audited: Sequence[Audited]) -> str:
    """Return the figures of the whole audit in a sentence."""
    counts = Counter(one.verdict for one in audited)
    each = ", ".join(f"{number} {verdict}" for verdict, number in sorted(counts.items()))
    return f"{len(audited)} models of {len({one.seller for one in audited})} sellers: {each}."


def _machine(one: Audited) -> dict[str, object]:
    """Return one model for a machine, figures as texts."""
    told = {name: written(rates) for name, rates in one.told.items()}
    ours = None if one.ours is None else written(one.ours)
    return {**asdict(one), "told": told, "ours": ours, "vendor": written(one.vendor)}
