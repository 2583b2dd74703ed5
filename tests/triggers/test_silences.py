"""Silences over HTTP and by `ops silence`, on the laptop's stack."""

import json
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import requests

from ops.__main__ import main
from ops.console.command import Desk
from ops.console.terminal import Terminal
from tests.factories import event
from tests.fakes import START, FakeClock
from tests.journeys.laptop import TIMEOUT_S, Laptop, laptop, minutes


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Laptop]:
    with laptop(tmp_path, FakeClock(START)) as running:
        yield running


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    """A stack for tests that change nothing."""
    with laptop(tmp_path_factory.mktemp("laptop"), FakeClock(START)) as running:
        yield running


def ask(box: Laptop, method: str, path: str = "", body: object = None) -> requests.Response:
    return box.http.request(
        *(method, f"{box.stack.app_url}/api/silences{path}"),
        json=body,
        headers={"x-functions-key": box.stack.places.key()},
        timeout=TIMEOUT_S,
    )


def ops(box: Laptop, *words: str) -> tuple[int, str, str]:
    """Return the exit code and what was said on both streams."""
    out, err = StringIO(), StringIO()
    environment = {
        "AGENTMETER_URL": box.stack.app_url,
        "AGENTMETER_KEY": box.stack.places.key(),
        "USER": "ada",
    }
    code = main(["silence", *words], Desk(Terminal(out, err), environment, box.clock))
    return code, out.getvalue(), err.getvalue()


def test_a_silence_is_added_listed_and_ended_over_http(box: Laptop) -> None:
    body = {"matchers": ["severity=info"], "ends_at": "2026-11-23T14:00:00Z", "author": "ada"}
    added = ask(box, "POST", body=body)
    assert added.status_code == 201
    silence: dict[str, Any] = added.json()
    assert (silence["state"], silence["starts_at"]) == ("active", START.isoformat())
    assert ask(box, "GET").json() == {"silences": [silence]}
    ended = ask(box, "DELETE", f"/{silence['id']}")
    assert (ended.status_code, ended.json()["state"]) == (200, "ended")
    assert ask(box, "GET").json() == {"silences": [ended.json()]}


def test_a_method_that_no_binding_names_is_404_where_two_share_the_path(untouched: Laptop) -> None:
    assert ask(untouched, "TRACE").status_code == 404
    alone = ask(untouched, "TRACE", "/4f1d0c62a7be")
    assert (alone.status_code, alone.headers["Allow"]) == (405, "DELETE")


def test_what_cannot_be_done_is_said_with_its_remedy(untouched: Laptop) -> None:
    refused = ask(untouched, "POST", body={"matchers": ["nonsense"]})
    assert refused.status_code == 400
    assert "write name=value" in refused.json()["error"]
    assert "author: Field required" in refused.json()["error"]
    unknown = ask(untouched, "DELETE", "/4f1d0c62a7be")
    assert unknown.status_code == 404
    assert "GET /api/silences lists them" in unknown.json()["error"]
    assert ask(untouched, "GET").json() == {"silences": []}


def test_a_silence_keeps_the_pager_still_and_then_it_does_not(box: Laptop) -> None:
    code, said, _ = ops(box, "add", "alertname=~High.*", "--for", "5m", "--comment", "x", "--json")
    assert code == 0
    (silence,) = json.loads(said)
    for at in minutes(START, 7):
        box.clock.advance(seconds=(at - box.clock.now()).total_seconds())
        slices = [at - timedelta(seconds=15 * n) for n in range(1, 5)]
        box.post(
            [
                event("error", count=300) | {"id": f"{moment}", "time": moment.isoformat()}
                for moment in slices
            ]
        )
        box.tick(at)
        if at == minutes(START, 4)[-1]:
            states = {
                one["rule"]: one["muted_by"] for one in box.get("/api/alerts").json()["rules"]
            }
            assert states["HighErrorRate/critical"] == f"silence {silence['id']}"
            assert box.incidents() == []
    (incident,) = box.incidents()
    assert incident.opened_at == minutes(START, 5)[-1]


def test_ops_lists_and_ends_silences(box: Laptop) -> None:
    when = ("--days", "sat,sun", "--between", "22:00-06:00", "--zone", "Europe/Berlin")
    assert ops(box, "add", "severity=warning", "Model!=gpt-4", *when, "--for", "30d")[0] == 0
    code, said, _ = ops(box, "list")
    head, row = said.splitlines()
    assert code == 0
    assert head.split()[:3] == ["id", "state", "matchers"]
    assert "severity=warning Model!=gpt-4" in row
    assert "sat sun 22:00:00-06:00:00 Europe/Berlin  ada" in row
    id = row.split()[0]
    assert ops(box, "end", id)[1].splitlines()[1].split()[:2] == [id, "ended"]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("add",), 2, "Name at least one matcher."),
        (("end",), 2, "Name the id to end."),
        (("add", "a=b", "--between", "22:00"), 2, "Write it as 22:00-06:00."),
        (("add", "a"), 1, "The API answered 400: matchers.0"),
        (("end", "nobody"), 1, "The API answered 404: There is no silence 'nobody'."),
        (("list", "--key", "wrong"), 1, "The API answered 401"),
        (("list", "--url", "http://127.0.0.1:1"), 1, "did not answer"),
    ],
)
def test_ops_says_what_went_wrong(
    untouched: Laptop, words: tuple[str, ...], code: int, says: str
) -> None:
    found, _, err = ops(untouched, *words)
    assert (found, says in err) == (code, True), err
