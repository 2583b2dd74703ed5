"""Write the software bill of materials of what is deployed, in CycloneDX 1.6.

It names every package that requirements.txt brings with it, as they are installed here: run it in
the environment that `make setup` makes.
"""

import re
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

from functions.openapi.document import VERSION
from ops.console.command import Desk
from shared.errors import Misconfigured

EXAMPLES = """\
  bin/ops sbom > sbom.json"""
REQUIREMENTS = Path(__file__).parent.parent / "requirements.txt"
COMMENT = re.compile(r"(^|\s)#.*")


def declare(_: ArgumentParser) -> None:
    """Take no arguments."""


def run(_: Namespace, desk: Desk) -> int:
    """Write it."""
    found = installed(REQUIREMENTS.read_text(encoding="utf-8"))
    parts = [_component(one) for _, one in sorted(found.items())]
    about = {"type": "application", "name": "agentmeter", "version": VERSION}
    desk.terminal.json(
        {
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "version": 1,
            "metadata": {"timestamp": desk.clock.now().isoformat(), "component": about},
            "components": parts,
        }
    )
    return 0


def installed(requirements: str) -> dict[str, Distribution]:
    """Return the packages that these requirements need, and those that they need in turn.

    Raises:
        Misconfigured: one is not installed here.
    """
    lines = (COMMENT.sub("", line).strip() for line in requirements.splitlines())
    waiting = [Requirement(line) for line in lines if line]
    found: dict[str, Distribution] = {}
    while waiting:
        wanted = waiting.pop()
        name = re.sub(r"[-_.]+", "-", wanted.name).lower()
        if name in found or not _is_needed(wanted, ""):
            continue
        try:
            found[name] = distribution(wanted.name)
        except PackageNotFoundError:
            raise Misconfigured(f"{wanted.name} is not installed. Type: make setup") from None
        waiting += _needs(found[name], wanted)
    return found


def _needs(package: Distribution, wanted: Requirement) -> Iterator[Requirement]:
    """Yield what a package needs with the extras that were asked for."""
    for text in package.requires or ():
        needed = Requirement(text)
        if any(_is_needed(needed, extra) for extra in ("", *wanted.extras)):
            needed.marker = None
            yield needed


def _is_needed(wanted: Requirement, extra: str) -> bool:
    environment = {"extra": extra}
    return wanted.marker is None or wanted.marker.evaluate(environment)


def _component(package: Distribution) -> dict[str, str]:
    name, version = package.metadata["Name"], package.version
    purl = f"pkg:pypi/{name.lower()}@{version}"
    return {"type": "library", "name": name, "version": version, "purl": purl, "bom-ref": purl}
