"""The generated workbooks, as they are deployed."""

from pathlib import Path

FOLDER = Path(__file__).parent.parent.parent / "infra" / "workbooks"
SUFFIX = ".workbook.json"


def names() -> list[str]:
    """Return the names of all workbooks."""
    return sorted(path.name.removesuffix(SUFFIX) for path in FOLDER.glob(f"*{SUFFIX}"))


def path(name: str) -> Path | None:
    """Return the file of a workbook, None where there is none."""
    return FOLDER / f"{name}{SUFFIX}" if name in names() else None
