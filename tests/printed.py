"""Finds the lines that documentation prints for a person to copy."""

import re
import shlex

from tests.shell_lines import ROOT

EXPORT = re.compile(r"^ *export (OTEL_.*)$", re.MULTILINE)


def blocks(page: str, language: str, having: str = "") -> list[str]:
    """Return the fenced blocks of that language in which those words stand."""
    text = (ROOT / page).read_text(encoding="utf-8")
    fenced = rf"^( *)```{language}\n(.*?)^ *```"
    found = re.finditer(fenced, text, re.DOTALL | re.MULTILINE)
    return [re.sub(f"(?m)^{one[1]}", "", one[2]) for one in found if having in one[2]]


def exported(page: str) -> dict[str, str]:
    """Return the variables of OpenTelemetry that the page says to export."""
    lines = EXPORT.findall((ROOT / page).read_text(encoding="utf-8"))
    return dict(part.split("=", 1) for line in lines for part in shlex.split(line, comments=True))
