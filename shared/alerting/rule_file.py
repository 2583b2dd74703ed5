"""Reads an alert rule from its TOML file, and says what is wrong with it."""

import re
from collections.abc import Iterator
from datetime import timedelta

from shared.alerting.event_fields import texts_of
from shared.alerting.rule import QUOTED, Condition, Rule
from shared.alerting.wording import is_fillable
from shared.toml_file import Fault, Location, read


def parse_rule(text: str, file: str) -> Rule:
    """Read a rule from TOML.

    Raises:
        Misconfigured: names the file and every wrong field at once, each with its remedy.
    """
    return read(Rule, text, file, "docs/rules.md explains every field of a rule.", lint)


def lint(rule: Rule) -> list[Fault]:
    """Return what is wrong with a rule whose fields are each well formed."""
    problems = [
        problem for condition in rule.conditions for problem in _lint_condition(rule, condition)
    ]
    if rule.every < timedelta(minutes=1) or rule.every % timedelta(minutes=1):
        problems.append(
            (("every",), "the timer ticks once a minute; write whole minutes, such as PT1M")
        )
    if timedelta(0) < rule.keep_firing < rule.every:
        problems.append(
            (("keep_firing",), "shorter than every, so it does nothing; use PT0S or more")
        )
    if rule.no_data_max is not None and rule.no_data != "keep":
        problems.append((("no_data_max",), 'it bounds no_data = "keep" alone; remove it'))
    if rule.contributors_kql:
        wrong = _lint_query(rule.contributors_kql, rule.conditions[0])
        problems += [(("contributors",), problem) for problem in wrong]
    problems += _lint_top(rule)
    if rule.severity == "critical" and not rule.runbook:
        problems.append((("runbook",), "a critical page needs one; write docs/runbooks/<name>.md"))
    return problems


def _lint_top(rule: Rule) -> Iterator[Fault]:
    """Yield what is wrong with the fields by which the fast condition's events are summed up."""
    if not rule.top:
        return
    if rule.tallied is None or rule.contributors_kql:
        wrong = "needs a fast condition, and no `contributors` beside it; write one of both"
        yield ("top",), wrong
        return
    known = texts_of(rule.tallied.event)
    for field in rule.top:
        if field not in known:
            wrong = f"{rule.tallied.event} has no {field!r}; choose of {', '.join(known)}"
            yield ("top",), wrong


def _lint_condition(rule: Rule, condition: Condition) -> list[Fault]:
    """Return the faults of a condition."""
    at: Location = () if condition.name == "main" else (condition.name,)
    query = [] if condition.tallied else _lint_query(condition.query, condition)
    problems: list[Fault] = [((*at, "query"), problem) for problem in query]
    if condition.window < rule.every and not condition.tallied:
        problems.append(((*at, "window"), "shorter than every: some data would never be evaluated"))
    if timedelta(0) < condition.hold < rule.every:
        problems.append(
            (
                (*at, "hold"),
                "shorter than every, so that one evaluation decides; use PT0S, or every and more",
            )
        )
    problems += [
        (
            (*at, field),
            f"{text!r} has a bad placeholder; write {{value:.2f}}, a label, or {{{{ }}}}",
        )
        for field, text in (("summary", condition.summary), ("description", condition.description))
        if not is_fillable(text)
    ]
    if condition.resolve and (
        condition.resolve.direction == condition.comparison.direction
        or condition.comparison.holds(condition.resolve.threshold)
    ):
        problems.append(
            ((*at, "resolve"), f"{condition.resolve} must be apart from {condition.comparison}")
        )
    return problems


def _lint_query(query: str, condition: Condition) -> list[str]:
    """Return what is wrong with a text that is asked of the condition's window; whether it runs is
    for the checker.
    """
    code = re.sub(QUOTED, "", query)
    starts = ("{start}", "{since}") if condition.calendar else ("{start}",)
    problems = [
        f"{names[0]} is missing; filter TimeGenerated >= {{start}} and TimeGenerated < {{end}}"
        for names in (starts, ("{end}",))
        if not any(name in code for name in names)
    ]
    if condition.calendar is None and re.search(r"\{(since|until)\}", code):
        problems.append("{since} and {until} are bounds of a period; say which in `calendar`")
    if condition.calendar and "{since}" in code and condition.window < condition.calendar.longest:
        problems.append(f"{{since}} may be up to {condition.calendar.longest} ago; widen `window`")
    if re.search(r"\b(now|ago)\s*\(", code):
        problems.append("now() and ago() see another time than was planned; use {start} and {end}")
    return problems
