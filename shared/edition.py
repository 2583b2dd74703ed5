"""Identifies the deployed code."""

import hashlib
from functools import cache

from shared.settings import APP_FOLDER

FOLDERS = ("functions", "shared")
DIGITS = 12


@cache
def edition() -> str:
    """Return a digest of the code that runs, which is the same in every instance."""
    digest = hashlib.sha256()
    for folder in FOLDERS:
        for file in sorted(APP_FOLDER.joinpath(folder).rglob("*.py")):
            digest.update(file.relative_to(APP_FOLDER).as_posix().encode() + b"\0")
            digest.update(file.read_bytes())
    return digest.hexdigest()[:DIGITS]
