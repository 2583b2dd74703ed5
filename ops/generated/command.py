"""Write every generated file anew, or say which ones are behind the code."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from ops.console.command import Desk
from ops.generated.documents import DOCUMENTS

EXAMPLES = """  bin/ops generated
  bin/ops generated --check"""
ROOT = Path(__file__).parent.parent.parent


def declare(parser: ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 on a difference"
    )


def run(given: Namespace, desk: Desk) -> int:
    """Write or compare."""
    behind = [name for name, text in DOCUMENTS.items() if _read(ROOT / name) != text()]
    if given.check:
        for name in behind:
            desk.terminal.note(f"{name} is behind the code. Run `make generated` and commit it.")
        return 1 if behind else 0
    for name in behind:
        (ROOT / name).write_text(DOCUMENTS[name](), encoding="utf-8")
        desk.terminal.note(f"wrote {name}")
    return 0


def _read(path: Path) -> str:
    """Return the file's text, "" where there is none."""
    return path.read_text(encoding="utf-8") if path.exists() else ""
