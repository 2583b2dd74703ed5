"""`ops page` serves the page over a deployment: a local stack, known by its addresses alone."""

import io
from collections.abc import Generator
from datetime import datetime, timedelta
from threading import Event, Thread

import pytest
import requests
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from local.page.app import Upstream, create_app
from local.server import serve
from ops.__main__ import main
from ops.console.bearer import Bearer
from ops.console.command import Desk
from ops.console.terminal import Terminal
from shared.adapters.azure.identity import Identity
from shared.errors import Misconfigured
from tests.fakes import START, FakeClock
from tests.loopback import Loopback, Reply, Request, loopback

WORKSPACE = "/v1/workspaces/w-1/query"


def deployed(request: Request) -> Reply:
    return Reply(200, b'{"tables": []}' if request.path == WORKSPACE else b'{"alerts": []}')


@pytest.fixture
def deployment() -> Generator[Loopback]:
    with loopback(deployed) as server:
        yield server


class Person:
    """Someone who starts the page, uses it, and types Ctrl-C."""

    def __init__(self, **environment: str) -> None:
        self.out, self.err = io.StringIO(), io.StringIO()
        self.enough, self.waits = Event(), Event()
        self.environment = environment

    def starts(self, *words: str) -> int:
        desk = Desk(Terminal(self.out, self.err), self.environment, FakeClock(), self._waits)
        return main(["page", "--port", "0", *words], desk)

    def _waits(self, seconds: float) -> None:
        self.waits.set()
        self.enough.wait()
        raise KeyboardInterrupt


def test_the_page_asks_the_deployment_with_the_key(deployment: Loopback) -> None:
    person = Person(
        AGENTMETER_URL=deployment.url,
        AGENTMETER_KEY="a-key",
        LOGS_WORKSPACE_ID="w-1",
        LOGS_ENDPOINT=deployment.url,
    )
    thread = Thread(target=person.starts)
    thread.start()
    assert person.waits.wait(30)
    url = next(word for word in person.err.getvalue().split() if word.startswith("http"))
    try:
        assert requests.get(f"{url}api/alerts", timeout=10).json() == {"alerts": []}
        assert requests.post(f"{url}query", json={"query": "x"}, timeout=10).ok
        assert requests.get(f"{url}stack", timeout=10).json()["laptop"] is False
        absent = [requests.get(f"{url}{name}", timeout=10) for name in ("incidents", "queues")]
    finally:
        person.enough.set()
        thread.join(30)
    asked, queried = deployment.received
    assert (asked.path, asked.headers["x-functions-key"]) == ("/api/alerts", "a-key")
    assert (queried.path, queried.body) == (WORKSPACE, b'{"query": "x"}')
    assert "x-functions-key" not in queried.headers
    assert [answer.status_code for answer in absent] == [501, 501]
    assert "PagerDuty" in absent[0].json()["error"]
    assert "ops poison list" in absent[1].json()["error"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param((), "with --url or AGENTMETER_URL", id="no-api"),
        pytest.param(("--url", "https://a.example"), "--workspace or LOGS", id="no-workspace"),
        pytest.param(("--url", "http://a.example", "--workspace", "w"), "Use https", id="plain"),
    ],
)
def test_what_is_missing_is_named(words: tuple[str, ...], said: str) -> None:
    person = Person()
    assert person.starts(*words) == 2
    assert said in person.err.getvalue()


class Azure:
    """Gives tokens of an hour, or none."""

    def __init__(self, clock: FakeClock, *, gives: bool = True) -> None:
        self._clock, self._gives = clock, gives
        self.asked: list[str] = []

    def get_token(self, *scopes: str, **_: object) -> AccessToken:
        self.asked += scopes
        if not self._gives:
            raise ClientAuthenticationError("a secret reason")
        ends: datetime = self._clock.now() + timedelta(hours=1)
        return AccessToken(f"token-{len(self.asked)}", int(ends.timestamp()))


def bearer(azure: Azure, clock: FakeClock) -> Bearer:
    identity = Identity(make=lambda _: azure, who="your account", remedy="Sign in with `az login`.")
    return Bearer(identity, "https://api.loganalytics.io", clock)


def test_a_token_is_kept_until_shortly_before_its_end() -> None:
    clock = FakeClock(START)
    azure = Azure(clock)
    signs = bearer(azure, clock)
    tokens = list[str]()
    for minutes in (0, 54, 2):
        clock.advance(minutes=minutes)
        tokens.append(signs.headers()["Authorization"])
    assert tokens == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]
    assert azure.asked == ["https://api.loganalytics.io/.default"] * 2


def test_without_a_token_the_page_says_what_to_do(deployment: Loopback) -> None:
    clock = FakeClock(START)
    sign = bearer(Azure(clock, gives=False), clock).headers
    with pytest.raises(Misconfigured, match=r"got no token\. Sign in with `az login`"):
        sign()
    server = serve(create_app(Upstream(deployment.url, "", f"{deployment.url}{WORKSPACE}", sign)))
    try:
        answer = requests.post(f"{server.url}/query", json={}, timeout=10)
    finally:
        server.stop()
    assert (answer.status_code, deployment.received) == (502, [])
    assert answer.json()["error"].endswith("Sign in with `az login`.")
    assert "secret" not in answer.text
