import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.factories import event
from tests.fakes import START, FakeClock
from tests.journeys.laptop import TIMEOUT_S, Laptop, laptop, minutes

JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    with laptop(tmp_path_factory.mktemp("laptop"), FakeClock(START)) as running:
        yield running


def send(box: Laptop, body: bytes, **headers: str) -> requests.Response:
    key = {"x-functions-key": box.stack.places.key()}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    url = f"{box.stack.app_url}/api/events"
    return box.http.post(url, data=body, headers=JSON | key | named, timeout=TIMEOUT_S)


def text(value: object) -> bytes:
    return json.dumps(value).encode()


def test_accepted_events_are_counted_in_the_answer(box: Laptop) -> None:
    answer = send(box, text([event(number=1), event(number=2)]))
    assert (answer.status_code, answer.json()) == (202, {"accepted": 2})


def test_a_single_event_as_curl_sends_it(box: Laptop) -> None:
    answer = send(box, text(event(number=3)), content_type="application/cloudevents+json")
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1})


def test_gzip(box: Laptop) -> None:
    answer = send(box, gzip.compress(text([event(number=4)])), content_encoding="gzip")
    assert answer.status_code == 202


def test_refused_events_are_named_beside_accepted_ones(box: Laptop) -> None:
    answer = send(box, text([event(number=5), event(number=6, prompt="x")]))
    assert answer.status_code == 207
    assert answer.json() == {
        "accepted": 1,
        "rejected": [
            {
                "index": 1,
                "id": "llm.call-6",
                "error": "data.prompt is not a field of this type. Remove it, or see "
                "docs/events.md for its name.",
            }
        ],
    }


def test_no_valid_event_is_a_bad_request_and_stores_its_refusal_alone(box: Laptop) -> None:
    before = depth(box)
    answer = send(box, text([event(status=None)]))
    assert answer.status_code == 400
    assert "data.status" in answer.json()["error"]
    assert answer.json()["rejected"][0]["index"] == 0
    assert depth(box) == before + 1
    assert box.stack.host.drain() == before + 1


def depth(box: Laptop) -> int:
    return box.stack.host.queues.counts()["usage-events"].visible


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        pytest.param(b"{", {}, 400, id="no-json"),
        pytest.param(b"[]", {}, 400, id="empty"),
        pytest.param(text([1] * 1001), {}, 413, id="many"),
        pytest.param(b" " * 1_048_577, {}, 413, id="big"),
        pytest.param(b"x", {"content_type": "text/plain"}, 415, id="media-type"),
        pytest.param(b"x", {"content_encoding": "br"}, 415, id="encoding"),
    ],
)
def test_a_wrong_body_has_its_own_answer(
    box: Laptop, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = send(box, body, **headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["error"].endswith((".", "BATCH_MAX_EVENTS.", "BODY_MAX_BYTES."))


def chunked(box: Laptop, *pieces: bytes, **more: str) -> requests.Response:
    headers = JSON | {"x-functions-key": box.stack.places.key()} | more
    url = f"{box.stack.app_url}/api/events"
    return box.http.post(url, data=iter(pieces), headers=headers, timeout=TIMEOUT_S)


def test_a_body_in_chunks_is_read_to_its_end(box: Laptop) -> None:
    body = text([event(number=n) for n in range(100, 900)])
    assert len(body) > 200_000
    pieces = [body[at : at + 997] for at in range(0, len(body), 997)]
    assert chunked(box, *pieces).json() == {"accepted": 800}
    packed = gzip.compress(text(event(number=900)))
    assert chunked(box, packed[:9], packed[9:], **{"content-encoding": "gzip"}).status_code == 202


def test_a_refusal_comes_after_the_body_and_the_connection_goes_on(box: Laptop) -> None:
    assert chunked(box, *[b" " * 50_000] * 100).status_code == 413
    assert chunked(box, text(event(number=901))).status_code == 202


def test_without_forwarding_chunks_are_asked_for_in_one_piece(tmp_path: Path) -> None:
    with laptop(tmp_path, FakeClock(START), HTTP_PROXYING="0") as box:
        answer = chunked(box, text(event()), b" ")
        assert answer.status_code == 411
        assert "Content-Length" in answer.json()["error"]
        assert send(box, text(event())).status_code == 202


def test_without_a_key_nothing_is_taken(box: Laptop) -> None:
    url = f"{box.stack.app_url}/api/events"
    assert requests.post(url, json=event(), timeout=TIMEOUT_S).status_code == 401


def test_an_accepted_event_is_a_row_and_a_metric(box: Laptop) -> None:
    first, second = minutes(box.clock.now(), 2)
    box.tick(first)
    box.post([event("revenue", 77, amount_usd="12.5", pricing_tier="gold")])
    kql = 'UsageEvents | where EventId == "revenue-77" | project AmountUsd, PricingTier'
    rows = box.query(kql)
    assert rows == [[12.5, "gold"]]
    box.tick(second)
    sums = box.query('AppMetrics | where Name == "revenue_usd_total" | project Sum, Properties')
    assert sums == [[12.5, '{"pricing_tier":"gold"}']]
    metrics = requests.get(f"{box.stack.app_url}/metrics", timeout=TIMEOUT_S)
    assert metrics.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert 'revenue_usd_total{pricing_tier="gold"} 12.5' in metrics.text.splitlines()


def test_health_says_what_it_looked_at(box: Laptop) -> None:
    first, second = minutes(box.clock.now(), 2)
    box.tick(first)
    box.post([event("revenue", 78)])  # which brings the first minute's heartbeat along
    box.tick(second)
    answer = requests.get(f"{box.stack.app_url}/api/health", timeout=TIMEOUT_S)
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    assert body["status"] == "ok"
    config = {"rules", "routes.toml", "prices.toml", "price list", "settings", "meta"}
    looked_at = {*config, "evaluation", "pages", "alert state", "senders", "log"}
    assert {check["name"] for check in body["checks"]} == looked_at
    assert {check["remedy"] for check in body["checks"]} == {""}


def test_health_is_degraded_when_no_evaluation_comes(tmp_path: Path) -> None:
    with laptop(tmp_path, FakeClock(START)) as box:
        assert box.get("/api/health").json()["status"] == "ok"
        box.clock.advance(minutes=4)
        body = box.get("/api/health").json()
        assert body["status"] == "degraded"
        assert [c["name"] for c in body["checks"] if not c["ok"]] == ["evaluation"]
        assert [c["name"] for c in body["checks"] if c["remedy"]] == ["evaluation"]
        box.tick(box.clock.now())
        assert box.get("/api/health").json()["status"] == "ok"


def test_the_health_of_alerts_is_503_when_no_evaluation_comes(tmp_path: Path) -> None:
    with laptop(tmp_path, FakeClock(START)) as box:
        url = f"{box.stack.app_url}/api/health/alerts"
        assert requests.get(url, timeout=TIMEOUT_S).status_code == 200
        box.clock.advance(minutes=3, seconds=1)
        late = requests.get(url, timeout=TIMEOUT_S)
        assert (late.status_code, late.json()["ok"]) == (503, False)
        assert late.json()["remedy"].startswith("See the log of evaluate_alerts")
        box.tick(box.clock.now())
        assert requests.get(url, timeout=TIMEOUT_S).status_code == 200


def test_alerts_lists_every_rule(box: Laptop) -> None:
    body = box.get("/api/alerts").json()
    assert len(body["rules"]) == 11
    assert {rule["state"] for rule in body["rules"]} == {"inactive"}
    assert (body["alerts"], body["waiting_pages"]) == ([], 0)
