"""What a page of panels is made of, and how it is read from its TOML file."""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dashboards.choice import CHOICES
from shared import toml_file

FOLDER = Path(__file__).parent / "panels"

Kind = Literal["line", "area", "bar", "ranking", "pie", "stat", "gauge", "table"]
Color = Literal["green", "yellow", "orange", "redBright", "gray", "lightBlue"]
Money = Literal["$", "$/h"]
Rate = Literal["tokens/s", "requests/s", "errors/s", "operations/s", "events/s"]
Number = Literal["tokens", "calls", "tasks", "connections", "teams", "agents", "alerts", "pages"]
Unit = Literal["", "s", "%", "ratio"] | Money | Rate | Number
OVER_TIME: tuple[Kind, ...] = ("line", "area", "bar")
"""Kinds whose query returns the column TimeGenerated and, where there are many series, Series."""
ONE_VALUE: tuple[Kind, ...] = ("stat", "gauge")
"""Kinds whose query returns the columns Title, Value and Note, a tile a row."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Threshold(_Part):
    """From where on a value has a color; the first has no `at`: it is for all that is below."""

    color: Color
    at: float | None = None


class Column(_Part):
    """How a table shows a column. bar: with a bar as long as its share of the column's highest.

    words: text → color, for a column of text.
    """

    name: str
    label: str = ""
    unit: Unit = ""
    bar: bool = False
    hidden: bool = False
    thresholds: tuple[Threshold, ...] = ()
    words: dict[str, Color] = {}


class Expression(_Part):
    """What Prometheus is asked for the same panel. legend: as Grafana writes it."""

    expr: str
    legend: str = ""


class Panel(_Part):
    """One chart, tile or table.

    says: what it shows, and what to do about it. unit: of its values; a table's columns have each
        their own. width: per cent of the page. y: the columns that a chart draws; x: the category
        of a ranking or a pie. exports: parameter → column, set by a click on a row. needs:
        parameters that must be set before the panel is shown. empty: said where there is no row.
    """

    name: str = Field(pattern="^[a-z0-9_]+$")
    title: str
    says: str
    kind: Kind
    query: str
    unit: Unit = ""
    width: int = Field(default=50, ge=20, le=100)
    y: tuple[str, ...] = ()
    x: str = ""
    series: bool = False
    thresholds: tuple[Threshold, ...] = ()
    columns: tuple[Column, ...] = ()
    exports: dict[str, str] = {}
    needs: tuple[str, ...] = ()
    empty: str = "Nothing in this time, for this choice."
    prometheus: tuple[Expression, ...] = ()

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.kind in (*OVER_TIME, "ranking", "pie") and not self.y:
            raise ValueError("a chart names the columns that it draws: y = [...]")
        if self.kind in ("ranking", "pie") and not self.x:
            raise ValueError("a ranking or pie names the column of its categories: x = ...")
        return self

    @property
    def shows(self) -> tuple[str, ...]:
        """The columns that the query must return for the panel to be drawn."""
        if self.kind in OVER_TIME:
            return ("TimeGenerated", *(["Series"] if self.series else []), *self.y)
        if self.kind in ONE_VALUE:
            return ("Title", "Value", "Note")
        return (*([self.x] if self.x else []), *self.y, *(c.name for c in self.columns))


class Section(_Part):
    """Panels under one heading."""

    title: str
    panel: tuple[Panel, ...]


class Page(_Part):
    """A workbook, or a dashboard of Grafana.

    name: that of its file unless it says another. hours: shown unless another is chosen. choices:
    names of dashboards.choice.CHOICES.
    """

    name: str = ""
    title: str
    about: str
    hours: int
    choices: tuple[str, ...] = ("Team", "Environment")
    section: tuple[Section, ...]

    @model_validator(mode="after")
    def _offers_what_there_is(self) -> Self:
        if unknown := set(self.choices) - CHOICES.keys():
            raise ValueError(f"no such choices: {sorted(unknown)}. There are {', '.join(CHOICES)}.")
        return self

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All panels, from top to bottom."""
        return tuple(panel for section in self.section for panel in section.panel)


def read_pages(folder: Path = FOLDER) -> list[Page]:
    """Return the pages of a folder, by name.

    Raises:
        Misconfigured: a file is not as it should be.
    """
    return [read_page(file) for file in sorted(folder.glob("*.toml"))]


def read_page(file: Path) -> Page:
    """Return the page of a file, named after it.

    Raises:
        Misconfigured: the file is not as it should be.
    """
    text = file.read_text(encoding="utf-8")
    page = toml_file.read(Page, text, file.name, "docs/workbooks.md describes every field.")
    return page if page.name else page.model_copy(update={"name": file.stem.replace("_", "-")})
