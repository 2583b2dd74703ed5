"""Every file that follows from the panels, by its path."""

from collections.abc import Callable, Mapping
from functools import partial

from dashboards.grafana import azure_dashboard, prometheus_dashboard
from dashboards.panel import Page, read_pages
from dashboards.workbook import workbook

PRODUCTS: Mapping[str, Callable[[Page], str]] = {
    "infra/workbooks/{}.workbook.json": workbook,
    "infra/grafana/{}.azure.json": azure_dashboard,
    "infra/grafana/{}.prometheus.json": prometheus_dashboard,
}


def panel_files() -> dict[str, Callable[[], str]]:
    """Return path → what writes its text, for `make generated`."""
    return {
        path.format(page.name): partial(render, page)
        for page in read_pages()
        for path, render in PRODUCTS.items()
    }
