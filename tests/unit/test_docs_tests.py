"""The tests that documents name as proof are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(test_\w+)`")
DEFINED = re.compile(r"^ *(?:async )?def (test_\w+)\(", re.MULTILINE)
STRIDE = frozenset("STRIDE")


def defined() -> set[str]:
    texts = (path.read_text(encoding="utf-8") for path in ROOT.glob("tests/**/test_*.py"))
    return {name for text in texts for name in DEFINED.findall(text)}


@pytest.mark.parametrize("page", ["security.md", "local-host.md"])
def test_every_test_that_a_page_names_exists(page: str) -> None:
    named = set(NAMED.findall((ROOT / "docs" / page).read_text(encoding="utf-8")))
    assert named - defined() == set()
    assert len(named) > 20


def test_every_threat_has_a_test_or_is_said_to_stand() -> None:
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    rows = text.partition("## Threats")[2].partition("## ")[0].splitlines()
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows if row[:1] == "|"]
    threats = cells[2:]
    letters = {letter for row in threats for letter in row[1].partition(":")[0].split(", ")}
    assert letters == STRIDE
    for _, _, against, tests in threats:
        assert NAMED.search(tests) or "**not prevented**" in against
