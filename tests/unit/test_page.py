"""The page's server: who may ask it what, and what it hands out."""

import hashlib
import json
import re
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import requests

from local.page import workbooks
from local.page.app import STATIC, Upstream, create_app
from local.server import serve
from shared.usecases.spending.period import NAMES
from tests.loopback import Loopback, Reply, loopback

KEY = "a-key-that-no-browser-sees"
MASTER_KEY = "nor-this-one"
TEXTS = sorted(path for path in STATIC.rglob("*") if path.suffix in {".js", ".css", ".html"})
OWN = [path for path in TEXTS if "vendor" not in path.parts]
OTHER_HOST = re.compile(r"(?:https?:)?//(?!www\.w3\.org/)[a-z0-9-]+\.[a-z]{2,}", re.IGNORECASE)


@pytest.fixture
def behind() -> Generator[Loopback]:
    with loopback(lambda request: Reply(200, b'{"said": "hello"}')) as server:
        yield server


def upstream_of(url: str) -> Upstream:
    return Upstream(
        app_url=url,
        key=KEY,
        query_url=f"{url}/v1/workspaces/local/query",
        master_key=MASTER_KEY,
        pagerduty_url=url,
        described="/home/local.json",
    )


@pytest.fixture
def page(behind: Loopback) -> Generator[str]:
    upstream = upstream_of(behind.url)
    server = serve(create_app(upstream))
    try:
        yield server.url
    finally:
        server.stop()


def ask(url: str, method: str = "GET", **more: Any) -> requests.Response:
    return requests.request(method, url, timeout=10, **more)


def test_the_first_event_is_reported_without_the_key(behind: Loopback, page: str) -> None:
    answer = ask(f"{page}/stack")
    assert answer.json() == {"app_url": behind.url, "described": "/home/local.json", "laptop": True}


def test_the_app_is_asked_with_the_key_and_the_same_words(page: str, behind: Loopback) -> None:
    answer = ask(f"{page}/api/alerts/A%2Fcritical/why?at=1%202")
    assert answer.json() == {"said": "hello"}
    (received,) = behind.received
    assert received.path.replace("+", "%20") == "/api/alerts/A%2Fcritical/why?at=1%202"
    assert received.headers["x-functions-key"] == KEY


def test_the_key_goes_to_the_app_alone(page: str, behind: Loopback) -> None:
    for path in ("/incidents", "/pages"):
        ask(f"{page}{path}")
    ask(f"{page}/query", "POST", json={"query": "UsageEvents"})
    assert [request.path for request in behind.received] == [
        "/incidents",
        "/events",
        "/v1/workspaces/local/query",
    ]
    assert all("x-functions-key" not in request.headers for request in behind.received)
    assert json.loads(behind.received[-1].body) == {"query": "UsageEvents"}


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "[::1", ""])
def test_a_name_that_is_not_its_own_gets_nothing(page: str, behind: Loopback, host: str) -> None:
    assert ask(f"{page}/api/alerts", headers={"host": host}).status_code == 400
    assert behind.received == []


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"origin": "http://evil.example"}, id="another origin"),
        pytest.param({"origin": "null"}, id="a sandboxed frame"),
        pytest.param({"origin": "http://127.0.0.1:1"}, id="another port"),
        pytest.param({"sec-fetch-site": "cross-site"}, id="a browser that says so"),
        pytest.param({"sec-fetch-site": "same-site"}, id="another server of this machine"),
    ],
)
def test_other_pages_change_and_query_nothing(
    page: str, behind: Loopback, headers: dict[str, str]
) -> None:
    for method, path in (
        ("POST", "/api/silences"),
        ("DELETE", "/api/silences/a"),
        ("POST", "/query"),
    ):
        assert ask(f"{page}{path}", method, headers=headers).status_code == 403
    assert behind.received == []


def test_the_page_itself_changes_silences_and_verdicts_and_nothing_else(
    page: str, behind: Loopback
) -> None:
    own = {"origin": page, "sec-fetch-site": "same-origin"}
    asked = [
        ("POST", "/api/silences"),
        ("DELETE", "/api/silences/a"),
        ("POST", "/api/alerts/a/verdict"),
    ]
    assert [ask(page + path, method, headers=own).status_code for method, path in asked] == [
        200
    ] * 3
    assert ask(f"{page}/api/events", "POST", headers=own).status_code == 405
    assert ask(f"{page}/admin/queues", headers=own).status_code == 404
    assert len(behind.received) == 3


def test_a_server_that_is_away_is_an_answer_with_a_remedy() -> None:
    nowhere = "http://127.0.0.1:9"
    server = serve(create_app(upstream_of(nowhere)))
    try:
        answer = ask(f"{server.url}/api/alerts?code=x")
    finally:
        server.stop()
    assert answer.status_code == 502
    assert answer.json()["error"].startswith(f"{nowhere}/api/alerts does not answer")
    assert KEY not in answer.text


def test_every_answer_forbids_what_the_page_does_not_need(page: str) -> None:
    for path in ("/", "/static/js/main.js", "/api/alerts", "/no-such"):
        policy = ask(f"{page}{path}").headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


def test_workbooks_are_read_by_name_alone(page: str) -> None:
    names = ask(f"{page}/workbooks").json()
    assert names == workbooks.names()
    for name in names:
        assert ask(f"{page}/workbooks/{name}").json()["version"] == "Notebook/1.0"
    for name in ("none", "..%2F..%2Fpyproject.toml", "%2e%2e"):
        assert ask(f"{page}/workbooks/{name}").status_code == 404


def test_static_files_end_at_their_folder(page: str) -> None:
    assert ask(f"{page}/static/js/dom.js").status_code == 200
    assert ask(f"{page}/static/..%2fapp.py").status_code == 404


def test_the_chart_library_is_as_published() -> None:
    listed = (STATIC / "vendor" / "SHA256SUMS").read_text(encoding="ascii").splitlines()
    sums = {name: digest for digest, name in (line.split() for line in listed)}
    for name, digest in sums.items():
        assert hashlib.sha256((STATIC / "vendor" / name).read_bytes()).hexdigest() == digest
    kept = {path.name for path in (STATIC / "vendor").iterdir()}
    assert kept == {*sums, "README.md", "SHA256SUMS"}


def test_each_calendar_period_of_the_api_is_offered() -> None:
    text = (STATIC / "js" / "periods.js").read_text(encoding="utf-8")
    assert {*NAMES} <= {*re.findall(r'\["(\w+)", "', text)}


@pytest.mark.parametrize("path", OWN, ids=[path.name for path in OWN])
def test_files_are_small_and_name_no_other_host(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") < 300
    assert OTHER_HOST.search(text) is None
