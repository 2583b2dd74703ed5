"""The local host's keys: which opens what, and who may make them."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest

from standin.functions_host.keys import Keys
from tests.fakes import FakeClock
from tests.host_sample import KEY, MASTER_KEY, Seen, Site, sample_host, serving

WITH_KEY = {"x-functions-key": KEY}
AS_MASTER = {"x-functions-key": MASTER_KEY}


def within(seconds: float, holds: Callable[[], bool]) -> None:
    """Wait until it holds, at most so long."""
    end, pause = time.monotonic() + seconds, Event()
    while not holds():
        assert time.monotonic() < end
        pause.wait(0.01)


@pytest.fixture
def site() -> Iterator[Site]:
    seen = Seen()
    host = sample_host(seen, FakeClock())
    with serving(host) as url:
        yield Site(url, host, seen)


def test_an_operator_sees_the_queues_and_runs_functions_with_the_master_key(site: Site) -> None:
    ran = site.call("POST", "/admin/functions/look", headers=AS_MASTER)
    assert ran.status_code == 202
    ran = site.call("POST", "/admin/functions/do_work", json={"input": "hi"}, headers=AS_MASTER)
    assert ran.status_code == 202
    within(5, lambda: len(site.seen.ticks) == 1 and len(site.seen.messages) == 1)
    assert site.seen.messages == [("", b"hi", 0)]
    assert site.call("POST", "/admin/functions/nobody", headers=AS_MASTER).status_code == 404
    bad = site.call("POST", "/admin/functions/look", data=b"[", headers=AS_MASTER)
    assert bad.status_code == 400
    site.host.enqueue("Work-Items", "one")
    depths = site.call("GET", "/admin/queues", headers=AS_MASTER).json()["queues"]
    assert depths == {"work-items": {"visible": 1, "invisible": 0, "oldest_age_s": 0.0}}
    status = site.call("GET", "/admin/host/status", headers=AS_MASTER).json()
    assert status["state"] == "Running"
    assert "do_work" in status["functions"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/admin/host/status"),
        ("GET", "/admin/queues"),
        ("GET", "/admin/queues/work-items"),
        ("POST", "/admin/queues/work-items/replace"),
        ("POST", "/admin/functions/look"),
        ("GET", "/admin/functions/look/keys"),
        ("PUT", "/admin/functions/look/keys/sam"),
    ],
)
def test_the_hosts_own_routes_take_the_master_key_alone(site: Site, method: str, path: str) -> None:
    assert site.call(method, path).status_code == 401
    assert site.call(method, path, headers={"x-functions-key": "guess"}).status_code == 401
    assert site.call(method, path, headers=WITH_KEY).status_code == 403
    assert site.seen.ticks == []


def test_a_function_is_run_after_the_answer(site: Site) -> None:
    site.seen.gate.clear()
    ran = site.call("POST", "/admin/functions/do_work", json={"input": "hi"}, headers=AS_MASTER)
    assert (ran.status_code, site.seen.most_at_work) in ((202, 0), (202, 1))
    within(5, lambda: site.seen.at_work == 1)
    site.seen.gate.set()
    within(5, lambda: site.seen.at_work == 0)


def test_anyone_may_ask_whether_the_host_is_alive(site: Site) -> None:
    assert site.call("GET", "/admin/host/ping").status_code == 200


def test_a_functions_own_key_opens_that_function_alone(site: Site) -> None:
    url, own = "/admin/functions/post_work/keys/sam", {"x-functions-key": "of-sam"}
    assert site.call("POST", "/work", data=b"x", headers=own).status_code == 401
    put = site.call("PUT", url, json={"value": "of-sam"}, headers=AS_MASTER)
    assert (put.status_code, put.json()) == (201, {"name": "sam", "value": "of-sam"})
    assert site.call("POST", "/work", data=b"x", headers=own).status_code == 202
    assert site.call("POST", "/work?code=of-sam", data=b"x").status_code == 202
    bad = {"x-functions-key": "bad"}
    assert site.call("POST", "/work?code=of-sam", data=b"x", headers=bad).status_code == 401
    assert site.call("GET", "/admin/queues", headers=own).status_code == 403
    another = "/admin/functions/post_many/keys/sam"
    site.call("PUT", another, json={"value": "of-another"}, headers=AS_MASTER)
    bad = {"x-functions-key": "of-another"}
    assert site.call("POST", "/work", data=b"x", headers=bad).status_code == 401
    assert site.call("DELETE", url, headers=AS_MASTER).status_code == 204
    assert site.call("POST", "/work", data=b"x", headers=own).status_code == 401


def test_keys_outlive_the_host_in_a_file_of_this_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    Keys(path, KEY, MASTER_KEY).put("post_work", "sam", "of-sam")
    assert path.stat().st_mode & 0o777 == 0o600
    assert Keys(path, KEY, MASTER_KEY).of("post_work") == {"sam": "of-sam"}
