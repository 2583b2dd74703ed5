"""One stack per folder: a lock that the operating system frees when its holder dies."""

import fcntl
from pathlib import Path
from typing import TextIO

from shared.errors import Misconfigured


def take(path: Path) -> TextIO:
    """Return the locked file; closing it, or dying, frees it.

    Raises:
        Misconfigured: another stack runs in this folder.
    """
    held = path.open("w", encoding="ascii")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        held.close()
        raise Misconfigured(
            f"agentmeter runs already in {path.parent}. Stop it, or give this one a folder of its "
            "own with AGENTMETER_HOME and ports of its own with AGENTMETER_PORT."
        ) from None
    return held
