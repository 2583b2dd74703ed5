"""Every file that follows from the panels, by its path."""

from collections.abc import Callable
from functools import partial

from dashboards.panel import read_pages
from dashboards.workbook import workbook


def panel_files() -> dict[str, Callable[[], str]]:
    """Return path → what writes its text, for `make generated`."""
    return {
        f"infra/workbooks/{page.name}.workbook.json": partial(workbook, page)
        for page in read_pages()
    }
