"""Reads config/: the files that an operator edits."""

import json
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Mapping, Sequence
from pathlib import Path

from shared.alerting import budget_rules
from shared.alerting.budget import Budget, parse_budgets
from shared.alerting.grouping import Routes, parse_routes
from shared.alerting.rule import Rule
from shared.alerting.rule_file import parse_rule
from shared.errors import Misconfigured
from shared.pricing import book
from shared.pricing.overrides import Overrides
from shared.pricing.price import Prices, load


def read_rules(folder: Path) -> Sequence[Rule]:
    """Return the operator's own rules: those of folder/rules, then those of folder/budgets.toml.

    Raises:
        Misconfigured: as read_edition() and parse_edition().
    """
    return parse_edition(read_edition(folder))


def read_edition(folder: Path) -> str:
    """Return all that rules are made of as one text, for parse_edition().

    Raises:
        Misconfigured: there are no rules, or a file cannot be read.
    """
    budgets = [file] if (file := folder / "budgets.toml").exists() else []
    texts = _texts_of(folder / "rules") | {file.name: read_text(file) for file in budgets}
    return json.dumps(texts)


def parse_edition(text: str) -> Sequence[Rule]:
    """Return the rules of an edition.

    Raises:
        Misconfigured: names every problem of every file at once, or the rule whose name is that
            of a budget's.
    """
    texts = texts_of(text)
    budgets = parse_budgets(texts.pop("budgets.toml", ""), "budgets.toml")
    rules = _parsed(texts)
    of_budgets = [rule for budget in budgets for rule in budget_rules.rules_of(budget)]
    if twice := {rule.key for rule in rules} & {rule.key for rule in of_budgets}:
        named = ", ".join(sorted(twice))
        raise Misconfigured(f"budgets.toml: {named} is the name of a rule's file, too; rename one.")
    return (*rules, *of_budgets)


def texts_of(edition: str) -> dict[str, str]:
    """Return the files of an edition by name."""
    return json.loads(edition)


def read_budgets(folder: Path) -> Sequence[Budget]:
    """Return the budgets of folder/budgets.toml; none where there is no such file.

    Raises:
        Misconfigured: names every wrong entry and field at once.
    """
    file = folder / "budgets.toml"
    return parse_budgets(read_text(file), file.name) if file.exists() else ()


def rules_of(folder: Path) -> Sequence[Rule]:
    """Return the rules of folder/*.toml, by file name.

    Raises:
        Misconfigured: there are none, a file cannot be read, or every problem of every file.
    """
    return _parsed(_texts_of(folder))


def _texts_of(folder: Path) -> dict[str, str]:
    """Return the text of each rule by its file's name."""
    texts = {f"rules/{file.name}": read_text(file) for file in files_of(folder)}
    if not texts:
        raise Misconfigured(f"There are no rules in {folder}. Check AGENTMETER_CONFIG.")
    return texts


def files_of(folder: Path) -> Sequence[Path]:
    """Return the *.toml files of the folder by name, without hidden ones, which editors and copies
    between systems leave behind."""
    return [file for file in sorted(folder.glob("*.toml")) if not file.name.startswith(".")]


def _parsed(texts: Mapping[str, str]) -> Sequence[Rule]:
    """Return the rules of these files.

    One bad file refuses all: a rule that is left out would seem removed, and be resolved.
    """
    rules: dict[str, Rule] = {}
    problems: list[str] = []
    for name, text in texts.items():
        try:
            rule = parse_rule(text, name)
        except Misconfigured as exc:
            problems.append(str(exc))
            continue
        if rule.key in rules:
            problems.append(f"{name}: name: {rule.key} is another file's too; rename one.")
        rules[rule.key] = rule
    if problems:
        raise Misconfigured("\n".join(problems))
    return tuple(rules.values())


def read_routes(folder: Path) -> Routes:
    """Return the routes of folder/routes.toml.

    Raises:
        Misconfigured: the file is missing or wrong.
    """
    return parse_routes(read_text(folder / "routes.toml"), "routes.toml")


def read_text(file: Path) -> str:
    """Return the file's text.

    Raises:
        Misconfigured: there is none, or it is no UTF-8.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as exc:
        why = f"{file} cannot be read ({exc.strerror}). Check AGENTMETER_CONFIG."
        raise Misconfigured(why) from exc
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise Misconfigured(f"{file} is not UTF-8. {_saved_otherwise(file)}Save it as UTF-8.")
    return text


def _saved_otherwise(file: Path) -> str:
    """Say in which encoding an editor left the file, where that is known."""
    beginning = file.read_bytes()[:2]
    is_utf16 = beginning in (BOM_UTF16_LE, BOM_UTF16_BE) or 0 in beginning
    return "It is UTF-16, as PowerShell's `>` and Notepad's Unicode write it. " * is_utf16


def read_prices(folder: Path) -> Prices:
    """Return the prices of folder/prices.toml over the list prices.

    Raises:
        Misconfigured: the file is missing, or names every wrong entry.
    """
    return load(read_text(folder / "prices.toml"))


def read_overrides(folder: Path) -> Overrides:
    """Return what folder/prices.toml itself says. Raises as read_prices()."""
    return book.read(read_text(folder / "prices.toml"))
