"""The local host over real HTTP: routes, keys, bodies, outputs, answers."""

import gzip
import http.client
import logging
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from standin.functions_host.http import BODY_LIMIT_BYTES, worker_response
from standin.functions_host.routes import compile_route
from tests.fakes import FakeClock
from tests.host_sample import KEY, Seen, Site, sample_host, serving

WITH_KEY = {"x-functions-key": KEY}
GUID = "0f8fad5b-d9cb-469f-a165-70867728950e"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture(scope="module")
def served() -> Iterator[Site]:
    seen = Seen()
    host = sample_host(seen, FakeClock())
    with serving(host) as url:
        yield Site(url, host, seen)


@pytest.fixture
def site(served: Site) -> Site:
    served.reset()
    return served


def test_a_request_arrives_as_the_worker_hands_it_over(site: Site) -> None:
    answer = site.call(
        "PUT",
        "/ECHO/a%20b%2Fc/-7?x=1&empty=&x=2&code=%C3%A9",
        data=b"\x00\x01",
        headers={"X-Custom": "Value", "Accept": "a"},
    )
    echoed = answer.json()
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert echoed["method"] == "PUT"
    assert echoed["params"] == {"x": "1,2", "code": "é"}
    assert echoed["route_params"] == {"kind": "a b%2Fc", "number": "-7"}
    assert echoed["headers"]["x-custom"] == "Value"
    assert echoed["headers"]["content-length"] == "2"
    assert echoed["body"] == "0001"
    assert echoed["url"].startswith(site.url + "/ECHO/")
    assert echoed["url"].endswith("?x=1&empty=&x=2&code=%C3%A9")


def test_a_chunked_body_arrives_empty_with_its_header(site: Site) -> None:
    echoed = site.call("POST", "/echo/chunks", data=iter([b"some", b"thing"])).json()
    assert echoed["body"] == ""
    assert echoed["headers"]["transfer-encoding"] == "chunked"
    assert "content-length" not in echoed["headers"]


def test_a_packed_body_is_not_unpacked(site: Site) -> None:
    packed = gzip.compress(b"{}")
    echoed = site.call(
        "POST", "/echo/gzip", data=packed, headers={"Content-Encoding": "gzip"}
    ).json()
    assert bytes.fromhex(echoed["body"]) == packed
    assert echoed["headers"]["content-encoding"] == "gzip"


def test_the_literal_route_wins_and_an_optional_part_may_be_absent(site: Site) -> None:
    fixed = site.call("GET", "/echo/fixed/1")
    assert (fixed.text, fixed.headers["x-one"]) == ("fixed", "1")
    assert fixed.headers["content-type"] == "text/plain; charset=utf-8"
    assert site.call("POST", "/echo/fixed/1").json()["route_params"]["kind"] == "fixed"
    assert site.call("GET", "/echo/alone/").json()["route_params"] == {"kind": "alone"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("GET", "/", id="no-such-route"),
        pytest.param("GET", "/work", id="wrong-method"),
        pytest.param("GET", "/echo/a/not-a-number", id="constraint"),
        pytest.param("GET", "/echo/a/1/more", id="too-long"),
        pytest.param("GET", "/admin/functions/look", id="admin-wrong-method"),
    ],
)
def test_unknown_routes_and_wrong_methods_are_404(site: Site, method: str, path: str) -> None:
    answer = site.call(method, path, headers=WITH_KEY)
    assert (answer.status_code, answer.content) == (404, b"")


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        pytest.param({}, "", 401, id="none"),
        pytest.param({"x-functions-key": "wrong"}, "", 401, id="wrong"),
        pytest.param({"x-functions-key": "wrongé"}, "", 401, id="not-ascii"),
        pytest.param({}, "?code=", 401, id="empty"),
        pytest.param({}, f"?code={KEY}", 202, id="query"),
        pytest.param({"X-Functions-Key": KEY}, "", 202, id="header"),
    ],
)
def test_a_function_of_level_function_wants_the_key(
    site: Site, headers: dict[str, str], query: str, status: int
) -> None:
    encoded = {name: value.encode() for name, value in headers.items()}
    answer = site.call("POST", "/work" + query, data=b"x", headers=encoded)
    assert (answer.status_code, answer.content) == (status, b"")
    assert len(site.waiting()) == (status == 202)


def test_the_output_is_stored_byte_for_byte_before_the_answer(site: Site) -> None:
    body = b' {"a": 1.50, "at": "2026-11-23T10:00:00Z"}\xff'
    assert site.call("POST", "/work", data=body, headers=WITH_KEY).status_code == 202
    assert site.waiting() == [body]


def test_a_list_becomes_one_message_an_item_as_it_stands(site: Site) -> None:
    texts = ['{"a":1}', "[1]", "plain"]
    assert site.call("POST", "/many", json=texts).status_code == 202
    assert site.waiting() == [text.encode() for text in texts]


def test_a_failing_function_is_500_puts_out_nothing_and_logs_one_line(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    answer = site.call("POST", "/work?then=fail", data=b"x", headers=WITH_KEY)
    assert (answer.status_code, answer.content) == (500, b"")
    assert site.waiting() == []
    (record,) = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert record.name == "agentmeter.host"
    assert record.getMessage().startswith("post_work failed, invocation ")
    assert record.getMessage().endswith(": RuntimeError: asked to fail")


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        pytest.param(["fits", 5], "invalid data type in output queue message", id="no-text"),
        pytest.param("[]", "Azure's host would parse", id="text-that-is-json"),
    ],
)
def test_an_output_that_cannot_be_stored_is_500_and_stores_nothing(
    site: Site, caplog: pytest.LogCaptureFixture, texts: object, words: str
) -> None:
    assert site.call("POST", "/many", json=texts).status_code == 500
    assert site.waiting() == []
    assert words in caplog.text


def test_outputs_go_out_one_by_one_until_one_is_refused(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    texts = ["first", "x" * 49_153, "third"]
    assert site.call("POST", "/many", json=texts).status_code == 500
    assert site.waiting() == [b"first"]
    assert "a queue takes 49152" in caplog.text


@pytest.mark.parametrize("path", ["//echo/a", "/echo//a"])
def test_a_doubled_slash_is_another_path(site: Site, path: str) -> None:
    assert site.call("GET", "/echo/a/").status_code == 200
    assert site.call("GET", path).status_code == 404


@pytest.mark.parametrize("text", ['{"status": 202}', ' {"body": 1}'])
def test_text_that_azure_takes_for_a_whole_response_is_refused(text: str) -> None:
    with pytest.raises(TypeError, match=r"Return azure\.functions\.HttpResponse"):
        worker_response(text)


def test_a_function_that_returns_no_response_is_500(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    assert site.call("GET", "/nothing").status_code == 500
    assert "unable to encode outgoing TypedData" in caplog.text


def test_a_body_over_100_mb_is_500_unread(site: Site) -> None:
    address = urlsplit(site.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
    connection.putrequest("POST", "/echo/big")
    connection.putheader("Content-Length", str(BODY_LIMIT_BYTES + 1))
    connection.endheaders()
    answer = connection.getresponse()
    assert (answer.status, answer.read(), answer.headers["connection"]) == (500, b"", "close")
    connection.close()


@pytest.mark.parametrize(
    ("path", "header", "status"),
    [
        ("/echo/" + "a" * 8_000, "", 200),
        ("/echo/" + "a" * 8_200, "", 414),
        ("/echo/a?x=" + "1" * 8_200, "", 414),
        ("/echo/a", "1" * 32_000, 200),
        ("/echo/a", "1" * 33_000, 431),
    ],
)
def test_long_addresses_and_headers_are_refused(
    site: Site, path: str, header: str, status: int
) -> None:
    assert site.call("GET", path, headers={"x-long": header}).status_code == status


def test_the_context_names_the_invocation_and_a_new_span_of_the_callers_trace(
    site: Site,
) -> None:
    site.call("GET", "/echo/a", headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-00"})
    site.call("GET", "/echo/a", headers={"traceparent": "nonsense"})
    first, second = site.seen.contexts
    version, trace, span, flags = first.trace_context.trace_parent.split("-")
    assert (version, trace, flags) == ("00", TRACE, "00")
    assert span != "00f067aa0ba902b7"
    assert second.trace_context.trace_parent.split("-")[1] != TRACE
    assert first.function_name == "echo"
    assert first.invocation_id != second.invocation_id
    assert first.retry_context.retry_count == 0


@pytest.mark.parametrize(
    ("template", "path", "expected"),
    [
        ("files/{*rest}", "/files/a/b", {"rest": "a/b"}),
        ("files/{*rest}", "/files", {}),
        ("v{number:int}.json", "/V12.JSON", {"number": "12"}),
        ("v{number:int}.json", "/v.json", None),
        ("{id:guid}", f"/{GUID}", {"id": GUID}),
        ("{id:guid}", "/42", None),
        ("{word:alpha?}", "/", {}),
        ("", "/", {}),
        ("a.c", "/abc", None),
    ],
)
def test_templates_match_as_aspnet_does(
    template: str, path: str, expected: dict[str, str] | None
) -> None:
    assert compile_route("", template).match(path) == expected


def test_the_prefix_stands_before_every_route() -> None:
    route = compile_route("api", "/events")
    assert (route.text, route.match("/api/events"), route.match("/events")) == (
        "api/events",
        {},
        None,
    )
