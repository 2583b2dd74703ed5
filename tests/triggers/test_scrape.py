import gzip

import azure.functions as func
import pytest

from functions.accept import format_of, scraped
from shared.metrics.prometheus import OPENMETRICS, TEXT, Format

PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;"
    "q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)


def request(**headers: str) -> func.HttpRequest:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return func.HttpRequest("GET", "http://localhost/metrics", headers=named, body=b"")


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        pytest.param(PROMETHEUS_2, OPENMETRICS, id="prometheus 2"),
        pytest.param(PROMETHEUS_3, OPENMETRICS, id="prometheus 3"),
        pytest.param("Application/OpenMetrics-Text", OPENMETRICS, id="no version"),
        pytest.param('application/openmetrics-text; version="1.0.0"', OPENMETRICS, id="quoted"),
        pytest.param("", TEXT, id="nothing"),
        pytest.param("*/*", TEXT, id="anything"),
        pytest.param("text/html,application/xhtml+xml,*/*;q=0.8", TEXT, id="browser"),
        pytest.param("application/openmetrics-text;version=2.0.0", TEXT, id="other version"),
        pytest.param("application/openmetrics-text;q=0", TEXT, id="refused"),
        pytest.param("text/plain, application/openmetrics-text;q=0.5", TEXT, id="text preferred"),
        pytest.param(";;q=x,,application/openmetrics-text;q=nonsense", TEXT, id="nonsense"),
    ],
)
def test_the_format_is_what_the_scraper_wants_most(accept: str, form: Format) -> None:
    assert format_of(request(accept=accept)) is form


def test_an_answer_is_compressed_for_those_who_ask() -> None:
    answer = scraped(request(accept_encoding="deflate, GZIP;q=0.5"), "a_total 1\n", TEXT)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.get_body()) == b"a_total 1\n"
    assert answer.headers["Vary"] == "Accept, Accept-Encoding"


@pytest.mark.parametrize("encoding", ["", "identity", "br", "gzip;q=0", "gzip;q=x"])
def test_an_answer_is_plain_for_all_others(encoding: str) -> None:
    answer = scraped(request(accept_encoding=encoding), "a_total 1\n", OPENMETRICS)
    assert "Content-Encoding" not in answer.headers
    assert answer.get_body() == b"a_total 1\n"
    assert answer.headers["Content-Type"] == OPENMETRICS.content_type
