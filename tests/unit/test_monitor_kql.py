"""The stand-in's KQL: right answers, in the service's form, or a clear refusal."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from standin.monitor.store import MonitorStore
from standin.monitor.translate import translate
from tests.fakes import START
from tests.monitor import five_calls

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture(scope="module")
def store() -> Iterator[MonitorStore]:
    with closing(five_calls()) as store:
        yield store


@pytest.mark.parametrize(
    ("kql", "expected"),
    [
        pytest.param(
            "print Week = bin(datetime(2007-01-05T10:00:00Z), 7d)",
            (datetime(2007, 1, 1, tzinfo=UTC),),
            id="weeks begin on Mondays",
        ),
        pytest.param(
            "AppEvents | summarize n = count() by bin(TimeGenerated, 7d)",
            (MONDAY, 5),
            id="weeks of a table",
        ),
        pytest.param(
            "let width = 7d; AppEvents | summarize n = count() by bin(TimeGenerated, width)",
            (MONDAY, 5),
            id="weeks by a name",
        ),
        pytest.param(
            "AppEvents | summarize n = count() by bin(TimeGenerated, 1h)",
            (START.replace(minute=0), 5),
            id="hours",
        ),
        pytest.param(
            "let most = 2; AppEvents | summarize array_length(make_set(Properties.id, most))",
            (2,),
            id="a set cut short",
        ),
        pytest.param(
            "AppEvents | top 3 by TimeGenerated | summarize make_list(tostring(Properties.id), 2)",
            ('["1","2"]',),
            id="a list cut short",
        ),
        pytest.param("print h'a', h\"b\", h@'\\c'", ("a", "b", "\\c"), id="hidden strings"),
        pytest.param(
            "AppEvents | summarize percentiles(todouble(Measurements.duration_s), 50, 95, 99.9)",
            (3.0, 5.0, 5.0),
            id="percentiles",
        ),
        pytest.param(
            "datatable(x: real, n: long)[3.0, 100, 1.0, 5, 2.0, 895, real(null), 50, 9.0, 0]"
            " | summarize percentilesw(x, n, 0.5, 50, 90, 90.1), percentilew(x, n, 100)",
            (1.0, 2.0, 2.0, 3.0, 3.0),
            id="weighted percentiles: of each as many as its weight",
        ),
        pytest.param(
            "datatable(x: long, ok: bool)[3, true, 9, false, 1, false]"
            " | summarize maxif(x, ok), minif(x, ok), minif(x, not(ok))",
            (3, 3, 1),
            id="the highest and the lowest of some",
        ),
        pytest.param(
            "AppEvents | take 1 | project Lag = ingestion_time() - now()",
            ("00:00:00",),
            id="ingestion_time",
        ),
        pytest.param(
            "print x = 1 // f(y = 1) and \\u00e9 in a comment, or 'f(y = 1)' in a string",
            (1,),
            id="comments are let be",
        ),
        pytest.param("print 'f(y = 1) ```'", ("f(y = 1) ```",), id="strings are let be"),
        pytest.param(
            "print k = 1 | join kind=inner (print j = 0, k = 1) on k | project j"
            " | union (print j = 2 | extend k = 1, i = 3) | summarize s = sum(j), i = max(i)",
            (2, 3),
            id="columns of an inner query are no arguments",
        ),
        pytest.param('print @"a\\d"', ("a\\d",), id="verbatim strings take any escape"),
        *(
            pytest.param(
                f"let t = {written}; let e = base64_encode_tostring(t);"
                " print e, base64_decode_tostring(e)",
                (encoded, text),
                id=f"base64 of {text!r}",
            )
            for written, text, encoded in [
                ('"Zürich"', "Zürich", "WsO8cmljaA=="),
                ('"a\\\\x41b"', "a\\x41b", "YVx4NDFi"),
                ('"🦊\\tß"', "🦊\tß", "8J+mignDnw=="),
                ('""', "", ""),
            ]
        ),
        pytest.param(
            "print base64_decode_tostring('//79'), base64_decode_tostring('no base64!')",
            ("", ""),
            id="what is no base64 of a text is empty",
        ),
    ],
)
def test_what_can_be_put_right_is_answered_rightly(
    store: MonitorStore, kql: str, expected: tuple[object, ...]
) -> None:
    assert store.query(kql).rows == (expected,)


@pytest.mark.parametrize(
    ("kql", "columns"),
    [
        ("summarize by bin(TimeGenerated, 7d)", ("TimeGenerated",)),
        ("summarize percentiles(ItemCount, 50, 99.9)",
         ("percentile_ItemCount_50", "percentile_ItemCount_99_9")),
        ("summarize percentile(ItemCount, 2.5)", ("percentile_ItemCount_2_5",)),
        ("summarize percentilew(ItemCount, ItemCount, 5)", ("percentile_ItemCount_5",)),
        ("summarize make_set(Name, 5), make_list(Name, 5)", ("set_Name", "list_Name")),
        ("summarize count(), sum(ItemCount), dcount(Name)",
         ("count_", "sum_ItemCount", "dcount_Name")),
    ],
)  # fmt: skip
def test_columns_without_a_name_get_the_name_that_kusto_gives(
    store: MonitorStore, kql: str, columns: tuple[str, ...]
) -> None:
    assert store.query(f"AppEvents | {kql}").columns == columns


@pytest.mark.parametrize(
    ("aggregate", "of_nothing"),
    [
        ("count()", 0), ("countif(true)", 0), ("dcount(Name)", 0), ("sum(ItemCount)", 0),
        ("sumif(ItemCount, true)", 0), ("sum(todouble(Measurements.x))", 0.0),
        ("avg(ItemCount)", "NaN"), ("avgif(ItemCount, true)", "NaN"), ("stdev(ItemCount)", 0.0),
        ("min(ItemCount)", None), ("max(ItemCount)", None), ("max(Name)", ""),
        ("percentile(ItemCount, 95)", None), ("percentilew(ItemCount, ItemCount, 95)", None),
        ("make_list(Name)", "[]"), ("make_set(Name)", "[]"),
        ("take_any(ItemCount)", None), ("arg_max(TimeGenerated, ItemCount)", None),
    ],
)  # fmt: skip
def test_a_summary_of_no_rows_is_one_row(
    store: MonitorStore, aggregate: str, of_nothing: object
) -> None:
    rows = store.query(f"AppEvents | where Name == 'none' | summarize {aggregate}").rows
    assert [row[-1] for row in rows] == [of_nothing]


def test_a_summary_of_no_rows_by_something_is_empty(store: MonitorStore) -> None:
    assert store.query("AppEvents | where false | summarize count() by Name").rows == ()


@pytest.mark.parametrize(
    ("expression", "kind", "cell"),
    [
        ("7 / 2", "long", 3), ("1 / 0", "long", None), ("1.0 / 0", "real", "Infinity"),
        ("-1.0 / 0", "real", "-Infinity"), ("real(nan)", "real", "NaN"), ("0.5", "real", 0.5),
        ("int(5)", "int", 5), ("true", "bool", True), ("'x'", "string", "x"),
        ("tostring(dynamic(null))", "string", ""), ("long(null)", "long", None),
        ("datetime(null)", "datetime", None), ("1h / 1m", "real", 60.0),
        ("1d + 2h + 3m + 4.5s", "timespan", "1.02:03:04.5000000"),
        ("-90s", "timespan", "-00:01:30"),
        ("totimespan('00:00:00')", "timespan", "00:00:00"),
        ("datetime(2026-11-23T12:00:00.25Z)", "datetime",
         datetime(2026, 11, 23, 12, 0, 0, 250_000, UTC)),
        ("dynamic({'a': [1, null]})", "dynamic", '{"a":[1,null]}'),
        ("guid(74be27de-1e4e-49d9-b579-fe0b331d3642)", "guid",
         "74be27de-1e4e-49d9-b579-fe0b331d3642"),
        ("long(null) == 1", "bool", False), ("isnull(dynamic(null))", "bool", True),
    ],
)  # fmt: skip
def test_a_cell_has_the_form_of_the_service(
    store: MonitorStore, expression: str, kind: str, cell: object
) -> None:
    answer = store.query(f"print x = {expression}")
    assert (answer.types, answer.rows) == ((kind,), ((cell,),))


@pytest.mark.parametrize(
    ("items", "text"),
    [
        ("tostring(Properties.model)", '["b","a"]'),
        ("bag_pack('m', tostring(Properties.model))", '[{"m":"b"},{"m":"a"}]'),
        ("TimeGenerated", '["2026-11-23T12:29:00.0000000Z","2026-11-23T12:28:00.0000000Z"]'),
        ("1h * toint(Properties.id)", '["01:00:00","02:00:00"]'),
    ],
)
def test_a_list_is_json_text(store: MonitorStore, items: str, text: str) -> None:
    kql = f"AppEvents | top 2 by TimeGenerated | summarize make_list({items})"
    answer = store.query(kql)
    assert (answer.types, answer.rows) == (("dynamic",), ((text,),))


def test_now_is_the_callers_for_the_whole_query(store: MonitorStore) -> None:
    noon = datetime(2020, 1, 1, 12, tzinfo=UTC)
    assert store.query("print now(), ago(1h)", now=noon).rows == (
        (noon, noon - timedelta(hours=1)),
    )
    assert store.query("print now()").rows == ((START,),)


def test_queries_that_differ_in_their_times_alone_are_not_mixed_up(store: MonitorStore) -> None:
    def counted(start: str, end: str) -> Any:
        kql = f"AppEvents | where TimeGenerated >= datetime({start}) and TimeGenerated < {end}"
        return store.query(f"{kql} | count").rows[0][0]

    assert counted("2026-11-23T12:26:00Z", "datetime(2026-11-23T12:28:00Z)") == 2
    assert counted("2026-11-23T12:26:00Z", "datetime(2026-11-23T12:26:00Z)") == 0
    assert counted("2026-11-23T00:00:00Z", "datetime(2026-11-24T00:00:00Z)") == 5
    assert counted("2026-11-23 12:28:00.000001", "datetime(2026-11-24)") == 1


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("print x = dynamic([datetime(2026-11-23T12:00:00Z)])",
         '["2026-11-23T12:00:00.0000000Z"]'),
        ("print x = 'datetime(2026-11-23T12:00:00Z)'", "datetime(2026-11-23T12:00:00Z)"),
        ("let t = datetime(2026-11-23T12:00:00Z); print x = tostring(t)",
         "2026-11-23T12:00:00.0000000Z"),
        ("datatable(t: datetime)[datetime(2026-11-23T12:00:00Z)] | project tostring(t)",
         "2026-11-23T12:00:00.0000000Z"),
        ("range t from datetime(2026-11-23T12:00:00Z) to datetime(2026-11-23T12:00:01Z) step 1m"
         " | project tostring(t)", "2026-11-23T12:00:00.0000000Z"),
        ("print x = tostring(datetime(2026-13-23T12:00:00Z))", ""),
    ],
)  # fmt: skip
def test_a_time_is_itself_wherever_it_stands(
    store: MonitorStore, source: str, expected: str
) -> None:
    for _ in range(2):
        assert store.query(source).rows == ((expected,),)


@pytest.mark.parametrize("table", ["AppEvents", "AppMetrics", "UsageEvents"])
def test_the_timespan_limits_every_table(store: MonitorStore, table: str) -> None:
    first = START - timedelta(minutes=5)
    everything = store.query(f"{table} | count").rows
    assert store.query(f"{table} | count", START + timedelta(microseconds=1)).rows == ((0,),)
    assert store.query(f"{table} | count", None, first).rows == ((0,),)
    assert store.query(f"{table} | count", first, START + timedelta(seconds=1)).rows == everything


def test_the_timespan_limits_both_sides_of_a_join(store: MonitorStore) -> None:
    kql = "AppEvents | join kind=inner (UsageEvents) on TimeGenerated | count"
    assert store.query(kql, START - timedelta(minutes=2), START).rows == ((2,),)
    assert store.query(f"let T = UsageEvents; {kql}").rows == ((5,),)


def test_what_is_materialized_is_computed_once() -> None:
    rows = "AppEvents | project Name"
    once = translate(
        f"let Rows = materialize({rows}); union Rows, Rows", MONDAY.replace(tzinfo=None)
    ).sql
    each = translate(f"let Rows = {rows}; union Rows, Rows", MONDAY.replace(tzinfo=None)).sql
    assert once == each.replace('"_l0_Rows" AS (', '"_l0_Rows" AS MATERIALIZED (')
    assert once != each
