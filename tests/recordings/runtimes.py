"""What programs run on, with the packages that they need: Python, Node.js, Java, Go."""

import subprocess
import venv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.settings import operator_environment

LIMIT_S = 1800


@dataclass(frozen=True, slots=True)
class Runtime:
    """file: the program's name. install: puts packages into a folder. command: runs its file."""

    file: str
    install: Callable[[Path, Sequence[str]], None]
    command: tuple[str, ...]


def run(command: Sequence[str], folder: Path, settings: Mapping[str, str]) -> None:
    """Run a command in the folder to its good end."""
    environment = {**operator_environment(), **settings}
    subprocess.run(command, env=environment, cwd=folder, check=True, timeout=LIMIT_S)  # noqa: S603  # our own programs


def _python(folder: Path, packages: Sequence[str]) -> None:
    venv.create(folder, with_pip=True, clear=True)
    run(["bin/python", "-m", "pip", "install", "-q", "--no-compile", *packages], folder, {})


def _node(folder: Path, packages: Sequence[str]) -> None:
    (folder / "package.json").write_text('{"private": true}\n', encoding="utf-8")
    options = ["--no-audit", "--no-fund", "--loglevel=error", "--ignore-scripts"]
    run(["npm", "install", *options, *packages], folder, {})


def _java(folder: Path, packages: Sequence[str]) -> None:
    """Fetch jars into lib/; a package is `group:artifact:version`, a BOM ends in `:pom`."""
    listed = [_dependency(*one.split(":")[:3]) for one in packages if not one.endswith(":pom")]
    lists = [_dependency(*one.split(":")[:3], bom=True) for one in packages if one.endswith(":pom")]
    text = (
        "<project><modelVersion>4.0.0</modelVersion><groupId>recordings</groupId>"
        "<artifactId>program</artifactId><version>1</version><packaging>pom</packaging>"
        f"<dependencyManagement><dependencies>{''.join(lists)}</dependencies></dependencyManagement>"
        f"<dependencies>{''.join(listed)}</dependencies></project>\n"
    )
    (folder / "pom.xml").write_text(text, encoding="utf-8")
    run(["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib"], folder, {})


def _dependency(group: str, artifact: str, version: str = "", *, bom: bool = False) -> str:
    parts = f"<groupId>{group}</groupId><artifactId>{artifact}</artifactId>"
    parts += f"<version>{version}</version>" if version else ""
    parts += "<type>pom</type><scope>import</scope>" if bom else ""
    return f"<dependency>{parts}</dependency>"


def _go(folder: Path, packages: Sequence[str]) -> None:
    (folder / "go.mod").write_text("module program\n\ngo 1.26\n", encoding="utf-8")
    run(["go", "get", *packages], folder, {})


RUNTIMES: Mapping[str, Runtime] = {
    "python": Runtime("program.py", _python, ("bin/python", "-W", "ignore")),
    "node": Runtime("program.mjs", _node, ("node",)),
    "java": Runtime("Program.java", _java, ("java", "-cp", "lib/*")),
    "go": Runtime("program.go", _go, ("go", "run")),
}
