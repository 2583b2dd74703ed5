"""docs/architecture.md says where things are and where to add one; a half-done job is named."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import create_model

from ops.generated import documents
from shared.errors import GiveUp
from shared.events import types
from shared.events.types import Common

ROOT = Path(__file__).parents[2]
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PATH = re.compile(r"`((?:functions|shared|config|infra)/[\w./]*)`")


def with_methods(folder: Path, *methods: str) -> Iterator[str]:
    """Yield the modules of the folder with a class, no Protocol, that has these methods."""
    for file in sorted(folder.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and "Protocol" not in map(ast.unparse, node.bases):
                names = {one.name for one in node.body if isinstance(one, ast.FunctionDef)}
                if names.issuperset(methods):
                    yield file.stem


def imported(file: Path) -> set[str]:
    """Return the last part of every module that the file imports, or imports from."""
    tree = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    froms = [node for node in tree if isinstance(node, ast.ImportFrom)]
    modules = [node.module or "" for node in froms]
    return {name.rpartition(".")[2] for name in modules} | {a.name for n in froms for a in n.names}


def test_the_order_of_imports_is_that_of_the_contract() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers, *_ = (
        c["layers"] for c in project["tool"]["importlinter"]["contracts"] if "layers" in c
    )
    drawn = ARCHITECTURE.partition("a tool holds it so:\n\n```\n")[2].partition("\n```")[0]
    assert drawn.splitlines() == [layer.replace("shared.", "") for layer in layers]


def test_the_walks_lead_through_files_that_exist() -> None:
    walks = ARCHITECTURE.partition("Three walks")[2].partition("## Where to add")[0]
    paths = PATH.findall(walks)
    assert len(paths) > 20
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_a_kind_without_a_docstring_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = create_model("Silent", __base__=Common)
    monkeypatch.setitem(types.KINDS, "silent.one", silent)
    with pytest.raises(GiveUp, match=r"Silent in shared/events/types\.py has no docstring\. Add"):
        documents.events_page()


def test_every_notifier_has_a_name_in_routes() -> None:
    folder = ROOT / "shared" / "notify"
    known = imported(folder / "__init__.py") | {"receivers"}  # which sends by all of them
    nameless = {*with_methods(folder, "send")} - known
    assert not nameless, "Give each a line in NOTIFIERS of shared/notify/__init__.py"


def test_every_storage_driver_runs_the_contracts() -> None:
    drivers = {*with_methods(ROOT / "shared" / "storage", "table", "close")}
    assert {"memory", "sqlite", "tables"} <= drivers
    untried = drivers - imported(ROOT / "tests" / "contract" / "databases.py")
    assert not untried, "Open each in tests/contract/databases.py"
