"""The laptop's servers answer this machine's own tools and pages alone."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from local.run import keep_private
from tests.fakes import START, FakeClock
from tests.journeys.laptop import TIMEOUT_S, Laptop, laptop

EVIL = [
    pytest.param({"host": "evil.example"}, 400, id="rebound-name"),
    pytest.param({"origin": "http://evil.example"}, 403, id="other-origin"),
    pytest.param({"origin": "null"}, 403, id="sandboxed-frame"),
    pytest.param({"sec-fetch-site": "cross-site"}, 403, id="cross-site"),
]


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    with laptop(tmp_path_factory.mktemp("home"), FakeClock(START)) as running:
        yield running


def posts(box: Laptop) -> dict[str, str]:
    """Return a URL of each server that changes something or asks much."""
    stack = box.stack
    return {
        "page": f"{stack.page_url}/api/silences",
        "API": f"{stack.app_url}/api/events?code={stack.places.key()}",
        "ingestion": f"{stack.query_url}/v2.1/track",
        "query": f"{stack.query_url}/v1/workspaces/local/query",
        "faults": f"{stack.query_url}/faults",
        "pager": f"{stack.pagerduty_url}/v2/enqueue",
        "pager faults": f"{stack.pagerduty_url}/faults",
        "queues": f"{stack.queue_url}/laptop/usage-events/messages",
    }


@pytest.mark.parametrize(("headers", "status"), EVIL)
def test_no_server_obeys_another_hosts_page(
    box: Laptop, headers: dict[str, str], status: int
) -> None:
    for name, url in posts(box).items():
        answer = requests.post(url, json={}, headers=headers, timeout=TIMEOUT_S)
        assert (name, answer.status_code) == (name, status)


def test_no_server_answers_a_rebound_name(box: Laptop) -> None:
    for url in (box.stack.query_url, box.stack.pagerduty_url, box.stack.app_url):
        answer = requests.get(url, headers={"host": "evil.example"}, timeout=TIMEOUT_S)
        assert answer.status_code == 400


@pytest.mark.parametrize("kind", ["text/plain", "text/plain; charset=UTF-8", "multipart/form-data"])
def test_servers_without_a_key_take_no_forms(box: Laptop, kind: str) -> None:
    for name in ("ingestion", "query", "faults", "pager", "pager faults"):
        answer = requests.post(
            posts(box)[name], data=b"{}", headers={"content-type": kind}, timeout=TIMEOUT_S
        )
        assert (name, answer.status_code) == (name, 415)


def test_the_state_is_this_users_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    spilled = home / "monitor.duckdb.tmp"
    spilled.mkdir(parents=True)
    for old in (home / "state.db", spilled / "1.block"):
        old.write_text("old")
        old.chmod(0o644)
    before = os.umask(0o022)
    try:
        keep_private(home)
        (home / "new.db").write_text("new")
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (home, *home.rglob("*"))}
    assert modes == {
        **{"home": 0o700, "monitor.duckdb.tmp": 0o700},
        **{"state.db": 0o600, "1.block": 0o600, "new.db": 0o600},
    }


def test_what_is_not_ours_in_the_folder_stays_as_it_is(tmp_path: Path) -> None:
    script = tmp_path / "bin" / "tool"
    script.parent.mkdir()
    for path in (script, tmp_path / "state.db"):
        path.write_text("old")
        path.chmod(0o755)
    tmp_path.chmod(0o755)
    before = os.umask(0o022)
    try:
        keep_private(tmp_path)
    finally:
        os.umask(before)
    modes = [path.stat().st_mode & 0o777 for path in (tmp_path, script, tmp_path / "state.db")]
    assert modes == [0o755, 0o755, 0o600]
