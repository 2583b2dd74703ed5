"""The figures of a page, for receivers that take text."""

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from shared.alerting.page import Page

CONTRIBUTORS_SHOWN = 3


def figures(page: Page) -> Iterator[str]:
    """Yield lines: what was found against what, of which series, and who contributes most."""
    details = cast("Mapping[str, object]", page.body.get("custom_details") or {})
    if text := str(details.get("description") or ""):
        yield text
    if "threshold" in details:
        yield _measured(details)
    contributors = details.get("contributors")
    if isinstance(contributors, Sequence) and contributors and not isinstance(contributors, str):
        rows = cast("Sequence[Mapping[str, object]]", contributors)[:CONTRIBUTORS_SHOWN]
        yield "Most of it: " + "; ".join(map(_row, rows))


def _measured(details: Mapping[str, object]) -> str:
    samples = f" of {details['samples']} samples" if details.get("samples") else ""
    labels = _row(cast("Mapping[str, object]", details.get("labels") or {}))
    found = f"{_short(details.get('value'))}{samples}, where {details['threshold']} is wrong"
    window = f"over {float(str(details.get('window_s', 0))) / 60:g} min"
    more = int(str(details.get("firing", 1))) - 1
    others = f"; {more} more" if more > 0 else ""
    return f"{found}, {window}{f' ({labels})' if labels else ''}{others}"


def _row(row: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {_short(value)}" for name, value in row.items() if value != "")


def _short(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
