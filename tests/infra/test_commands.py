"""Commands that docs, hooks and pipelines say to type: each exists, with those arguments."""

import json
import re
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest

from ops.__main__ import COMMANDS
from ops.console.command import load
from tests.infra.bicep import INFRA
from tests.shell_lines import PAGES, ROOT, SCRIPTS, commands

RECORD = Path(__file__).parent / "az_commands.json"
EVERYWHERE = {"-o", "--output", "--query", "--only-show-errors", "--subscription"}
"""Options that the Azure CLI takes at every command."""
EXTENSION = {"monitor app-insights component billing update": ("--app", "-g", "--cap")}
"""Commands of the CLI's extensions, which it fetches itself at their first use."""
AZD: Mapping[str, Sequence[str]] = {
    "auth login": ("--client-id", "--tenant-id", "--federated-credential-provider"),
    "config set": (),
    "deploy": ("--no-prompt",),
    "down": ("--purge", "--force"),
    "env get-values": (),
    "env new": (),
    "env set": (),
    "pipeline config": (),
    "provision": ("--no-prompt", "--preview"),
    "up": ("--no-prompt",),
}
"""The commands of azd, by its reference; it is no package that a test could install."""
FILES = [*PAGES, *SCRIPTS]


def typed(file: Path, program: str) -> list[list[str]]:
    """Return what the file says to type after the program's name."""
    return [words[1:] for words in commands(file, program)]


each_file = pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))


def options(words: Sequence[str]) -> set[str]:
    return {word.partition("=")[0] for word in words if re.fullmatch(r"--?[a-z][\w-]*(=.*)?", word)}


@cache
def recorded() -> Mapping[str, Mapping[str, list[str]]]:
    return json.loads(RECORD.read_text(encoding="utf-8"))


def named(words: Sequence[str], names: Mapping[str, object]) -> str | None:
    """Return the longest command that the words begin with."""
    prefixes = (" ".join(words[:end]) for end in range(len(words), 0, -1))
    return next((name for name in prefixes if name in names), None)


@each_file
def test_every_az_command_exists_with_its_options(file: Path) -> None:
    for words in typed(file, "az"):
        name = named(words, recorded())
        if name is None:
            known = [*recorded(), *EXTENSION]
            assert any(f"{one} ".startswith(f"{' '.join(words)} ") for one in known), (
                f"az {' '.join(words)}. Run `make azcli`, if the command is new."
            )
            continue
        given = options(words)
        assert given <= {*recorded()[name]["options"], *EVERYWHERE}
        if given:
            assert all(given & set(names) for names in recorded()[name]["required"]), words


def test_commands_of_extensions_are_used_as_known() -> None:
    text = " ".join(file.read_text(encoding="utf-8") for file in SCRIPTS)
    for name, known in EXTENSION.items():
        used = text.split(f"az {name}", 1)[1].split("-o none", 1)[0]
        assert options(used.split()) == {*known, "--only-show-errors"}


@each_file
def test_every_azd_command_exists_with_its_options(file: Path) -> None:
    for words in typed(file, "azd"):
        name = named(words, AZD)
        assert name is not None, words
        assert options(words) <= set(AZD[name])


@each_file
def test_what_is_set_in_the_environment_of_azd_is_read(file: Path) -> None:
    read = set(re.findall(r"Variable\('(\w+)'", (INFRA / "azd.bicepparam").read_text("utf-8")))
    named_there = {
        words[2] for words in typed(file, "azd") if words[:2] == ["env", "set"] and words[2:]
    }
    assert named_there <= read


@each_file
def test_every_command_of_ops_takes_its_arguments(file: Path) -> None:
    for name, *rest in typed(file, "bin/ops"):
        if name == "--help":
            continue
        assert name in COMMANDS
        if rest:
            parser = ArgumentParser()
            load(name).declare(parser)
            parser.add_argument("--json", action="store_true")
            parser.parse_args(["2026-11-01" if word == "…" else word for word in rest])


@each_file
def test_every_target_of_make_exists(file: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    for words in typed(file, "make"):
        assert {word for word in words if "=" not in word} <= targets
