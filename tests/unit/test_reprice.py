"""What a repriced call looks like in the log, and how its adjustment gets there."""

import io
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops.__main__ import main
from ops.console.command import Desk
from ops.console.terminal import Terminal
from shared.adapters.azure.azure_monitor_limits import event_fault
from shared.errors import RetryLater
from shared.events.envelope import judge
from shared.events.types import LlmCall
from shared.pricing.cost import Cost
from shared.pricing.price import Prices, load
from shared.rows import EventRow, ExportLater, ExportRefused
from shared.usecases.processing.rows import event_row
from shared.usecases.spending.adjustment import READ, Note, Recorded, Repriced, adjustment, read_log
from shared.usecases.spending.reprice import Adjust
from tests.factories import event
from tests.fakes import START, FakeClock, FakeExporter

LIST = load("")
TRUSTING = load('trusted_providers = ["openai"]')
NOTE = Note("a contract", "ada", START)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def shown(row: EventRow) -> dict[str, object]:
    """Return the row as UsageEvents shows it, with the time that it counts at."""
    occurred_at = row.text.get("occurred_at")
    cells: dict[str, object] = {
        column.name: row.text.get(column.key, "")
        if column.type == "string"
        else row.numbers.get(column.key)
        for column in READ
    }
    at = min(datetime.fromisoformat(occurred_at), row.time) if occurred_at else row.time
    ids = {"OperationId": row.operation_id, "ParentId": row.parent_id}
    return {**cells, **ids, "Name": row.name, "At": at}


def processed(prices: Prices, at: datetime = START, **data: Any) -> EventRow:
    """Return the row of a call that came through the queue."""
    sent = {**event("llm.call", 1, **data), "time": at.isoformat(), "traceparent": TRACE}
    ((call,), refused) = judge([sent], START)
    assert not refused
    assert isinstance(call.data, LlmCall)
    return event_row(call, prices.price(call.data, call.time), 1, START)


def read_back(*rows: EventRow) -> Recorded:
    ((recorded,), unreadable) = read_log(map(shown, rows))
    assert not unreadable
    return recorded


def repriced(recorded: Recorded, prices: Prices) -> Repriced:
    return Repriced(recorded, prices.price(recorded.call, recorded.happened_at))


tokens = st.integers(0, 400_000)


@given(
    model=st.sampled_from(["gpt-4o", "gpt-4o-audio-preview", "nope", "gpt-4.1"]),
    tier=st.sampled_from([None, "batch", "flex", "priority", "odd"]),
    parts=st.tuples(tokens, tokens, tokens, tokens),
    count=st.integers(1, 50),
    seconds=st.integers(-100 * 86_400, 3 * 3_600),
    more=st.fixed_dictionaries(
        {},
        optional={
            "status": st.sampled_from(["success", "error", "429"]),
            "response_model": st.sampled_from(["gpt-4o-2024-08-06", "gpt-4o-mini"]),
            "deployment": st.just("chat"),
            "doubts": st.just(["total_tokens", "output_tokens"]),
            "error_type": st.just("CancelledError"),
            "cost_usd": st.decimals(0, 9, places=9).map(str),
        },
    ),
)
@settings(max_examples=200, deadline=None)
@pytest.mark.parametrize("prices", [LIST, TRUSTING], ids=["list", "trusting"])
def test_a_call_read_back_costs_what_it_did_while_prices_stay(
    prices: Prices,
    model: str,
    tier: str | None,
    parts: tuple[int, int, int, int],
    count: int,
    seconds: int,
    more: dict[str, object],
) -> None:
    usage = {
        "input_tokens": sum(parts[:3]),
        "cache_read_tokens": parts[1],
        "audio_input_tokens": parts[2],
        "output_tokens": parts[3],
    }
    data = {"model": model, "service_tier": tier, "count": count, "usage": usage, **more}
    row = processed(prices, START + timedelta(seconds=seconds), **data)
    assert not repriced(read_back(row), prices).differs


def test_a_call_that_reported_no_usage_is_read_back_so() -> None:
    assert read_back(processed(LIST, usage=None)).call.usage is None


def test_what_a_trusted_provider_reported_is_replaced_and_comes_back() -> None:
    row = processed(TRUSTING, cost_usd="1.25", model="gpt-4o")
    recorded = read_back(row)
    assert recorded.booked.status == "reported"
    assert not repriced(recorded, TRUSTING).differs
    by_list = repriced(recorded, LIST)
    assert (by_list.cost.status, by_list.cost.missing) == ("estimated", ("cost_usd",))
    corrected = read_back(row, adjustment(by_list, NOTE, START))
    assert corrected.booked.status == "estimated"
    assert repriced(corrected, TRUSTING).cost.usd == Decimal("1.25")


def test_a_status_alone_is_a_difference() -> None:
    recorded = read_back(processed(LIST))
    usd = recorded.booked.usd
    assert Repriced(recorded, Cost(usd, "estimated", "", ("usage",))).differs
    assert not Repriced(recorded, Cost(usd, "known", "another list")).differs


def test_free_and_unknown_are_not_the_same() -> None:
    recorded = read_back(processed(LIST, model="nope"))
    free = Repriced(recorded, Cost(Decimal(0), "overridden", "paid by the hour"))
    assert free.differs
    row = adjustment(free, NOTE, START)
    assert (row.numbers["cost_usd"], row.text["new_cost_usd"]) == (0.0, "0")
    assert "old_cost_usd" not in row.text


def test_a_price_that_went_away_takes_its_amount_back() -> None:
    recorded = read_back(processed(LIST))
    row = adjustment(Repriced(recorded, Cost(None, "unknown", "no price")), NOTE, START)
    assert row.numbers["cost_usd"] == -0.036
    corrected = read_back(processed(LIST), row)
    assert (corrected.booked.usd, corrected.booked.status) == (None, "unknown")


def test_an_adjustment_of_a_recent_call_stands_at_its_time() -> None:
    at = START - timedelta(hours=40)
    row = adjustment(repriced(read_back(processed(LIST, at, model="nope")), LIST), NOTE, START)
    assert (row.time, row.text.get("occurred_at")) == (at, None)


def test_an_adjustment_of_an_old_call_stands_where_azure_takes_it_and_counts_at_its_time() -> None:
    at = START - timedelta(days=40, microseconds=7)
    row = adjustment(repriced(read_back(processed(LIST, at, model="nope")), LIST), NOTE, START)
    assert row.time == START - timedelta(hours=47)
    assert datetime.fromisoformat(row.text["occurred_at"]) == at
    assert shown(row)["At"] == at


def test_a_call_dated_ahead_is_priced_at_its_time_and_counted_when_azure_has_it() -> None:
    recorded = read_back(processed(LIST, START + timedelta(days=30)))
    assert recorded.happened_at == START + timedelta(days=30)
    assert recorded.at == START + timedelta(hours=1)


def test_an_adjustment_is_a_row_that_azure_takes_as_it_is() -> None:
    recorded = read_back(processed(LIST, team_id="red", tenant="t", count=3, model="gpt-4o"))
    cost = Cost(Decimal("0.123456789012345678901"), "overridden", "prices.toml")
    row = adjustment(Repriced(recorded, cost), NOTE, START)
    assert event_fault(row) == ""
    assert row.text["new_cost_usd"] == "0.123456789012345678901"
    assert (row.text["team_id"], row.text["tenant"]) == ("red", "t")
    assert (row.operation_id, row.parent_id) == (TRACE[3:35], TRACE[36:52])
    assert (row.numbers["count"], row.numbers["adjusted_count"]) == (0, 3)


def test_rows_of_another_program_are_left_alone() -> None:
    stranger = {**shown(processed(LIST)), "Provider": "", "EventId": "other"}
    negative = {**shown(processed(LIST)), "InputTokens": -5, "EventId": "bad"}
    calls, unreadable = read_log([stranger, shown(processed(LIST)), negative])
    assert ([call.id for call in calls], unreadable) == (["llm.call-1"], 2)


def differing(*models: str) -> list[Repriced]:
    recorded = [read_back(processed(LIST, model=model)) for model in models]
    return [Repriced(one, Cost(Decimal(1), "overridden", "")) for one in recorded]


def test_what_azure_will_never_take_is_reported_and_the_others_are_written() -> None:
    exporter = FakeExporter()
    refusal = ExportRefused(400, "no")
    exporter.event_outcome = lambda row: (
        refusal if row.text["model"] == "a" else FakeExporter().event_outcome(row)
    )
    adjust = Adjust(exporter, FakeClock(), NOTE, lambda seconds: None)
    assert adjust.write(differing("a", "b", "c")) == [refusal]
    assert [row.text["model"] for row in exporter.event_rows] == ["b", "c"]


def test_a_closed_azure_is_given_up_after_three_minutes() -> None:
    clock, exporter = FakeClock(), FakeExporter()
    exporter.event_outcome = lambda row: ExportLater("503", 40)
    waits: list[float] = []

    def pause(seconds: float) -> None:
        waits.append(seconds)
        clock.advance(seconds=seconds)

    with pytest.raises(RetryLater, match="2 adjustments were not taken: 503"):
        Adjust(exporter, clock, NOTE, pause).write(differing("a", "b"))
    assert waits == [40.0] * 5


def command(home: Path, *argv: str) -> tuple[int, str]:
    """Type `reprice` where no stack runs and nothing is set."""
    err = io.StringIO()
    desk = Desk(Terminal(io.StringIO(), err), {"AGENTMETER_HOME": str(home)}, FakeClock())
    return main(["reprice", *argv], desk), err.getvalue()


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        pytest.param(("--from", "2026-11-24"), "Swap them", id="backwards"),
        pytest.param(("--from", "2026-11-01", "--reason", "x" * 1025), "Shorten", id="long"),
        pytest.param(("--from", "2026-11-01", "--config", "/no"), "cannot be read", id="config"),
        pytest.param(("--from", "2026-11-01"), "LOGS_WORKSPACE_ID", id="nothing to ask"),
    ],
)
def test_a_command_that_cannot_run_says_why(
    tmp_path: Path, argv: tuple[str, ...], said: str
) -> None:
    code, err = command(tmp_path, *argv)
    assert code == 2
    assert said in err
