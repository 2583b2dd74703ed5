"""Pipelines: what they run exists in this project, and they deploy what `azd up` does."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from tests.infra.bicep import INFRA
from tests.infra.test_hooks import Shell

ROOT = INFRA.parent
FILES = [*sorted((ROOT / ".github" / "workflows").glob("*.yml")), ROOT / "azure-pipelines.yml"]
RUNS = ("run", "script", "inlineScript")


def commands(part: object) -> Iterator[list[str]]:
    """Yield the words of every command line of a pipeline."""
    if isinstance(part, dict):
        for name, value in cast("dict[str, object]", part).items():
            if name in RUNS and isinstance(value, str):
                yield from (shlex.split(line) for line in value.splitlines() if line)
            else:
                yield from commands(value)
    elif isinstance(part, list):
        for value in cast("list[object]", part):
            yield from commands(value)


def read(file: Path) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_command_of_a_pipeline_exists_here(file: Path) -> None:
    for words in commands(read(file)):
        if words[0] == "make":
            assert set(words[1:]) <= targets()
        elif words[0] == "sh":
            assert (ROOT / words[1]).is_file()
        else:
            assert words[0] in ("az", "azd")
        for word in words:
            assert not word.startswith("infra/") or (ROOT / word).is_file()


def test_both_pipelines_run_the_same_commands() -> None:
    *github, azure = FILES
    of_github = [words for file in github for words in commands(read(file))]
    assert [w for w in of_github if w[:2] != ["azd", "auth"]] == [
        words for words in commands(read(azure)) if words[:2] != ["azd", "config"]
    ]


def test_a_pipeline_checks_all_that_the_readme_names() -> None:
    ran = [words for file in FILES[:-1] for words in commands(read(file))]
    assert ["make", "check"] in ran
    assert ["make", "test"] in ran


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_pipeline_stores_a_secret_of_azure(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert not re.search(r"client-secret|AZURE_CREDENTIALS|--password", text)


def test_only_the_parameters_of_azd_are_handed_on() -> None:
    asked = set(re.findall(r"Variable\('(\w+)'", (INFRA / "azd.bicepparam").read_text("utf-8")))
    jobs = read(ROOT / ".github" / "workflows" / "deploy.yml")["jobs"]
    signed_in = {"AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_SUBSCRIPTION_ID"}
    assert set(jobs["deploy"]["env"]) - signed_in <= asked


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_bicep_without_a_word_of_the_compiler_is_valid(shell: Shell) -> None:
    ended = shell.run_file(INFRA / "validate.sh")
    assert (ended.returncode, ended.stdout) == (0, "Bicep: no error and no warning.\n")
    files = {*INFRA.glob("*.bicep"), *INFRA.glob("*.bicepparam")}
    assert {name for name in shell.calls.split() if "bicep" in Path(name).suffix} == {
        file.name for file in files
    }


def test_a_warning_of_the_compiler_fails_although_it_exits_with_zero(shell: Shell) -> None:
    shell.answer("bicep build --file azd.bicep", warns="BCP037: no such property")
    ended = shell.run_file(INFRA / "validate.sh")
    assert ended.returncode == 1
    assert "azd.bicep" in ended.stderr
    assert "BCP037" in ended.stderr


def test_a_compiler_that_fails_without_a_word_fails(shell: Shell) -> None:
    shell.answer("bicep lint --file main.bicep", fails=1)
    assert shell.run_file(INFRA / "validate.sh").returncode == 1
