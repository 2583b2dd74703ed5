"""Every link in the documentation leads somewhere, and every page of it can be found."""

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "client" / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
ELSEWHERE = re.compile(r"[a-z]+:")
NAMED = re.compile(r"(?<![\w/])docs/[A-Za-z0-9_]+\.md\b")
WRITTEN = {".py", ".toml", ".bicep", ".kql", ".js", ".sh", ".md", ".txt", ".yaml"}
NOT_OURS = {".git", ".venv", ".cache", "node_modules"}


@cache
def links(page: Path) -> list[str]:
    """Return where the page's links lead within the project."""
    text = CODE.sub("", page.read_text(encoding="utf-8"))
    return [target for target in LINK.findall(text) if not ELSEWHERE.match(target)]


@cache
def anchors(page: Path) -> set[str]:
    """Return the names that GitHub gives the page's headings."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.M)
    seen: Counter[str] = Counter()
    names: set[str] = set()
    for title in re.findall(r"^#+ +(.+?) *$", text, re.MULTILINE):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).lower()
        name = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        names.add(f"{name}-{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return names


def leads_to(page: Path, target: str) -> Path:
    """Return the file or folder of a link."""
    path = target.partition("#")[0]
    return (page.parent / path).resolve() if path else page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    broken = [target for target in links(page) if not leads_to(page, target).exists()]
    lost = [
        target
        for target in links(page)
        if "#" in target
        and target not in broken
        and target.partition("#")[2] not in anchors(leads_to(page, target))
    ]
    assert (broken, lost) == ([], [])


def test_every_file_of_the_documentation_is_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    ahead = [ROOT / "README.md"]
    while ahead:
        place = ahead.pop()
        if place in reached or not place.exists():
            continue
        reached.add(place)
        if place.is_dir():  # GitHub shows what is in it
            ahead += [file for file in place.iterdir() if file.is_file()]
        elif place.suffix == ".md":
            ahead += [leads_to(place, target) for target in links(place)]
    files = {file for file in (ROOT / "docs").rglob("*") if file.is_file()}
    assert {str(file.relative_to(ROOT)) for file in files - reached} == set()


def test_every_page_that_code_names_is_there() -> None:
    parts = [part for part in ROOT.iterdir() if part.name not in NOT_OURS]
    files = [file for part in parts for file in (part, *part.rglob("*"))]
    named = {
        (name, str(file.relative_to(ROOT)))
        for file in files
        if file.suffix in WRITTEN or file.name == "Makefile"
        for name in NAMED.findall(file.read_text(encoding="utf-8"))
    }
    assert {pair for pair in named if not (ROOT / pair[0]).exists()} == set()
