"""Write the software bill of materials of what is deployed, in CycloneDX 1.6.

It names every package of requirements.txt that the Python it runs on needs.
"""

from argparse import ArgumentParser, Namespace

from packaging.requirements import Requirement

from functions.openapi.document import VERSION
from ops.console.command import Desk
from ops.console.lock import LOCK, is_needed_here, locked, version_of

EXAMPLES = """\
  bin/ops sbom > sbom.json"""


def declare(_: ArgumentParser) -> None:
    """Take no arguments."""


def run(_: Namespace, desk: Desk) -> int:
    """Write it."""
    packages = filter(is_needed_here, locked(LOCK.read_text(encoding="utf-8")))
    about = {"type": "application", "name": "agentmeter", "version": VERSION}
    desk.terminal.json(
        {
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "version": 1,
            "metadata": {"timestamp": desk.clock.now().isoformat(), "component": about},
            "components": [_component(package) for package in packages],
        }
    )
    return 0


def _component(package: Requirement) -> dict[str, str]:
    name, version = package.name, version_of(package)
    purl = f"pkg:pypi/{name.lower()}@{version}"
    return {"type": "library", "name": name, "version": version, "purl": purl, "bom-ref": purl}
