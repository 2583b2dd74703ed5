"""The parts of a file that is being exported: what is there already is not asked for again."""

import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ValidationError

from ops.console.terminal import jsonable
from shared.errors import Misconfigured
from shared.usecases.spending.log_slices import Page
from shared.usecases.spending.period import Period

PLAN = "export.json"


class Wanted(BaseModel, frozen=True):
    """What is exported. log: whose. end: None where it was not typed: the moment of the start."""

    log: str
    start: datetime
    end: datetime | None
    kinds: tuple[str, ...]


class _Plan(BaseModel, frozen=True):
    """What the first run has decided, and later ones keep to."""

    wanted: Wanted
    period: Period
    pages: tuple[Page, ...]


@dataclass(frozen=True)
class Parts:
    """A folder of JSON lines, a file for each page of the log."""

    folder: Path
    plan: _Plan

    @property
    def files(self) -> list[Path]:
        """Return where the parts are, or will be, in the order of time."""
        return [self._file(page) for page in self.plan.pages]

    @property
    def rows(self) -> int:
        """Return how many events the log had when the export began."""
        return sum(page.rows for page in self.plan.pages)

    def missing(self) -> list[Page]:
        """Return the pages that are yet to be read."""
        return [page for page in self.plan.pages if not self._file(page).exists()]

    def write(self, page: Page, rows: Iterable[Mapping[str, object]]) -> None:
        """Keep a page: whole, or not at all. What a row does not have is left out of its line."""
        path = self._file(page)
        unfinished = path.with_suffix(".tmp")
        with unfinished.open("w", encoding="utf-8") as file:
            file.writelines(f"{_line(row)}\n" for row in rows)
        unfinished.replace(path)

    def remove(self) -> None:
        """Drop the parts: the file has them."""
        shutil.rmtree(self.folder)

    def _file(self, page: Page) -> Path:
        return self.folder / f"{page.period.start:%Y%m%dT%H%M%S.%fZ}.jsonl"


def open_parts(
    folder: Path, wanted: Wanted, now: datetime, cut: Callable[[Period], Sequence[Page]]
) -> Parts:
    """Return the parts that an earlier run has left, or begin new ones.

    cut: asks the log how a period falls into pages.
    Raises:
        Misconfigured: the period is none, the folder holds another export, or cannot be written.
    """
    path = folder / PLAN
    try:
        if path.exists():
            return Parts(folder, _resumed(path, wanted))
        period = _period(wanted, now)
        plan = _Plan(wanted=wanted, period=period, pages=tuple(cut(period)))
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(plan.model_dump_json(), encoding="utf-8")
    except OSError as exc:
        raise Misconfigured(f"{folder} cannot be written ({exc}). Name another --out.") from exc
    return Parts(folder, plan)


def _period(wanted: Wanted, now: datetime) -> Period:
    period = Period(wanted.start, wanted.end or now)
    if period.start >= period.end:
        raise Misconfigured(
            f"--from {period.start:%FT%TZ} is not before --to {period.end:%FT%TZ}. Swap them."
        )
    return period


def _resumed(path: Path, wanted: Wanted) -> _Plan:
    """Return the plan of the earlier run, which must be one for the same."""
    try:
        plan = _Plan.model_validate_json(path.read_bytes())
    except ValidationError:
        plan = None
    if plan is None or plan.wanted != wanted:
        raise Misconfigured(
            f"{path.parent} holds the parts of another export. Finish that one with the command "
            "that began it, remove the folder, or name another --out."
        )
    return plan


def _line(row: Mapping[str, object]) -> str:
    kept = {name: value for name, value in row.items() if value not in (None, "")}
    return json.dumps(jsonable(kept), ensure_ascii=False, allow_nan=False)
