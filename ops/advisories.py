"""Check what is deployed against known faults of its packages, without a network.

advisories.json holds them in the form of OSV, for the packages of requirements.txt alone, and says
from when they are. `--from` writes it anew, from a clone of github.com/pypa/advisory-database or
any folder of OSV files.
"""

import json
import re
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import chain
from pathlib import Path
from typing import cast

import yaml
from packaging.requirements import Requirement
from packaging.version import Version
from pydantic import BaseModel, Field, ValidationError

from ops.console.command import Desk
from ops.console.lock import LOCK, locked, version_of
from shared.errors import Misconfigured

EXAMPLES = """\
  bin/ops advisories                              # exit code 1 where one is affected
  bin/ops advisories --from ../advisory-database  # take newer ones"""
FILE = Path(__file__).parent / "advisories.json"
OLD_DAYS = 90


class Package(BaseModel):
    """What an advisory is about."""

    ecosystem: str
    name: str


class Range(BaseModel):
    """Versions in their order: introduced, then fixed or last_affected, and so on."""

    type: str
    events: list[dict[str, str]]


class Affected(BaseModel):
    """The versions of a package that have the fault: of a range, or named."""

    package: Package
    ranges: list[Range] = []
    versions: list[str] = []

    def shortened(self) -> "Affected":
        """Return it without what a range of versions says as well."""
        ranges = [one for one in self.ranges if one.type == "ECOSYSTEM"]
        return Affected(
            package=self.package, ranges=ranges, versions=[] if ranges else self.versions
        )

    def holds(self, package: Requirement) -> bool:
        """Tell whether the pinned version has the fault."""
        if (self.package.ecosystem, _plain(self.package.name)) != ("PyPI", _plain(package.name)):
            return False
        version = version_of(package)
        ranges = (one for one in self.ranges if one.type == "ECOSYSTEM")
        return version in self.versions or any(_is_in(one.events, version) for one in ranges)


class Advisory(BaseModel):
    """A known fault, as OSV writes it; fields that decide nothing are left out."""

    id: str
    modified: str
    withdrawn: str = Field("", exclude=True)
    aliases: list[str] = []
    affected: list[Affected]


class Known(BaseModel):
    """The advisories, and when the newest change among all of their source was made."""

    as_of: str
    advisories: list[Advisory]


def declare(parser: ArgumentParser) -> None:
    """Declare where newer ones come from."""
    parser.add_argument("--from", dest="source", type=Path, metavar="FOLDER", help="of OSV files")


def run(given: Namespace, desk: Desk) -> int:
    """Check, after taking newer ones where they are given."""
    packages = locked(LOCK.read_text(encoding="utf-8"))
    if given.source:
        FILE.write_text(as_text(taken(given.source, packages)), encoding="utf-8")
    known = Known.model_validate_json(FILE.read_text(encoding="utf-8"))
    found = list(affected(known, packages))
    desk.terminal.table(("package", "version", "advisory", "also known as"), found)
    days = (desk.clock.now().date() - date.fromisoformat(known.as_of)).days
    desk.terminal.note(
        f"{len(packages)} packages, {len(known.advisories)} advisories about them, as of "
        f"{known.as_of}: {len(found)} apply."
        + f" They are {days} days old: take newer ones with --from."
        * (days > OLD_DAYS)
    )
    return 1 if found else 0


def as_text(known: Known) -> str:
    """Write them, one a line."""
    lines = (json.dumps(one.model_dump(exclude_defaults=True)) for one in known.advisories)
    body = ",\n".join(lines)
    return f'{{"as_of": "{known.as_of}", "advisories": [\n{body}\n]}}\n'


def affected(known: Known, packages: Sequence[Requirement]) -> Iterator[tuple[str, str, str, str]]:
    """Yield each package that has a known fault: name, version, advisory, its other names."""
    for package in packages:
        for one in known.advisories:
            if any(item.holds(package) for item in one.affected):
                yield package.name, version_of(package), one.id, ", ".join(one.aliases)


def taken(folder: Path, packages: Sequence[Requirement]) -> Known:
    """Return the advisories of a folder that are about these packages.

    Raises:
        Misconfigured: there are none.
    """
    names = {_plain(package.name) for package in packages}
    files = chain(folder.rglob("*.yaml"), folder.rglob("*.json"))
    found = [one for file in files if (one := _read(file)) and not one.withdrawn]
    if not found:
        raise Misconfigured(f"{folder} has no advisories. Give a folder of OSV files.")
    about = [one for one in found if any(_plain(a.package.name) in names for a in one.affected)]
    for one in about:
        one.affected = [item.shortened() for item in one.affected]
    newest = max(one.modified for one in found)
    return Known(as_of=newest[:10], advisories=sorted(about, key=lambda one: one.id))


def _read(file: Path) -> Advisory | None:
    """Return the file's advisory; None for one of another form. JSON is YAML, too."""
    try:
        said = cast("object", yaml.load(file.read_bytes(), yaml.CSafeLoader))
        return Advisory.model_validate(said)
    except (ValidationError, yaml.YAMLError):
        return None


def _is_in(events: Sequence[dict[str, str]], version: str) -> bool:
    """Tell whether the version is in the range that the events say."""
    here, is_inside = Version(version), False
    for event in events:
        ((kind, at),) = event.items()
        if kind == "introduced" and (at == "0" or here >= Version(at)):
            is_inside = True
        elif (kind == "fixed" and here >= Version(at)) or (
            kind == "last_affected" and here > Version(at)
        ):
            is_inside = False
    return is_inside


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
