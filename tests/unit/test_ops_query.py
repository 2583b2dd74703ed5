"""`ops query` through the real Logs client, against a query API on loopback."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ops.__main__ import main
from ops.console.command import Desk
from ops.console.terminal import Terminal
from tests.fakes import FakeClock
from tests.loopback import Loopback, Reply, loopback

NOW = datetime(2026, 5, 2, 12, tzinfo=UTC)
ANSWER = {
    "tables": [
        {
            "name": "PrimaryResult",
            "columns": [
                {"name": "Model", "type": "string"},
                {"name": "usd", "type": "real"},
                {"name": "last", "type": "datetime"},
                {"name": "Tenant", "type": "string"},
            ],
            "rows": [
                ["gpt-4", 556.55298, "2026-05-02T11:59:00.0000000Z", ""],
                ["no-price", "NaN", "2026-05-02T11:59:30.2500000Z", ""],
            ],
        }
    ]
}
FAULT = {
    "error": {
        "message": "The request had some invalid properties",
        "code": "BadArgumentError",
        "innererror": {
            "code": "SyntaxError",
            "message": "Query could not be parsed at 'whre'",
            "line": 1,
            "pos": 14,
        },
    }
}


@dataclass
class Operator:
    """Types queries; keeps what was said."""

    environment: dict[str, str]
    out: io.StringIO = field(default_factory=io.StringIO)
    err: io.StringIO = field(default_factory=io.StringIO)

    def query(self, *argv: str) -> int:
        desk = Desk(Terminal(self.out, self.err), self.environment, FakeClock(NOW))
        return main(["query", *argv], desk)


@pytest.fixture
def service() -> Iterator[Loopback]:
    def answer(request: Any) -> Reply:
        wrong = "whre" in request.json()["query"]
        return Reply(
            400 if wrong else 200,
            json.dumps(FAULT if wrong else ANSWER).encode(),
            {"Content-Type": "application/json"},
        )

    with loopback(answer) as server:
        yield server


@pytest.fixture
def operator(tmp_path: Path, service: Loopback) -> Operator:
    local = {"function_key": "k", "app_url": "http://127.0.0.1:1", "query_url": service.url}
    (tmp_path / "local.json").write_text(json.dumps(local))
    return Operator({"AGENTMETER_HOME": str(tmp_path)})


def test_the_answer_is_an_aligned_table(operator: Operator) -> None:
    assert operator.query("UsageEvents") == 0
    assert operator.out.getvalue().splitlines() == [
        "Model           usd  last",
        "gpt-4     556.55298  2026-05-02 11:59:00Z",
        "no-price        nan  2026-05-02 11:59:30Z",
    ]
    assert operator.err.getvalue() == "Empty columns left out: 1; --json has them.\n"


def test_for_machines_it_is_a_list_of_row_objects(operator: Operator) -> None:
    assert operator.query("UsageEvents", "--json") == 0
    assert json.loads(operator.out.getvalue()) == [
        {"Model": "gpt-4", "usd": 556.55298, "last": "2026-05-02T11:59:00Z", "Tenant": ""},
        {"Model": "no-price", "usd": "nan", "last": "2026-05-02T11:59:30.250000Z", "Tenant": ""},
    ]


@pytest.mark.parametrize(
    ("options", "start", "end"),
    [
        pytest.param((), "2026-05-01T12:00", "2026-05-02T12:00", id="a day by default"),
        pytest.param(("--last", "90s"), "2026-05-02T11:58:30", "2026-05-02T12:00", id="last"),
        pytest.param(
            ("--from", "2026-05-02T10:00:00+02:00", "--to", "2026-05-02T09:00"),
            "2026-05-02T08:00",
            "2026-05-02T09:00",
            id="from and to",
        ),
        pytest.param(
            ("--to", "2026-05-02", "--last", "1h"), "2026-05-01T23:00", "2026-05-02", id="to, last"
        ),
    ],
)
def test_the_time_that_was_asked_for_is_sent(
    operator: Operator, service: Loopback, options: tuple[str, ...], start: str, end: str
) -> None:
    assert operator.query("UsageEvents", *options) == 0
    sent = service.received[0].json()["timespan"].split("/")
    wanted = [datetime.fromisoformat(moment).replace(tzinfo=UTC) for moment in (start, end)]
    assert [datetime.fromisoformat(moment) for moment in sent] == wanted


def test_a_wrong_query_shows_the_service_s_message_and_the_place(operator: Operator) -> None:
    assert operator.query("UsageEvents | whre x") == 1
    assert operator.err.getvalue().splitlines() == [
        "query: Query could not be parsed at 'whre' (line 1, position 14)"
    ]


def test_without_a_stack_the_workspace_of_the_settings_is_asked(
    tmp_path: Path, service: Loopback
) -> None:
    operator = Operator(
        {
            "AGENTMETER_HOME": str(tmp_path),
            "LOGS_WORKSPACE_ID": "the-workspace",
            "LOGS_ENDPOINT": service.url,
        }
    )
    assert operator.query("UsageEvents") == 0
    assert service.received[0].path == "/v1/workspaces/the-workspace/query"


def test_a_stack_that_died_is_reported_with_the_remedy(operator: Operator, tmp_path: Path) -> None:
    with loopback(lambda _: Reply()) as dead:
        local = {"function_key": "k", "app_url": dead.url, "query_url": dead.url}
    (tmp_path / "local.json").write_text(json.dumps(local))
    assert operator.query("UsageEvents") == 1
    assert "make run" in operator.err.getvalue()


def test_a_damaged_description_of_the_stack_shows_no_key(
    operator: Operator, tmp_path: Path
) -> None:
    (tmp_path / "local.json").write_text('{"function_key": "sesame"')
    assert operator.query("UsageEvents") == 2
    assert "make run" in operator.err.getvalue()
    assert "sesame" not in operator.err.getvalue()


def test_with_nothing_to_ask_it_says_what_to_do(tmp_path: Path) -> None:
    operator = Operator({"AGENTMETER_HOME": str(tmp_path)})
    assert operator.query("UsageEvents") == 2
    assert "LOGS_WORKSPACE_ID" in operator.err.getvalue()


@pytest.mark.parametrize(
    "options",
    [
        ("--last", "5 minutes"),
        ("--last", "0m"),
        ("--from", "yesterday"),
    ],
)
def test_a_time_that_is_none_is_a_misuse(
    operator: Operator, options: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        operator.query("UsageEvents", *options)
    assert "such as" in capsys.readouterr().err


def test_a_time_that_runs_backwards_is_a_misuse(operator: Operator) -> None:
    assert operator.query("UsageEvents", "--from", "2026-05-03") == 2
    assert "Swap them" in operator.err.getvalue()
