"""What every file of the project keeps to."""

from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOT_OURS = {".git", ".venv", ".cache", "node_modules"}
LINES_MAX = 300


def test_every_module_has_300_lines_at_most() -> None:
    modules = (path for path in ROOT.rglob("*.py") if not NOT_OURS & {*path.parts})
    sizes = {path: path.read_text(encoding="utf-8").count("\n") for path in modules}
    long = {str(path.relative_to(ROOT)): n for path, n in sizes.items() if n > LINES_MAX}
    assert not long, "Split each by subject"


def test_every_decision_has_a_number_of_its_own() -> None:
    numbers = [path.name.split("-")[0] for path in (ROOT / "docs" / "decisions").glob("[0-9]*.md")]
    twice = [number for number, count in Counter(numbers).items() if count > 1]
    assert not twice, "Give the newer of each the next free number"
