"""What the stand-in cannot answer rightly, or Azure would refuse, is refused in clear words."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest

from standin.monitor.refusal import BadQuery
from standin.monitor.store import MonitorStore
from tests.monitor import five_calls

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture(scope="module")
def store() -> Iterator[MonitorStore]:
    with closing(five_calls()) as store:
        yield store


def refusal(store: MonitorStore, kql: str) -> BadQuery:
    with pytest.raises(BadQuery) as caught:
        store.query(kql)
    return caught.value


@pytest.mark.parametrize(
    ("kql", "words"),
    [
        pytest.param(
            "let f = (x: long, y: long) {x - y}; print f(y = 1, x = 5)",
            "named arguments",
            id="named arguments go by position",
        ),
        pytest.param(r'print "caf\u00e9"', "this escape", id="escapes stay as they are"),
        pytest.param(r'AppEvents | where Name == "\d"', "this escape", id="unknown escapes"),
        pytest.param("print ```a```", "multi-line string", id="delimiters stay"),
        pytest.param("print ~~~a~~~", "multi-line string", id="delimiters of the other kind"),
        pytest.param(
            "AppEvents | summarize (A, B) = arg_max(TimeGenerated, Name)",
            "several names at once",
            id="the second name is dropped",
        ),
        pytest.param(
            "AppEvents | summarize make_set(Name, toint(ItemCount))",
            "with a size that is no number",
            id="a size that the translator overlooks",
        ),
        pytest.param(
            "AppEvents | extend Age = now() - TimeGenerated | summarize count() by bin(Age, 1m)",
            "bin() of a timespan",
            id="bins of a timespan come out as datetimes",
        ),
        pytest.param(
            "AppEvents | summarize count() by bin(TimeGenerated, 100ms)",
            "not whole seconds",
            id="bins of a fraction of a second are off",
        ),
        pytest.param(
            "AppEvents | summarize make_set(TimeGenerated)", "of times", id="times as bare text"
        ),
        pytest.param("union * | count", "saved function", id="a wildcard over a function"),
        pytest.param(
            "AppEvents | make-series kind=nonempty n = count() on TimeGenerated step 1m",
            "make-series",
            id="make-series",
        ),
        pytest.param(
            "let T = AppEvents | take 1; let f = (t: (Name: string)) {t | count}; f(T)",
            "the translator fails",
            id="a table as an argument",
        ),
        pytest.param(
            "UsageEvents | extend model = 'x'", "differ only in case", id="names alike but for case"
        ),
        pytest.param("AppEvents | extend x = 10m / 2", "Not supported", id="refused by DuckDB"),
    ],
)
def test_what_would_be_answered_wrongly_is_refused(
    store: MonitorStore, kql: str, words: str
) -> None:
    error = refusal(store, kql)
    assert words in str(error)
    assert error.code == "NotSupportedByStandIn"


@pytest.mark.parametrize(
    ("kql", "words"),
    [
        ("Nowhere | count", "named 'Nowhere'"),
        ("['duckdb_tables'] | count", "named 'duckdb_tables'"),
        ("AppEvents | project Nothing", "named 'Nothing'"),
        ("AppEvents | where timegenerated > ago(1h)", "The column is 'TimeGenerated'"),
        ("appevents | count", "named 'appevents'"),
        ("AppEvents | summarize count() by Properties.model", "dynamic"),
        ("AppEvents | summarize sum(Measurements.cost_usd)", "dynamic"),
        ("AppEvents | where Measurements.cost_usd > 1", "dynamic"),
        ("database('raw').AppEvents | count", "database() is not allowed"),
        ("cluster('x').database('y').AppEvents | count", "cluster() is not allowed"),
        ("set query_now = datetime(2020-01-01); print now()", "no `set` statement"),
        ("declare query_parameters(n: long = 1); print n", "no `declare` statement"),
        (".show tables", "no `.` statement"),
    ],
)
def test_what_azure_refuses_is_refused(store: MonitorStore, kql: str, words: str) -> None:
    error = refusal(store, kql)
    assert words in str(error)
    assert error.code == "SemanticError"


def test_a_syntax_error_says_where(store: MonitorStore) -> None:
    error = refusal(store, "AppEvents\n| wherex Name")
    assert (error.code, error.line, error.pos) == ("SyntaxError", 2, 1)


@pytest.mark.parametrize("kql", ["", " \n", "// nothing"])
def test_an_empty_query_is_a_syntax_error(store: MonitorStore, kql: str) -> None:
    assert refusal(store, kql).code == "SyntaxError"


def test_a_refusal_says_where_whatever_stands_before_it(store: MonitorStore) -> None:
    since = "datetime(2026-11-23T12:00:00Z)"
    error = refusal(store, f"AppEvents\n| where TimeGenerated > {since} | as T")
    assert (error.line, error.pos) == (2, 58)


def test_a_query_sees_no_file_and_no_variable_of_this_machine(store: MonitorStore) -> None:
    answer = store.query("AppEvents")
    assert answer.rows
    for name in ("answer", "store", "/etc/hosts", "raw.AppEvents"):
        assert f"named '{name}'" in str(refusal(store, f"['{name}'] | count"))
    assert "answer" in str(refusal(store, "union isfuzzy=true answer, answer | count"))
