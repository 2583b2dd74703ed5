"""Explain what a model call costs, or price many.

One call is given in options: its cost, the rates and the arithmetic behind it, and what would
change it. With --file, each line is the `data` of an llm.call with its `time`; with --json, each is
answered by a line with cost_usd (exact text, null where it is unknown), status, source and missing,
in the order of the file. A line that is wrong is answered by {"error", "line"}.
"""

import json
from argparse import ArgumentParser, Namespace
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from ops.console.command import Desk
from ops.console.moments import moment
from ops.console.prices_folder import declare_folder, find_folder
from ops.console.terminal import Terminal
from ops.price.explain import Explainer, Explanation
from shared.adapters.config.config_folder import read_overrides
from shared.errors import Misconfigured
from shared.events.types import LlmCall, Name
from shared.moments import Moment
from shared.pricing.cost import Cost
from shared.pricing.entry import plain
from shared.pricing.listed import Listing
from shared.pricing.price import Prices
from shared.units import Usage

EXAMPLES = """\
  bin/ops price --provider openai --model gpt-4o --input 1200 --cache-read 1000 --output 80
  bin/ops price --provider azure --model gpt-4o --deployment prod-chat --service-tier batch \\
      --input 50000 --output 900 --at 2026-09-30
  bin/ops price --file calls.jsonl --json > costs.jsonl"""
COUNTS = tuple(Usage.model_fields)
NAMES = ("provider", "model", "response_model", "deployment", "service_tier")


class CallLine(LlmCall, frozen=True):
    """A line of the file. time: absent, the call is priced at --at."""

    status: Name = "success"
    time: Moment | None = None


@dataclass(frozen=True, slots=True)
class Priced:
    """A line of the file with its cost, or with what is wrong with it."""

    number: int
    call: CallLine | None
    cost: Cost | None
    error: str = ""


_LINE = TypeAdapter(CallLine)


def declare(parser: ArgumentParser) -> None:
    """Add the call, or the file of calls."""
    parser.add_argument("--file", type=Path, metavar="FILE", help="many calls, a JSON line each")
    for name in NAMES:
        parser.add_argument(_option(name), metavar="NAME", help="as the event says it")
    for name in COUNTS:
        parser.add_argument(_option(name), dest=name, type=int, default=0, metavar="N")
    parser.add_argument("--count", type=int, default=1, metavar="N", help="the totals are of N (1)")
    parser.add_argument("--at", type=moment, metavar="ISO", help="when it happened; default: now")
    declare_folder(parser)


def run(given: Namespace, desk: Desk) -> int:
    """Explain the call, or price the file; 1 when a line of it is wrong."""
    folder = find_folder(given, desk.environment)
    overrides = read_overrides(folder)
    at: datetime = given.at or desk.clock.now()
    if given.file:
        priced = _price_file(given.file, Prices(overrides, Listing()), at)
        return _answer_lines(priced, desk) if given.json else _sum_up(priced, desk.terminal)
    explained = Explainer(overrides).explain(_call(given), at)
    if given.json:
        desk.terminal.json(_machine(explained))
    else:
        _print(desk.terminal, explained)
    return 0


def _option(name: str) -> str:
    """Return the option of a field: input_tokens is --input."""
    return "--" + name.removesuffix("_tokens").replace("_", "-")


def _call(given: Namespace) -> LlmCall:
    """Return the call that the options describe."""
    if not (given.provider and given.model):
        raise Misconfigured("Name the call's --provider and --model, or a --file of calls.")
    names = {name: getattr(given, name) for name in NAMES}
    usage = {name: getattr(given, name) for name in COUNTS}
    try:
        return LlmCall.model_validate(
            {**names, "status": "success", "count": given.count, "usage": usage}
        )
    except ValidationError as exc:
        raise Misconfigured(_problems(exc)) from None


def _problems(exc: ValidationError) -> str:
    """Name each field that is wrong, and why."""
    found = (
        f"{'.'.join(map(str, error['loc'])) or 'the call'}: "
        f"{error['msg'].removeprefix('Value error, ')}"
        for error in exc.errors(include_url=False, include_input=False)
    )
    return f"{'; '.join(found)}. docs/events.md, llm.call, shows each field."


def _price_file(path: Path, prices: Prices, at: datetime) -> Iterator[Priced]:
    """Yield the file's lines with their costs; empty lines are left out."""
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line := line.strip():
                    yield _price_line(number, line, prices, at)
    except OSError as exc:
        raise Misconfigured(f"{path} cannot be read ({exc}). Name a file of calls.") from exc


def _price_line(number: int, line: bytes, prices: Prices, at: datetime) -> Priced:
    try:
        call = _LINE.validate_json(line)
    except ValidationError as exc:
        return Priced(number, None, None, _problems(exc))
    return Priced(number, call, prices.price(call, call.time or at))


def _answer_lines(priced: Iterator[Priced], desk: Desk) -> int:
    wrong = 0
    for one in priced:
        wrong += one.cost is None
        answer = _cost(one.cost) if one.cost else {"error": one.error, "line": one.number}
        desk.terminal.say(json.dumps(answer, ensure_ascii=False))
    return _verdict(wrong, desk.terminal)


def _verdict(wrong: int, terminal: Terminal) -> int:
    if wrong:
        terminal.note(f"price: {wrong:,} lines are wrong and have no price; all others do.")
    return 1 if wrong else 0


def _sum_up(priced: Iterator[Priced], terminal: Terminal) -> int:
    """Write what each model cost, for a person."""
    calls: dict[tuple[str, str, str], int] = defaultdict(int)
    sums: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    wrong = 0
    for one in priced:
        if one.call is None or one.cost is None:
            wrong += 1
            terminal.note(f"line {one.number}: {one.error}")
            continue
        key = (one.call.provider, one.call.model, one.cost.status)
        calls[key] += one.call.count
        sums[key] += one.cost.usd or 0
    rows = [
        (*key, number, None if key[2] == "unknown" else plain(sums[key]))
        for key, number in sorted(calls.items())
    ]
    terminal.table(("provider", "model", "status", "calls", "cost in US$"), rows)
    return _verdict(wrong, terminal)


def _cost(cost: Cost) -> dict[str, object]:
    return {
        "cost_usd": None if cost.usd is None else plain(cost.usd),
        "status": cost.status,
        "source": cost.source,
        "missing": list(cost.missing),
    }


def _machine(explained: Explanation) -> dict[str, object]:
    lines = [
        {**asdict(line), **{name: plain(getattr(line, name)) for name in ("rate", "usd")}}
        for line in explained.lines
    ]
    call = explained.call.model_dump(exclude_none=True)
    changes = list(explained.changes)
    return {
        **_cost(explained.cost),
        "at": explained.at,
        "since": explained.since,
        "call": call,
        "lines": lines,
        "changes": changes,
    }


def _print(terminal: Terminal, explained: Explanation) -> None:
    """Write the explanation for a person."""
    cost = explained.cost
    terminal.say(f"cost     {'unknown' if cost.usd is None else f'US$ {plain(cost.usd)}'}")
    terminal.say(f"status   {cost.status}")
    terminal.say(f"source   {cost.source}")
    terminal.say(f"at       {explained.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC")
    if explained.since:
        terminal.say(f"since    {explained.since:%Y-%m-%d}")
    if cost.missing:
        terminal.say(f"missing  {', '.join(cost.missing)}")
    if explained.lines:
        terminal.say("")
        rows = [
            (
                line.rate_class + (" (guessed)" if line.is_guess else ""),
                line.amount,
                f"x {plain(line.rate)} / {line.per:,}",
                f"= {plain(line.usd)}",
            )
            for line in explained.lines
        ]
        terminal.table(("class", "used", "US$", ""), rows)
    if explained.changes:
        terminal.say("\nWhat would change it")
        for change in explained.changes:
            terminal.say("  " + change.replace("\n", "\n    "))
