"""Every way in which the ingestion service answers, and what becomes of each of three items."""

import logging
from collections.abc import Callable

import pytest

from shared.adapters.azure.azure_monitor_answer import Answer, outcomes
from shared.rows import ExportLater, ExportOutcome, ExportRefused
from tests.breeze import BOTH, KEY, PROMPT, accept, event, exporter, metric, said, track
from tests.loopback import Behaviour, Reply, Request, loopback

HTML = Reply(200, b"<html>proxy</html>", {"Content-Type": "text/html"})
WAIT_7 = {"Retry-After": "7", "Content-Type": "application/json"}
TOO_OLD = "103: Field 'time' on type 'Envelope' is older than the allowed min date."
THROTTLED_AND_BAD = track(206, 3, [(0, 429, "slow down"), (1, 400, "bad field")])
EXPORTED, LATER = ["exported"] * 3, ["later"] * 3


def refused(status: int) -> list[str]:
    return [f"refused {status}"] * 3


def redirect(status: int, location: str) -> Reply:
    return Reply(status, b"", {"Location": location})


BEHAVIOURS = [
    pytest.param(track(200, 3), EXPORTED, id="200"),
    pytest.param(
        Reply(206, THROTTLED_AND_BAD.body, WAIT_7),
        ["later 7", "refused 400", "exported"],
        id="206-with-429-and-400-items",
    ),
    pytest.param(
        track(206, 3, [(2, 206, "Telemetry sampled out.")]),
        ["exported", "exported", "refused 206"],
        id="206-sampled-out",
    ),
    pytest.param(
        track(206, 3, [(2, 500, "Telemetry sampled out.")]),
        ["exported", "exported", "refused 500"],
        id="206-sampled-out-with-a-status-worth-a-retry",
    ),
    pytest.param(
        track(400, 3, [(i, 400, TOO_OLD) for i in range(3)]), refused(400), id="400-all-too-old"
    ),
    pytest.param(Reply(400), refused(400), id="400-without-body"),
    pytest.param(track(200, 3, accepted=2), LATER, id="200-but-fewer-accepted"),
    pytest.param(track(200, 2), LATER, id="200-but-fewer-received"),
    pytest.param(HTML, LATER, id="200-with-html"),
    pytest.param(Reply(204), LATER, id="204"),
    pytest.param(Reply(402), LATER, id="402"),
    pytest.param(Reply(439, b"", WAIT_7), ["later 7"] * 3, id="439"),
    pytest.param(Reply(429, b"", WAIT_7), ["later 7"] * 3, id="429"),
    pytest.param(
        Reply(429, b"", {"Retry-After": "Wed, 04 Mar 2026 05:06:07 GMT"}),
        LATER,
        id="429-with-a-date",
    ),
    pytest.param(Reply(500), LATER, id="500"),
    pytest.param(Reply(503), LATER, id="503"),
    pytest.param(Reply(401), LATER, id="401"),
    pytest.param(Reply(403), LATER, id="403"),
    pytest.param(Reply(404), LATER, id="404"),
    pytest.param(Reply(413), refused(413), id="413"),
    pytest.param(redirect(308, "https://elsewhere.example/"), LATER, id="308-to-another-host"),
    pytest.param("hang up", LATER, id="connection-dropped"),
    pytest.param("silence", LATER, id="response-that-never-comes"),
]


@pytest.mark.parametrize(("behaviour", "expected"), BEHAVIOURS)
@BOTH
def test_each_item_has_its_own_outcome_and_no_word_of_it_is_logged(
    behaviour: Behaviour, expected: list[str], caplog: pytest.LogCaptureFixture, by_sdk: bool
) -> None:
    caplog.set_level(logging.DEBUG)
    with loopback(lambda request: behaviour) as server:
        waits_s = 0.3 if behaviour == "silence" else 10
        monitor = exporter(server, read_timeout_s=waits_s, by_sdk=by_sdk)
        events = monitor.events([event(i) for i in range(3)])
        metrics = monitor.metrics([metric(i) for i in range(3)])
    assert (said(events), said(metrics)) == (expected, expected)
    for secret in (PROMPT, KEY, "gpt-4o"):
        assert secret not in caplog.text + repr(events) + repr(metrics)


@BOTH
def test_a_redirect_within_the_same_host_is_followed(by_sdk: bool) -> None:
    with loopback(first(redirect_home, accept)) as server:
        sent = exporter(server, by_sdk=by_sdk).events([event(i) for i in range(3)])
    assert said(sent) == EXPORTED
    assert [len(request.json()) for request in server.received] == [3, 3]


@BOTH
def test_a_redirect_that_leads_into_silence_is_no_answer(by_sdk: bool) -> None:
    with loopback(first(redirect_home, lambda request: "hang up")) as server:
        sent = exporter(server, by_sdk=by_sdk).events([event()])
    assert said(sent) == ["later"]
    assert "did not answer" in why(sent[0])


@BOTH
def test_a_redirect_in_a_circle_ends(by_sdk: bool) -> None:
    with loopback(redirect_home) as server:
        assert said(exporter(server, by_sdk=by_sdk).events([event()])) == ["later"]
    assert len(server.received) <= 30


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        (401, "APPLICATIONINSIGHTS_AUTHENTICATION_STRING"),
        (402, "daily cap"),
        (403, "Monitoring Metrics Publisher"),
        (404, "APPLICATIONINSIGHTS_CONNECTION_STRING"),
    ],
)
def test_what_only_the_operator_can_fix_names_the_remedy(status: int, remedy: str) -> None:
    assert remedy in why(outcomes(Answer(status), 1)[0])


def test_the_services_own_words_are_kept_for_an_item_that_it_refused() -> None:
    answer = Answer(400, track(400, 1, [(0, 400, TOO_OLD)]).body)
    assert outcomes(answer, 1) == [ExportRefused(400, TOO_OLD)]


@pytest.mark.parametrize("index", [-1, 3, 99])
def test_an_error_about_an_item_that_was_never_sent_makes_the_answer_unclear(index: int) -> None:
    answer = Answer(206, track(206, 3, [(index, 400, "bad field")]).body)
    assert said(outcomes(answer, 3)) == LATER


def test_items_that_a_400_does_not_name_are_sent_again() -> None:
    answer = Answer(400, track(400, 3, [(1, 400, "bad field")]).body)
    assert said(outcomes(answer, 3)) == ["later", "refused 400", "later"]


def redirect_home(request: Request) -> Reply:
    return redirect(307, f"http://{request.headers['host']}")


def first(
    once: Callable[[Request], Behaviour], then: Callable[[Request], Behaviour]
) -> Callable[[Request], Behaviour]:
    """Behave one way for the first request, another for all after it."""
    behaviours = iter([once])
    return lambda request: next(behaviours, then)(request)


def why(outcome: ExportOutcome) -> str:
    assert isinstance(outcome, ExportLater | ExportRefused)
    return outcome.why
