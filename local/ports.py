"""Sees to it that the stack's ports are free before anything starts, and names who holds one."""

import socket
from collections.abc import Sequence
from pathlib import Path

from shared.errors import Misconfigured

LISTENS = "0A"
"""How /proc/net/tcp writes the state of a socket that takes connections."""


def refuse_taken(ports: Sequence[int]) -> None:
    """Refuse to start where one of the ports is taken.

    Raises:
        Misconfigured: says which are needed, which are taken, and by whom.
    """
    taken = [f"{port} is taken{_by(holder_of(port))}" for port in ports if _is_taken(port)]
    if taken:
        raise Misconfigured(
            f"agentmeter needs the ports {ports[0]} to {ports[-1]}; {', '.join(taken)}. Stop what "
            "holds it, or set AGENTMETER_PORT to the first of others, such as AGENTMETER_PORT="
            f"{ports[0] + 100}."
        )


def holder_of(port: int) -> str:
    """Return who listens on the port, as "python (4711)"; "" where that cannot be seen."""
    inodes = set(_inodes(port))
    for folder in Path("/proc").glob("[0-9]*/fd") if inodes else ():
        try:
            if any(str(link.readlink()) in inodes for link in folder.iterdir()):
                name = (folder.parent / "comm").read_text(encoding="utf-8").strip()
                return f"{name} ({folder.parent.name})"
        except OSError:  # another user's, or it has just ended
            continue
    return ""


def _by(holder: str) -> str:
    return f" by {holder}" if holder else ""


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _inodes(port: int) -> Sequence[str]:
    """Return the sockets that listen on the port, as the links of their file descriptors say."""
    try:
        lines = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return []
    rows = [line.split() for line in lines]
    return [
        f"socket:[{row[9]}]"
        for row in rows
        if row[3] == LISTENS and row[1].endswith(f":{port:04X}")
    ]
