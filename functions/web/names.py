"""Joins headers and parameters that come twice, as the Functions host does."""

from collections.abc import Iterable


def joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Join the values of one name, whatever its case, by a comma; the second spelling stays."""
    found: dict[str, list[tuple[str, str]]] = {}
    for name, value in pairs:
        found.setdefault(name.lower(), []).append((name, value))
    return {(each[1:] or each)[0][0]: ",".join(v for _, v in each) for each in found.values()}
