"""Reads requirements.txt, which `make lock` writes: what is deployed, each with its version."""

import re
from pathlib import Path

from packaging.requirements import Requirement

LOCK = Path(__file__).parent.parent.parent / "requirements.txt"
PINNED = re.compile(r"^([\w.-]+==[^\s\\]+(?: ; [^\\\n]+)?)", re.MULTILINE)


def locked(text: str) -> list[Requirement]:
    """Return every package, those of other versions of Python and other systems included."""
    return [Requirement(line.strip()) for line in PINNED.findall(text)]


def version_of(package: Requirement) -> str:
    """Return the one version that is pinned."""
    (pin,) = package.specifier
    return pin.version


def is_needed_here(package: Requirement) -> bool:
    """Tell whether this Python on this system needs the package."""
    return package.marker is None or package.marker.evaluate()
