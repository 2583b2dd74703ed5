"""The items that we write are those that Azure Monitor's SDK writes, and go nowhere else."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters.azure.azure_monitor import AzureMonitorExporter
from shared.adapters.azure.connection_string import read_connection
from shared.adapters.azure.track import may_lead
from shared.clock import SystemClock
from shared.connections import Connections
from shared.events.envelope import judge
from shared.pricing.cost import Cost
from shared.rows import EventRow, Exported, ExportOutcome, SpanRow
from shared.settings import read
from shared.usecases.processing.rows import event_row
from tests.breeze import AT, KEY, accept, connection, event, exporter
from tests.factories import DATA
from tests.factories import event as sent_event
from tests.loopback import Loopback, loopback

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TEXTS = st.text(max_size=40) | st.sampled_from(
    ["", "0", "é\U0001f600", '"\\\n\x00', "\ud800", "x" * 900]
)
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
ATTRIBUTES = NAMES | st.sampled_from(
    ["gen_ai.system", "gen_ai.usage.input_tokens", "a b", "é", "x.y"]
)
TIMES = st.integers(1, 2**31 * 10**6).map(lambda us: EPOCH + timedelta(microseconds=us))
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)
TRACES = st.sampled_from(["", "0" * 32, "0af7651916cd43dd8448eb211c80319c"])
PARENTS = st.sampled_from(["", "0" * 16, "b7ad6b7169203331"])
EVENTS = st.builds(
    EventRow,
    st.from_regex(r"[A-Za-z_][A-Za-z0-9_.]{0,20}", fullmatch=True),
    TIMES,
    st.dictionaries(
        NAMES | st.sampled_from(["provider", "model", "cost_source"]), TEXTS, max_size=6
    ),
    st.dictionaries(NAMES | st.sampled_from(["count", "cost_usd"]), NUMBERS, max_size=6),
    TRACES,
    PARENTS,
)
URLS = st.sampled_from(
    ["https://x.example", "https://x.example:444/a/b?c=d", "http://127.0.0.1:7073/", "nothing"]
)


def spans(
    names: st.SearchStrategy[str], urls: st.SearchStrategy[str]
) -> st.SearchStrategy[SpanRow]:
    return st.builds(
        SpanRow,
        names,
        TIMES,
        st.timedeltas(timedelta(), timedelta(days=400)),
        st.dictionaries(ATTRIBUTES, TEXTS, max_size=4),
        st.sampled_from(["0" * 32, "0af7651916cd43dd8448eb211c80319c"]),
        st.sampled_from(["0" * 16, "b7ad6b7169203331"]),
        PARENTS,
        TEXTS,
        st.booleans(),
        st.booleans(),
        urls,
        st.sampled_from(["", "0", "200", "503"]),
    )


SPANS = spans(TEXTS | st.just("x" * 2_000), st.just("")) | spans(
    st.sampled_from(["POST /v2.1/track", "GET /"]), URLS
)
Send = Callable[[AzureMonitorExporter], Sequence[ExportOutcome]]


class Both:
    """An exporter of each way, and what reaches the service."""

    def __init__(self, server: Loopback) -> None:
        self._server = server
        self._own, self._sdk = exporter(server), exporter(server, by_sdk=True)

    def assert_equal(self, send: Send) -> None:
        """The same rows become the same items."""
        own, of_sdk = self._items(send, self._own), self._items(send, self._sdk)
        assert own
        assert own == of_sdk

    def _items(self, send: Send, monitor: AzureMonitorExporter) -> list[str]:
        self._server.received.clear()
        assert all(isinstance(outcome, Exported) for outcome in send(monitor))
        return [exactly(item) for request in self._server.received for item in request.json()]


@pytest.fixture(scope="module")
def both() -> Iterator[Both]:
    with loopback(accept) as server:
        yield Both(server)


def exactly(item: Any) -> str:
    """Return the item so that 1, 1.0 and True differ; the order of names does not count."""
    return json.dumps(
        {**item, "time": datetime.fromisoformat(item["time"]).isoformat()}, sort_keys=True
    )


@settings(deadline=None, max_examples=60)
@given(rows=st.lists(EVENTS, min_size=1, max_size=4))
def test_any_event_is_written_as_by_the_sdk(both: Both, rows: list[EventRow]) -> None:
    both.assert_equal(lambda monitor: monitor.events(rows))


@settings(deadline=None, max_examples=100)
@given(rows=st.lists(SPANS, min_size=1, max_size=4))
def test_any_span_is_written_as_by_the_sdk(both: Both, rows: list[SpanRow]) -> None:
    both.assert_equal(lambda monitor: monitor.spans(rows))


def test_every_kind_of_event_is_written_as_by_the_sdk(both: Both) -> None:
    given = [
        {**sent_event(kind, n, team_id="é", count=n), "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
        for n, kind in enumerate(DATA, 1)
    ]
    events, refused = judge(given, AT)
    assert not refused
    costs = [
        None,
        Cost(None, "unknown", ""),
        Cost(Decimal("0.25"), "estimated", "list price", ("usage",)),
    ]
    rows = [event_row(event, cost, n, AT) for event in events for n, cost in enumerate(costs, 1)]
    both.assert_equal(lambda monitor: monitor.events(rows))


@pytest.mark.parametrize(("given", "sender"), [("0", "agentmeter"), ("1", "azsdk-python-monitor")])
def test_a_setting_sends_all_by_the_sdk(given: str, sender: str) -> None:
    with loopback(accept) as server:
        read_ = read(
            {
                "APPLICATIONINSIGHTS_CONNECTION_STRING": connection(server.url),
                "LOGS_WORKSPACE_ID": "w",
                "EXPORT_BY_SDK": given,
            }
        )
        Connections(read_, SystemClock()).exporter.events([event()])
    assert server.received[0].headers["user-agent"].startswith(sender)


@pytest.mark.parametrize(
    ("endpoint", "location", "may"),
    [
        ("https://x.example", "https://x.example/v2.1/track", True),
        ("https://x.example", "https://X.EXAMPLE:444/", True),
        ("https://x.example", "https://y.example/", False),
        ("https://x.example", "http://x.example/", False),
        ("https://x.example", "/v2.1/track", False),
        ("https://x.example", "", False),
        ("https://dc.services.visualstudio.com", "https://a.services.visualstudio.com/", True),
        (
            "https://eastus-1.in.applicationinsights.azure.com",
            "https://eastus-2.in.applicationinsights.azure.com/v2.1/track",
            True,
        ),
        ("https://a.in.applicationinsights.azure.com", "https://b.monitor.azure.us/", False),
        ("https://a.monitor.azure.com", "https://b.monitor.azure.com.example/", False),
        ("https://x.example", "https://a.monitor.azure.com/", False),
    ],
)
def test_events_follow_a_redirect_within_azure_alone(
    endpoint: str, location: str, may: bool
) -> None:
    assert may_lead(endpoint, location) is may


@pytest.mark.parametrize(
    ("rest", "endpoint", "scope"),
    [
        ("", "https://dc.services.visualstudio.com", "https://monitor.azure.com//.default"),
        (
            ";IngestionEndpoint=https://a.example/",
            "https://a.example",
            "https://monitor.azure.com//.default",
        ),
        (
            ";EndpointSuffix=applicationinsights.azure.us;Location=usgov;AADAudience=https://monitor.azure.us/",
            "https://usgov.dc.applicationinsights.azure.us",
            "https://monitor.azure.us//.default",
        ),
    ],
)
def test_other_clouds_have_their_own_endpoint_and_audience(
    rest: str, endpoint: str, scope: str
) -> None:
    connection = read_connection(f"InstrumentationKey={KEY}{rest}")
    assert (connection.endpoint, connection.scope) == (endpoint, scope)
