from __future__ import annotations

import logging

import pytest

from agentmeter_client import Meter
from conftest import KEY, QUICK, MakeMeter
from endpoint import HANG_UP, Endpoint, Reply, send


@pytest.mark.parametrize("address", ["", "ftp://host", "http://[", "host", "http://h:99999"])
def test_a_meter_without_an_endpoint_is_off_and_says_so(
    address: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AGENTMETER_ENDPOINT", raising=False)
    meter = Meter(address, "key")
    with meter.agent_operation("a", "b"), meter.llm_call("openai", "gpt-4o"):
        send(meter)
    assert meter.flush(0.1)
    assert (meter.stats().recorded, meter.stats().dropped) == (3, 3)
    assert "agentmeter is off" in caplog.text


def test_settings_come_from_the_environment(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTMETER_ENDPOINT", f"{endpoint.url}/base/api/events/")
    monkeypatch.setenv("AGENTMETER_KEY", "from outside")
    with Meter(limits=QUICK) as meter:
        send(meter)
    assert endpoint.requests[0].path == "/base/api/events"
    assert endpoint.requests[0].headers["x-functions-key"] == "from outside"


def test_a_function_url_brings_its_key(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AGENTMETER_KEY", raising=False)
    with Meter(f"{endpoint.url}/api/events?code=s%2Fcret", limits=QUICK) as meter:
        send(meter)
        assert "s/cret" not in repr(meter)
    assert endpoint.requests[0].path == "/api/events"
    assert endpoint.requests[0].headers["x-functions-key"] == "s/cret"


def test_the_key_is_in_no_log_and_no_repr(
    endpoint: Endpoint, make_meter: MakeMeter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    meter = make_meter()
    endpoint.script.extend([Reply(401), HANG_UP, Reply(503), Reply(413)])
    send(meter, 3)
    meter.flush(1)
    meter.flush(5)
    shown = [repr(meter), str(meter.stats()), caplog.text]
    shown += [repr(part) for part in vars(meter).values()]
    assert all(KEY not in text for text in shown)
    assert caplog.text
