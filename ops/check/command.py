"""Read every file of a config folder and say all that is wrong with it, before it is released.

rules, budgets: their form, and that each query runs. routes. prices: each entry, that no released
one was changed (prices.lock), and deployments without a price. With --release, lock the entries
of prices.toml that are not locked yet; what is locked is never edited again. With --tests, run the
tests of rules in tests/*.toml, too.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from ops.check.rule_tests import Tested, print_tests, run_tests
from ops.console.command import Desk
from replay.columns import Columns, empty_tables
from shared.adapters.config.config_folder import (
    files_of,
    read_budgets,
    read_routes,
    read_rules,
    read_text,
)
from shared.alerting.budget_rules import rules_of
from shared.alerting.reading import read_samples
from shared.alerting.rule import Condition, KqlFast, Rule, bind
from shared.alerting.rule_file import parse_rule
from shared.alerting.wording import placeholders
from shared.clock import Clock
from shared.errors import AgentmeterError, Misconfigured
from shared.events.types import LlmCall
from shared.pricing import book, lock
from shared.pricing.listed import Listing
from shared.pricing.overrides import Deployment, Overrides
from shared.pricing.price import Prices
from shared.settings import APP_FOLDER
from shared.units import Usage

EXAMPLES = """\
  bin/ops check
  bin/ops check --config ../our-config --json
  bin/ops check --tests
  bin/ops check --tests HighErrorRate
  bin/ops check --release"""
PRICES, LOCK = "prices.toml", "prices.lock"
END = datetime(2026, 1, 5, tzinfo=UTC)
"""Until when the queries are asked, of tables without rows."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong. said: where in the file, what, and the remedy."""

    file: str
    said: str


def declare(parser: ArgumentParser) -> None:
    """Add the folder, and whether to lock what is right."""
    parser.add_argument("--config", type=Path, metavar="DIR", help="default: AGENTMETER_CONFIG")
    parser.add_argument(
        "--release", action="store_true", help="lock the entries of prices.toml as they are"
    )
    parser.add_argument(
        "--tests", nargs="*", metavar="NAME", help="run the tests of rules, of all files or these"
    )


def run(given: Namespace, desk: Desk) -> int:
    """Print every problem; exit 1 if there is one."""
    folder = given.config or Path(
        desk.environment.get("AGENTMETER_CONFIG") or APP_FOLDER / "config"
    )
    if not folder.is_dir():
        raise Misconfigured(f"{folder} is no folder. Name the one with rules/ by --config.")
    problems = check(folder, desk.clock)
    if given.release and not any(problem.file == PRICES for problem in problems):
        _release(folder, desk)
    tests = run_tests(folder, given.tests, desk.terminal) if _is_tested(given, problems) else []
    if given.json:
        _machine(folder, problems, tests, desk)
    else:
        _print(folder, problems, desk)
        for said in _warnings(folder, problems):
            desk.terminal.note(said)
        if tests:
            print_tests(tests, desk.terminal)
    return 1 if problems or not all(one.ok for one in tests) else 0


def _is_tested(given: Namespace, problems: Sequence[Problem]) -> bool:
    """Return whether tests are asked for, and there is something that can be tested."""
    return given.tests is not None and not problems


def _machine(
    folder: Path, problems: Sequence[Problem], tests: Sequence[Tested], desk: Desk
) -> None:
    answer = {
        "warnings": _warnings(folder, problems),
        "ok": not problems and all(one.ok for one in tests),
        "problems": [asdict(item) for item in problems],
        "tests": [one.machine() for one in tests],
    }
    desk.terminal.json(answer)


def _print(folder: Path, problems: Sequence[Problem], desk: Desk) -> None:
    for problem in problems:
        desk.terminal.say(f"{problem.file}: {problem.said}")
    if problems:
        desk.terminal.note(f"{len(problems)} problem{'s' * (len(problems) > 1)} in {folder}.")
    else:
        desk.terminal.say(f"All is well in {folder}.")


def notes(rules: Sequence[Rule]) -> Iterator[str]:
    """Yield what is right, and may not be what is meant."""
    for rule in rules:
        if isinstance(rule.fast, KqlFast):
            yield (
                f"{rule.key}: its [fast] part is KQL, and as late as Log Analytics. docs/rules.md "
                "shows a fast condition, which is judged as events arrive."
            )
        if rule.keeps_the_missing and rule.no_data_max is None:
            yield (
                f'{rule.key}: no_data = "keep" without no_data_max: an alert of a series that '
                "ended fires for ever."
            )


def check(folder: Path, clock: Clock) -> list[Problem]:
    """Return what is wrong in a config folder, file by file."""
    with empty_tables(clock) as columns_of:
        return [*_of_rules(folder, columns_of), *_of_routes(folder), *_of_prices(folder)]


def _release(folder: Path, desk: Desk) -> None:
    """Lock what is not locked yet."""
    text, before = read_text(folder / PRICES), _locked(folder)
    (folder / LOCK).write_text(lock.lock_of(text), encoding="utf-8")
    desk.terminal.note(f"{lock.unreleased(before, text)} more entries of {PRICES} are locked.")


def _of_rules(folder: Path, columns_of: Columns) -> Iterator[Problem]:
    """Yield what is wrong with rules and budgets: each file for itself, then all together."""
    found = False
    for file in files_of(folder / "rules"):
        name = f"rules/{file.name}"
        try:
            rule = parse_rule(read_text(file), name)
        except Misconfigured as exc:
            found = True
            yield Problem(name, str(exc).removeprefix(f"{name}: "))
        else:
            yield from (Problem(name, said) for said in _of_rule(rule, folder, columns_of))
    try:
        budgets = read_budgets(folder)
    except Misconfigured as exc:
        yield Problem("budgets.toml", str(exc).removeprefix("budgets.toml: "))
        return
    for rule in (rule for budget in budgets for rule in rules_of(budget)):
        yield from (Problem("budgets.toml", said) for said in _of_rule(rule, folder, columns_of))
    if not found:
        yield from _of_all_rules(folder)
        yield from _of_receivers(folder)


def _of_all_rules(folder: Path) -> Iterator[Problem]:
    """Yield what only shows when all rules are seen together."""
    try:
        read_rules(folder)
    except Misconfigured as exc:
        yield Problem("rules", str(exc))


def _of_receivers(folder: Path) -> Iterator[Problem]:
    """Yield the rules that ask for a receiver that there is not."""
    try:
        receivers, rules = read_routes(folder).receivers, read_rules(folder)
    except Misconfigured:
        return  # said where they are read
    for rule in rules:
        if rule.route not in ("", *receivers):
            said = f"{rule.key}: route: there is no receiver {rule.route} in routes.toml"
            yield Problem("rules", f"{said}; name one of {', '.join(receivers)}")


def _of_rule(rule: Rule, folder: Path, columns_of: Columns) -> Iterator[str]:
    """Yield what is wrong with a rule that is well formed: its runbook, its queries."""
    homes = (folder.parent, APP_FOLDER)
    if (
        rule.runbook
        and "://" not in rule.runbook
        and not any((home / rule.runbook).exists() for home in homes)
    ):
        yield f"runbook: there is no {rule.runbook}; write it, or name another"
    for condition in rule.conditions:
        at = "query" if condition.name == "main" else f"{condition.name}.query"
        yield from _of_query(rule, at, condition, columns_of)
    if rule.contributors:
        condition = replace(rule.conditions[0], query=rule.contributors)
        yield from _of_query(rule, "contributors", condition, columns_of)


def _of_query(rule: Rule, at: str, condition: Condition, columns_of: Columns) -> Iterator[str]:
    """Yield the faults of a query; that of a condition must return a value."""
    try:
        columns = columns_of(bind(condition.query, END - condition.window, END, condition.calendar))
        if at != "contributors" and not condition.tallied:
            read_samples(columns, ())
            for name in placeholders(f"{condition.summary} {condition.description}") - {
                "value",
                *columns,
            }:
                yield (
                    f"{rule.key}: {{{name}}} in its texts is no column of {at}; name one of "
                    f"{', '.join(columns)}, letter for letter"
                )
    except AgentmeterError as exc:
        yield f"{rule.key}: {at}: {exc}"


def _warnings(folder: Path, problems: Sequence[Problem]) -> list[str]:
    """Return what is right, and may not be what is meant."""
    if problems:
        return []
    said = read_routes(folder).watched_by()
    return [*notes(read_rules(folder)), *([f"routes.toml: {said}"] if said else [])]


def _of_routes(folder: Path) -> Iterator[Problem]:
    try:
        read_routes(folder)
    except Misconfigured as exc:
        yield Problem("routes.toml", str(exc).removeprefix("routes.toml: "))


def _of_prices(folder: Path) -> Iterator[Problem]:
    try:
        text = read_text(folder / PRICES)
        overrides, wrong = book.judge(text)
        wrong = [f"{said}. {book.REMEDY}" for said in wrong]
        wrong += lock.rewritten(_locked(folder), text)
    except Misconfigured as exc:
        yield Problem(PRICES, str(exc).removeprefix(f"{PRICES}: "))
        return
    yield from (Problem(PRICES, said) for said in (*wrong, *_unpriced(overrides)))


def _locked(folder: Path) -> str:
    file = folder / LOCK
    return read_text(file) if file.exists() else ""


def _unpriced(overrides: Overrides) -> Iterator[str]:
    """Name the deployments of which no token has a price on their first day."""
    prices = Prices(overrides, Listing())
    for entry in overrides.deployments:
        first = datetime(entry.from_.year, entry.from_.month, entry.from_.day, tzinfo=UTC)
        if prices.price(_call(entry), first).status == "unknown":
            yield (
                f"[[deployment]] {entry.name} from {entry.from_}: no price for {entry.provider}'s "
                f"{entry.model}; correct the model's name, or append a [[price]]"
            )


def _call(entry: Deployment) -> LlmCall:
    used = Usage(input_tokens=1_000, output_tokens=1_000)
    return LlmCall(
        provider=entry.provider,
        model=entry.name,
        deployment=entry.name,
        status="success",
        usage=used,
    )
