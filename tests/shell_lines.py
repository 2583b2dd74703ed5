"""Finds the commands that documentation, scripts and pipelines say to type."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "client" / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
SCRIPTS = [
    *ROOT.glob("infra/**/*.sh"),
    *ROOT.glob(".github/workflows/*.yml"),
    ROOT / "azure-pipelines.yml",
]
FENCED = re.compile(r"^ *```(?:sh|bash|shell)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
BEFORE = r"(?:^|[;&|(!`]|\b(?:then|if|run:|script:|inlineScript:|check))\s*"
END = re.compile(r"[;|)&<>]|\\?`|\s#|\n|\d>")


def shell(file: Path) -> str:
    """Return what of a file is typed into a shell, continued lines joined."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".md":
        spans = [*FENCED.findall(text), *INLINE.findall(FENCED.sub("", text))]
        text = "\n".join(spans)
    return re.sub(r"\\\n\s*", "", text)


def commands(file: Path, name: str) -> Iterator[list[str]]:
    """Yield the words of every command of that name, up to its pipe or end."""
    text = shell(file)
    for found in re.finditer(rf"{BEFORE}({re.escape(name)} )", text, re.MULTILINE):
        yield _words(text[found.start(1) :])


def _words(text: str) -> list[str]:
    """Return the words up to where the command ends, what is quoted or substituted kept whole."""
    text = re.sub(r"\$\([^()]*\)", "SUBSTITUTED", text)
    quoted = r"'[^'\n]*'|\"(?:\\.|[^\"\n])*\""
    pieces: list[str] = []
    for piece in re.split(f"({quoted})", text):
        if piece[:1] in "'\"" and re.fullmatch(quoted, piece):
            pieces.append(piece)
            continue
        end = END.search(piece)
        pieces.append(piece[: end.start()] if end else piece)
        if end:
            break
    return shlex.split("".join(pieces), comments=True)
