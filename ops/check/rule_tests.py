"""Runs the tests of rules that a config folder holds, for `ops check --tests`."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ops.console.terminal import Terminal
from replay.casebook import Casebook, read_casebook
from replay.verdict import Verdict, judge
from shared.adapters.config.config_folder import files_of, read_routes, read_rules, read_text
from shared.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Tested:
    """A test and what came of it. file: in the config folder."""

    file: str
    verdict: Verdict

    @property
    def ok(self) -> bool:
        """Return whether all was as expected."""
        return not self.verdict.faults

    def machine(self) -> dict[str, object]:
        """Return it for JSON."""
        return {"file": self.file, "ok": self.ok, **asdict(self.verdict)}


def run_tests(folder: Path, names: Sequence[str], terminal: Terminal) -> list[Tested]:
    """Run the tests of folder/tests/*.toml; of the files of these names alone, where any is named.

    Raises:
        Misconfigured: there is no such file, one is wrong, or the rest of the folder is.
    """
    logging.getLogger("shared").addHandler(logging.NullHandler())
    books = [(file.name, read_casebook(file)) for file in _files(folder, names)]
    with terminal.progress("tests", sum(len(book.test) for _, book in books)) as advance:
        return list(_run(folder, books, advance))


def _files(folder: Path, names: Sequence[str]) -> list[Path]:
    """Return the files of tests, by name."""
    files = {file.stem: file for file in files_of(folder / "tests")}
    if unknown := [name for name in names if name not in files]:
        raise Misconfigured(
            f"There is no {folder / 'tests' / unknown[0]}.toml. Name one of: {', '.join(files)}."
        )
    if not files:
        raise Misconfigured(f"There are no tests in {folder / 'tests'}. docs/rules.md shows one.")
    return [file for name, file in files.items() if not names or name in names]


def _run(
    folder: Path, books: Sequence[tuple[str, Casebook]], advance: Callable[[int], None]
) -> Iterator[Tested]:
    rules, routes = read_rules(folder), read_routes(folder)
    prices = read_text(folder / "prices.toml")
    for name, book in books:
        try:
            for verdict in judge(book, rules, routes, prices):
                yield Tested(f"tests/{name}", verdict)
                advance(1)
        except Misconfigured as exc:
            raise Misconfigured(f"tests/{name}: {exc}") from exc


def print_tests(tests: Sequence[Tested], terminal: Terminal) -> None:
    """Say what came of the tests: what is wrong in full, the rest in a line."""
    for one in tests:
        if one.ok:
            continue
        terminal.say(f"{one.file}: {one.verdict.test}")
        for line in (*one.verdict.faults, "what happened:", *_indented(one.verdict.timeline)):
            terminal.say(f"  {line}")
    failed = sum(not one.ok for one in tests)
    terminal.say(f"{len(tests) - failed} of {len(tests)} tests of rules are well.")


def _indented(timeline: Sequence[str]) -> Sequence[str]:
    return [f"  {line}" for line in timeline] or ["  nothing"]
