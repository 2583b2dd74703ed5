"""Rules and conditions: what their text means, and what is refused with a remedy."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from shared.alerting.comparison import Number, parse_comparison
from shared.alerting.reading import fingerprint, read_samples
from shared.alerting.rule import Rule, bind
from shared.alerting.rule_file import parse_rule
from shared.errors import Misconfigured

TEXT = '''
name = "HighHourlyCosts"
group = "cost_management"
severity = "critical"
every = "PT1M"
window = "PT1H"
hold = "PT10M"
keep_firing = "PT0S"
condition = "> 100"
resolve = "<= 90"
no_data = "keep"
summary = "LLM spend is ${value:.2f} an hour, over $100"
description = "What the fleet spent in the last hour."
runbook = "docs/runbooks/HighHourlyCosts.md"
query = """
UsageEvents
| where TimeGenerated >= {start} and TimeGenerated < {end} and Name == "llm.call"
| summarize value = sum(CostUsd)
"""
[fast]
window = "PT5M"
hold = "PT1M"
condition = "> 25"
'''


def rule(old: str = "", new: str = "") -> Rule:
    assert old in TEXT
    return parse_rule(TEXT.replace(old, new, 1), "costs.toml")


def test_a_rule_is_read_as_its_file_says() -> None:
    read = rule()
    main, fast = read.conditions
    assert read.key == "HighHourlyCosts/critical"
    assert (main.window, main.hold) == (timedelta(hours=1), timedelta(minutes=10))
    assert main.resolve == parse_comparison("<= 90")
    assert (fast.window, fast.hold) == (timedelta(minutes=5), timedelta(minutes=1))
    assert str(fast.comparison) == "> 25"
    assert (fast.query, fast.summary, fast.resolve) == (main.query, main.summary, None)


@pytest.mark.parametrize(
    ("old", "new", "offset_s"),
    [
        pytest.param("", "", 0, id="plain-sum"),
        pytest.param('"> 100"\nresolve = "<= 90"', '"< 0.75"', 60, id="falling-value"),
        pytest.param("[fast]", "min_samples = 20\n[fast]", 60, id="ratio"),
        pytest.param('"keep"', '"alert"', 60, id="absence"),
        pytest.param("[fast]", 'min_samples = 20\noffset = "PT5S"\n[fast]', 5, id="said-so"),
    ],
)
def test_the_window_of_what_late_data_would_trip_ends_a_minute_ago(
    old: str, new: str, offset_s: int
) -> None:
    assert [condition.offset for condition in rule(old, new).conditions] == [
        timedelta(seconds=offset_s),
        timedelta(0),
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('severity = "critical"', 'severity = "urgent"', "severity: Input should be 'critical'"),
        ('window = "PT1H"', 'window = "90"', "window: '90' is no duration in whole"),
        ('window = "PT1H"', 'window = "PT1.5S"', "window: "),
        ('window = "PT1H"', 'window = "PT30S"', "window: shorter than every"),
        ('every = "PT1M"', 'every = "PT90S"', "every: the timer ticks once a minute"),
        ('hold = "PT10M"', 'hold = "PT30S"', "hold: shorter than every, so that one evaluation"),
        ('hold = "PT1M"', 'hold = "PT59S"', "fast.hold: shorter than every"),
        ('keep_firing = "PT0S"', 'keep_firing = "PT5S"', "keep_firing: shorter than every"),
        ('"> 100"', '"over 100"', "condition: 'over 100' is no comparison"),
        ('"<= 90"', '"<= 110"', "resolve: <= 110 must be apart from > 100"),
        ('"<= 90"', '"> 90"', "resolve: > 90 must be apart from > 100"),
        ('runbook = "docs/runbooks/HighHourlyCosts.md"', "", "runbook: a critical page needs one"),
        ("{start}", "ago(1h)", "query: now() and ago() see another time"),
        ("{start}", "ago(1h)", "query: {start} is missing"),
        ("{end}", "now ()", "query: now() and ago() see another time"),
        ("{end}", "datetime(2026)", "query: {end} is missing"),
        ('no_data = "keep"', 'no_data = "ok"\nno_data_max = "PT1H"', "no_data_max: it bounds"),
        ('no_data = "keep"', 'nodata = "keep"', "nodata: Extra inputs are not permitted"),
        ('group = "cost_management"\n', "", "group: Field required"),
        ('name = "High', 'name = "../High', "name: String should match pattern"),
        ('severity = "critical"', "severity = critical", "line 4, column 12: Invalid value"),
    ],
)
def test_a_wrong_rule_is_refused_by_file_field_and_remedy(old: str, new: str, said: str) -> None:
    with pytest.raises(Misconfigured) as refusal:
        rule(old, new)
    assert str(refusal.value).startswith("costs.toml: ")
    assert said in str(refusal.value)
    assert str(refusal.value).endswith("docs/rules.md explains every field of a rule.")


def test_words_in_strings_and_comments_are_no_calls() -> None:
    quoted = '"ago(1h)" != Model // now() is not for rules'
    assert rule('Name == "llm.call"', quoted)


def test_every_problem_is_named_at_once() -> None:
    with pytest.raises(Misconfigured) as refusal:
        rule('hold = "PT10M"', 'hold = "PT1S"\nno_data_max = "PT1H"\nsample = 1')
    assert "sample: Extra" in str(refusal.value)
    with pytest.raises(Misconfigured, match=r"fast\.hold: .*runbook: "):
        parse_rule(TEXT.replace('"PT1M"\ncond', '"PT1S"\ncond').replace("runbook =", "#"), "a.toml")


def test_bounds_are_put_in_as_datetime_literals() -> None:
    start = datetime(2026, 1, 5, 1, tzinfo=UTC)
    bound = bind("T >= {start} and T < {end} {x}", start, start + timedelta(seconds=1.5))
    assert bound == (
        "T >= datetime(2026-01-05T01:00:00.0000000Z) and "
        "T < datetime(2026-01-05T01:00:01.5000000Z) {x}"
    )


@pytest.mark.parametrize(
    ("condition", "value", "holds"),
    [
        ("> 100", 100, False),
        ("> 100", 101, True),
        ("> 0.1", 10 / 100, False),
        ("> 0.3", 0.1 + 0.2, True),
        ("< 0.75", 75 / 100, False),
        ("< 0.75", 74 / 100, True),
        ("<= 90", Decimal(90), True),
        (">= -1.5", -1.5, True),
        ("> 100", float("inf"), True),
        ("> 100", float("nan"), None),
        ("> 100", None, None),
    ],
)
def test_conditions_are_exact(condition: str, value: Number | None, holds: bool | None) -> None:
    assert parse_comparison(condition).holds(value) is holds


@pytest.mark.parametrize("text", ["100", "=> 1", "> ten", "> 1e3", "", None, 3])
def test_what_is_no_condition_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="is no comparison"):
        parse_comparison(text)


def test_an_answer_is_one_sample_per_series() -> None:
    read = read_samples(("Model", "value", "samples"), [("a", 1.5, 10), (None, None, 0)])
    assert read[fingerprint({"Model": "a"})].value == 1.5
    assert read[fingerprint({"Model": ""})].samples == 0


def test_a_series_is_the_same_whatever_the_order_of_its_labels() -> None:
    assert fingerprint({"a": "1", "b": "2"}) == fingerprint({"b": "2", "a": "1"})
    assert fingerprint({"a": "1", "b": "2"}) != fingerprint({"a": "2", "b": "1"})


@pytest.mark.parametrize(
    ("columns", "rows", "said"),
    [
        (("count_",), [(1,)], "returns count_; name one of them `value`"),
        (("value",), [(1,), (2,)], "Two rows have the same labels"),
        (("value",), [("12",)], "`value` is '12', no number"),
        (("value",), [(True,)], "`value` is True, no number"),
    ],
)
def test_an_answer_of_another_shape_is_refused(
    columns: tuple[str, ...], rows: list[tuple[object, ...]], said: str
) -> None:
    with pytest.raises(Misconfigured, match=said):
        read_samples(columns, rows)


PERIOD = 'window = "P32D"\ncalendar = { period = "month", timezone = "Europe/Berlin" }'


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{start}", "{since}", "query: {since} and {until} are bounds of a period; say which"),
        (
            'window = "PT1H"',
            'calendar = { period = "year" }\nwindow = "PT1H"',
            "calendar.period: Input should be 'day', 'week' or 'month'",
        ),
        (
            'window = "PT1H"',
            'calendar = { period = "day", timezone = "Mars" }\nwindow = "PT1H"',
            "calendar.timezone: 'Mars' is no time zone known here; write an IANA name",
        ),
    ],
)
def test_a_wrong_period_is_refused(old: str, new: str, said: str) -> None:
    with pytest.raises(Misconfigured) as refusal:
        rule(old, new)
    assert said in str(refusal.value)


def test_a_query_may_begin_where_the_period_does() -> None:
    text = TEXT.replace("{start}", "{since}").split("[fast]")[0]
    read = parse_rule(text.replace('window = "PT1H"', PERIOD), "month.toml")
    (condition,) = read.conditions
    end = datetime(2026, 11, 1, tzinfo=UTC)
    kql = bind(condition.query, end - condition.window, end, condition.calendar)
    assert "TimeGenerated >= datetime(2026-10-31T23:00:00.0000000Z)" in kql
    with pytest.raises(Misconfigured, match="up to 32 days, 0:00:00 ago; widen `window`"):
        parse_rule(text.replace('window = "PT1H"', PERIOD.replace("32", "30")), "month.toml")


def test_nothing_is_bound_in_strings_and_comments() -> None:
    start = datetime(2026, 1, 5, tzinfo=UTC)
    texts = r""""{start}" '{end}' @"\" "\"{end}\\" // it's {start}"""
    bound = bind(f"{texts}\n{{start}}", start, start)
    assert bound == f"{texts}\ndatetime(2026-01-05T00:00:00.0000000Z)"


def short(fast: str, top: str) -> Rule:
    """Return a rule that says by which fields its fast condition's events are summed up."""
    more = f"top = [{top}]\nfast = {{ {fast} }}\n"
    return parse_rule(TEXT.partition("[fast]")[0] + more, "costs.toml")


@pytest.mark.parametrize(
    ("fast", "shown", "summed", "order"),
    [
        ('event = "error", rate = "> 1 / s"', "", "Events = sum(Count)", "Events desc"),
        (
            'event = "llm.call", sum = "cost_usd", rate = "> 1 / h"',
            "",
            "CostUsd = sum(CostUsd)",
            "CostUsd desc",
        ),
        (
            'event = "http.request", over = { duration_s = 2 }, share = "> 20 %"',
            " and DurationS > 2",
            "Events = sum(Count)",
            "Events desc",
        ),
        (
            'event = "agent.operation", good = { status = ["success"] }, share = "> 20 %"',
            ' and not(Status in ("success"))',
            "Events = sum(Count)",
            "Events desc",
        ),
        ('event = "task.queue", value = "> 100"', "", "Value = max(Value)", "Value desc"),
        (
            'event = "db.pool", where = { state = ["idle"] }, value = "< 2"',
            ' and State in ("idle")',
            "Value = min(Value)",
            "Value asc",
        ),
    ],
)
def test_top_sums_up_what_is_bad_by_fields(fast: str, shown: str, summed: str, order: str) -> None:
    kind = fast.split('"')[1]
    assert short(fast, '"source", "team_id"').contributors.splitlines()[2:] == [
        f'| where Name == "{kind}"{shown}',
        f"| summarize {summed} by Source, TeamId",
        f"| top 10 by {order}",
    ]


def test_top_names_fields_of_the_event() -> None:
    with pytest.raises(Misconfigured, match=r"top: error has no 'model'; choose of .*component"):
        short('event = "error", rate = "> 1 / s"', '"component", "model"')
    with pytest.raises(Misconfigured, match="top: needs a fast condition"):
        short('window = "PT5M", condition = "> 25"', '"model"')
