"""`ops play` against an API on loopback that stores, refuses, is busy, and dies."""

import io
import json
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from ops.__main__ import main
from ops.console.command import Desk
from ops.console.terminal import Terminal
from shared.clock import Clock, SystemClock
from shared.events.types import AgentEvent, LlmCall
from tests.fakes import FakeClock
from tests.loopback import Behaviour, Reply, Request, loopback

AGENT_EVENT: TypeAdapter[AgentEvent] = TypeAdapter(AgentEvent)
HEAD = "TIMESTAMP,ContextTokens,GeneratedTokens\r\n"
TRACE = HEAD + (
    "2023-11-16 18:17:03.9799600,4808,10\r\n"
    "2023-11-16 18:17:04.0319600,3180,8\r\n"
    "2023-11-16 18:17:04.3799600,110,27\r\n"
)
KEY = "the-function-key"


@dataclass
class Api:
    """Keeps what it accepts, one of each identity; `rule` may answer for it.

    posts: when a batch arrived, and its events.
    """

    rule: Callable[[int], Behaviour | None] = lambda _: None
    url: str = ""
    stored: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    posts: list[tuple[datetime, list[dict[str, Any]]]] = field(
        default_factory=list[tuple[datetime, list[dict[str, Any]]]]
    )
    lock: threading.Lock = field(default_factory=threading.Lock)

    def behave(self, request: Request) -> Behaviour:
        """Take the batch, unless the rule, which is told how many came, says otherwise."""
        assert request.path == "/api/events"
        assert request.headers["content-encoding"] == "gzip"
        if request.headers["x-functions-key"] != KEY:
            return Reply(401)
        with self.lock:
            events = request.json()
            self.posts.append((SystemClock().now(), events))
            if behaviour := self.rule(len(self.posts)):
                return behaviour
            self.stored |= {f"{event['source']} {event['id']}": event for event in events}
            return says(202, accepted=len(events))


def says(status: int, headers: Mapping[str, str] | None = None, **body: object) -> Reply:
    return Reply(status, json.dumps(body).encode(), headers or {})


@dataclass
class Operator:
    """Types commands in a folder of their own."""

    folder: Path
    environment: dict[str, str]
    clock: Clock = field(default_factory=SystemClock)

    def play(self, *more: str, file: str = "trace.csv", model: str = "gpt-4") -> int:
        self.out, self.err = io.StringIO(), io.StringIO()
        terminal = Terminal(self.out, self.err)
        argv = ["play", str(self.folder / file), "--provider", "openai", "--model", model, *more]
        return main(argv, Desk(terminal, self.environment, self.clock))

    @property
    def said(self) -> str:
        return self.out.getvalue() + self.err.getvalue()


@pytest.fixture
def api() -> Iterator[Api]:
    api = Api()
    with loopback(api.behave) as server:
        api.url = server.url
        yield api


@pytest.fixture
def operator(tmp_path: Path, api: Api) -> Operator:
    (tmp_path / "trace.csv").write_bytes(TRACE.encode())
    (tmp_path / "long.csv").write_text(
        HEAD + "".join(f"2023-11-16 18:{n // 60:02}:{n % 60:02}.5,{n},1\n" for n in range(900))
    )
    (tmp_path / "home").mkdir()
    local = {"function_key": KEY, "app_url": api.url, "query_url": "http://127.0.0.1:1"}
    (tmp_path / "home" / "local.json").write_text(json.dumps(local))
    return Operator(tmp_path, {"AGENTMETER_HOME": str(tmp_path / "home")})


def test_each_row_becomes_a_valid_call_with_the_row_s_tokens(operator: Operator, api: Api) -> None:
    assert operator.play() == 0
    events = [AGENT_EVENT.validate_python(event) for event in api.stored.values()]
    calls = [event.data for event in events if isinstance(event.data, LlmCall)]
    tokens = [(c.usage.input_tokens, c.usage.output_tokens) for c in calls if c.usage]
    assert sorted(tokens) == [(110, 27), (3180, 8), (4808, 10)]
    assert {(c.provider, c.model, c.status) for c in calls} == {("openai", "gpt-4", "success")}
    assert {event.source for event in events} == {"play/trace"}
    assert "accepted  3 of 3 calls" in operator.said
    assert "8,098 in, 45 out" in operator.said


def test_the_calls_keep_their_distances_and_the_last_is_now(operator: Operator, api: Api) -> None:
    now = datetime(2026, 5, 1, 12, tzinfo=UTC)
    operator.clock = FakeClock(now)
    assert operator.play() == 0
    times = sorted(datetime.fromisoformat(event["time"]) for event in api.stored.values())
    assert [now - at for at in times] == [
        timedelta(milliseconds=400),
        timedelta(milliseconds=348),
        timedelta(0),
    ]


def test_a_repeat_is_the_same_events_wherever_the_file_lies(operator: Operator, api: Api) -> None:
    assert operator.play() == 0
    first = dict(api.stored)
    shutil.copy(operator.folder / "trace.csv", operator.folder / "copy.csv")
    assert operator.play(file="copy.csv") == 0
    assert len(api.posts) == 2
    assert api.posts[0][1] == api.posts[1][1]
    assert api.stored == first
    assert "played before" in operator.said


def test_under_another_model_it_is_other_calls(operator: Operator, api: Api) -> None:
    assert operator.play() == 0
    assert operator.play(model="anthropic/claude:3") == 0
    assert len(api.stored) == 6


def test_a_repeat_that_would_be_counted_again_is_refused(operator: Operator, api: Api) -> None:
    operator.clock = FakeClock(datetime(2026, 5, 1, 12, tzinfo=UTC))
    assert operator.play() == 0
    operator.clock = FakeClock(datetime(2026, 5, 9, 13, tzinfo=UTC))
    assert operator.play() == 2
    assert "as new calls" in operator.said
    assert len(api.posts) == 1


def test_a_busy_api_is_asked_again_when_it_says(operator: Operator, api: Api) -> None:
    busy = says(429, {"Retry-After": "1"}, error="Too many.")
    api.rule = lambda posts: busy if posts == 1 else None
    assert operator.play() == 0
    assert len(api.stored) == 3
    assert api.posts[1][0] - api.posts[0][0] >= timedelta(seconds=0.9)


def test_an_api_that_stays_busy_is_left_after_the_patience(operator: Operator, api: Api) -> None:
    api.rule = lambda _: says(503, error="The queue is full.")
    assert operator.play("--patience", "1.4") == 1
    assert "takes no events (503, The queue is full). Trying 1 s more." in operator.said
    assert "Stopped after 0 of 3 calls" in operator.said


def test_a_play_goes_on_through_a_restart_of_the_api(operator: Operator, api: Api) -> None:
    api.rule = lambda posts: "hang up" if 5 < posts < 11 else None
    assert operator.play("--batch", "20", file="long.csv") == 0
    assert len(api.stored) == 900


def test_a_play_that_was_cut_off_is_completed_by_a_repeat(operator: Operator, api: Api) -> None:
    api.rule = lambda posts: "hang up" if posts > 10 else None
    assert operator.play("--batch", "20", "--patience", "0.3", file="long.csv") == 1
    assert "repeat the command" in operator.said
    half = dict(api.stored)
    assert 0 < len(half) < 900
    api.rule = lambda _: None
    assert operator.play("--batch", "33", file="long.csv") == 0
    assert len(api.stored) == 900
    assert {name: api.stored[name] for name in half} == half


def test_refused_calls_are_shown_with_the_reason(operator: Operator, api: Api) -> None:
    refusal = {"index": 1, "id": None, "error": "model is too long. Shorten it"}
    api.rule = lambda _: says(207, accepted=2, rejected=[refusal])
    assert operator.play("--json") == 1
    report = json.loads(operator.out.getvalue())
    assert (report["calls"], report["accepted"]) == (3, 2)
    assert report["refused"] == [{"id": api.posts[0][1][1]["id"], "error": refusal["error"]}]
    assert operator.play() == 1
    assert "model is too long. Shorten it" in operator.said


def test_a_batch_of_nothing_but_refused_calls_is_no_failure_to_send(
    operator: Operator, api: Api
) -> None:
    rejected = [{"index": n, "id": None, "error": "Wrong."} for n in range(3)]
    api.rule = lambda _: says(400, error="None.", accepted=0, rejected=rejected)
    assert operator.play("--json") == 1
    assert len(json.loads(operator.out.getvalue())["refused"]) == 3


def test_a_request_that_can_never_succeed_ends_the_play(operator: Operator, api: Api) -> None:
    api.rule = lambda _: says(413, error="Too large. Split the batch.")
    assert operator.play() == 1
    assert operator.err.getvalue().splitlines() == [
        f"play: {api.url}/api/events answers 413: Too large. Split the batch."
    ]


def test_a_wrong_key_is_reported_without_being_shown(operator: Operator, api: Api) -> None:
    assert operator.play("--url", api.url + "/", "--key", "sesame") == 2
    assert "AGENTMETER_KEY" in operator.said
    assert "sesame" not in operator.said


def test_url_and_key_may_come_from_the_environment(operator: Operator, api: Api) -> None:
    operator.environment = {
        "AGENTMETER_HOME": str(operator.folder / "elsewhere"),
        "AGENTMETER_URL": api.url,
        "AGENTMETER_KEY": KEY,
    }
    assert operator.play() == 0
    assert len(api.stored) == 3


def test_with_no_stack_it_says_how_to_start_one(operator: Operator) -> None:
    operator.environment = {"AGENTMETER_HOME": str(operator.folder / "elsewhere")}
    assert operator.play() == 2
    assert "make run" in operator.said


def test_a_stack_that_died_is_not_waited_for(operator: Operator) -> None:
    with loopback(lambda _: Reply()) as dead:
        gone = dead.url
    assert operator.play("--url", gone) == 1
    assert f"Nothing answers at {gone}" in operator.said
    assert "make run" in operator.said


def test_at_a_speed_calls_are_posted_when_their_second_has_come(
    operator: Operator, api: Api
) -> None:
    rows = ("00:00.0", "00:00.2", "00:02.0")
    (operator.folder / "slow.csv").write_text(
        HEAD + "".join(f"2023-11-16 18:{row},1,1\n" for row in rows)
    )
    assert operator.play("--speed", "2", file="slow.csv") == 0
    assert [len(events) for _, events in api.posts] == [2, 1]
    for arrived, events in api.posts:
        assert datetime.fromisoformat(events[-1]["time"]) <= arrived
    assert api.posts[1][0] - api.posts[0][0] >= timedelta(seconds=0.8)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param("", "has no column TIMESTAMP, ContextTokens", id="empty"),
        pytest.param("TIMESTAMP,Tokens\n", "has no column ContextTokens", id="other columns"),
        pytest.param(HEAD, "holds no calls", id="no rows"),
        pytest.param(HEAD + "2026-01-01 00:00:00,x,1\n", "row 1: invalid literal", id="no number"),
        pytest.param(HEAD + "2026-01-01 00:00:00,1\n", "row 1: invalid literal", id="short row"),
        pytest.param(HEAD + "2026-01-01 00:00:00,1,-1\n", "row 1: tokens below zero", id="minus"),
        pytest.param(HEAD + "yesterday,1,1\n", "row 1: Invalid isoformat", id="no time"),
        pytest.param("\xff\xfe", "cannot be read", id="no text"),
    ],
)
def test_a_file_that_is_no_trace_is_named_with_its_fault(
    operator: Operator, content: str, said: str
) -> None:
    (operator.folder / "bad.csv").write_bytes(content.encode("latin-1"))
    assert operator.play(file="bad.csv") == 2
    assert said in operator.said
    assert len(operator.err.getvalue().splitlines()) == 1


def test_a_missing_file_is_named(operator: Operator) -> None:
    assert operator.play(file="none.csv") == 2
    assert "none.csv" in operator.said


@pytest.mark.parametrize(
    "option", [("--speed", "-1"), ("--speed", "nan"), ("--batch", "0"), ("--batch", "1001")]
)
def test_a_number_out_of_range_is_a_misuse(
    operator: Operator, option: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        operator.play(*option)
    assert option[0] in capsys.readouterr().err
