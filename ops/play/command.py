"""Post a recorded trace of model calls.

FILE is a CSV with the columns TIMESTAMP, ContextTokens and GeneratedTokens, a row for each call.
The calls are moved in time so that the last one ends with the play. A repeat posts the same events
at the same times, so it changes nothing: use it to go on after an interruption. Under another
provider or model the same file is other calls.
"""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import groupby, islice
from math import inf
from pathlib import Path

from ops.console.command import Desk
from ops.console.stack import declare_api, find_api, home
from ops.console.terminal import Terminal
from ops.play.poster import Answer, Event, Poster, Refused
from ops.play.trace import Call, Play, Trace, read_trace, recall
from shared.errors import RetryLater

EXAMPLES = """\
  bin/ops play trace.csv --provider openai --model gpt-4
  bin/ops play trace.csv --provider openai --model gpt-4 --speed 60    an hour a minute
  AGENTMETER_KEY=KEY bin/ops play trace.csv --provider anthropic \\
      --model claude-sonnet-4-5 --url https://my-app.azurewebsites.net --json"""
POSTERS = 4
SHOWN_REFUSALS = 10


@dataclass(frozen=True, slots=True)
class Batch:
    """Events for one request. due_s: when to post it, in seconds from the start."""

    due_s: float
    events: Sequence[Event]


@dataclass(frozen=True, slots=True)
class Report:
    """What a play did. input_tokens, output_tokens: of all calls, refused ones too."""

    file: str
    provider: str
    model: str
    source: str
    calls: int
    accepted: int
    input_tokens: int
    output_tokens: int
    first_call_at: datetime
    last_call_at: datetime
    is_repeat: bool
    seconds: float
    refused: tuple[Refused, ...]


def declare(parser: ArgumentParser) -> None:
    """Add what is played, as what, and how fast."""
    parser.add_argument("file", type=Path, metavar="FILE", help="the recorded trace")
    parser.add_argument("--provider", required=True, help="who answered the calls, as openai")
    parser.add_argument("--model", required=True, help="the model that did, as gpt-4")
    parser.add_argument(
        "--speed",
        type=_speed,
        default=0.0,
        metavar="N",
        help="N times real time; 0 (default): as fast as the API takes it",
    )
    parser.add_argument(
        "--batch", type=_batch, default=500, metavar="N", help="events in a request (500)"
    )
    parser.add_argument(
        "--patience",
        type=_speed,
        default=180.0,
        metavar="S",
        help="seconds to go on asking an API that stopped answering (180)",
    )
    declare_api(parser)


def run(given: Namespace, desk: Desk) -> int:
    """Play the file; 1 when the API refused a call or stopped answering."""
    trace = read_trace(given.file)
    api = find_api(given.url, given.key, desk.environment)
    started = desk.clock.now()
    takes = trace.length / max(given.speed, 1.0) if given.speed else timedelta()
    folder = home(desk.environment) / "plays"
    play = recall(folder, trace, (given.provider, given.model), started + takes)
    batches = list(_batches(trace, play, given))
    poster = Poster(api, desk.clock, given.patience, desk.terminal.note)
    refused = _post(batches, poster, desk, started)
    report = Report(
        file=str(given.file),
        provider=given.provider,
        model=given.model,
        source=play.source,
        calls=len(trace.calls),
        accepted=len(trace.calls) - len(refused),
        input_tokens=sum(call.input_tokens for call in trace.calls),
        output_tokens=sum(call.output_tokens for call in trace.calls),
        first_call_at=play.last_call_at - trace.length,
        last_call_at=play.last_call_at,
        is_repeat=play.last_call_at != started + takes,
        seconds=round((desk.clock.now() - started).total_seconds(), 3),
        refused=refused,
    )
    if given.json:
        desk.terminal.json(asdict(report))
    else:
        _print(desk.terminal, report)
    return 1 if refused else 0


def _batches(trace: Trace, play: Play, given: Namespace) -> Iterator[Batch]:
    """Yield the calls as events: at speed 0 only the size ends a batch, else each second too."""
    shift = play.last_call_at - trace.calls[-1].at
    first = trace.calls[0].at

    def due_s(call: Call) -> float:
        return (call.at - first).total_seconds() / given.speed if given.speed else 0.0

    for _, second in groupby(trace.calls, key=lambda call: int(due_s(call))):
        while calls := list(islice(second, given.batch)):
            events = [_event(call, call.at + shift, play, given) for call in calls]
            yield Batch(due_s(calls[-1]), events)


def _event(call: Call, at: datetime, play: Play, given: Namespace) -> Event:
    """Return the call as the API takes it; its id says the play and the row."""
    return {
        "specversion": "1.0",
        "id": f"{play.key}-{call.row}",
        "source": play.source,
        "type": "llm.call",
        "time": at.isoformat(),
        "data": {
            "provider": given.provider,
            "model": given.model,
            "status": "success",
            "usage": {"input_tokens": call.input_tokens, "output_tokens": call.output_tokens},
        },
    }


def _post(
    batches: Sequence[Batch], poster: Poster, desk: Desk, started: datetime
) -> tuple[Refused, ...]:
    """Post the batches, each when it is due, a few at once; return what was refused."""
    total = sum(len(batch.events) for batch in batches)
    done = 0

    def post(batch: Batch) -> tuple[Batch, Answer]:
        due_at = started + timedelta(seconds=batch.due_s)
        poster.wait((due_at - desk.clock.now()).total_seconds())
        return batch, poster.post(batch.events)

    refused: list[Refused] = []
    pool = ThreadPoolExecutor(POSTERS)
    try:
        with desk.terminal.progress("calls posted", total) as advance:
            for future in as_completed([pool.submit(post, batch) for batch in batches]):
                batch, answer = future.result()
                refused += answer.refused
                done += len(batch.events)
                advance(len(batch.events))
    except RetryLater as exc:
        raise RetryLater(f"Stopped after {done:,} of {total:,} calls. {exc}") from exc
    finally:
        poster.stop()
        pool.shutdown(cancel_futures=True)
        poster.close()
    return tuple(refused)


def _print(terminal: Terminal, report: Report) -> None:
    """Write the report for a person."""
    rate = report.calls / max(report.seconds, 0.001)
    terminal.say(f"Played {report.file} as {report.provider}/{report.model}")
    terminal.say(f"  accepted  {report.accepted:,} of {report.calls:,} calls")
    terminal.say(f"  tokens    {report.input_tokens:,} in, {report.output_tokens:,} out")
    terminal.say(
        f"  times     {report.first_call_at:%Y-%m-%d %H:%M:%S} to "
        f"{report.last_call_at:%Y-%m-%d %H:%M:%S} UTC"
    )
    terminal.say(f"  took      {report.seconds:.1f} s, {rate:,.0f} calls a second")
    if report.is_repeat:
        terminal.say("It was played before: these are the same events, counted once.")
    if report.refused:
        terminal.say(f"  refused   {len(report.refused):,}")
        shown = [(one.id, one.error) for one in report.refused[:SHOWN_REFUSALS]]
        terminal.table(("event", "why"), shown)
        if len(report.refused) > SHOWN_REFUSALS:
            terminal.say(f"The first {SHOWN_REFUSALS}; --json lists them all.")


def _speed(text: str) -> float:
    """Read a number that is not below zero."""
    if not 0 <= (value := float(text)) < inf:
        raise ArgumentTypeError(f"{text} is not a number from 0 on")
    return value


def _batch(text: str) -> int:
    """Read the size of a batch."""
    if not 1 <= (value := int(text)) <= 1000:
        raise ArgumentTypeError(f"{text} is not between 1 and 1000, the most that the API takes")
    return value
