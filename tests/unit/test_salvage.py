"""What is stored and cannot be read as a whole: one bad part costs itself alone."""

import json
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.alerting.page import Dropped, Page
from shared.alerting.record import Incident, RuleRecord, SeriesAlert
from shared.errors import NotFound
from shared.storage.alerts import RowAlerts
from shared.storage.memory import MemoryDatabase
from shared.storage.outbox import PAGE, RECORD, as_json
from shared.storage.packing import packed, text_key
from shared.storage.quarantine import SILENCES, SetAside
from shared.storage.rows import Merge, Put
from shared.storage.silences import SILENCE, RowSilences
from shared.usecases.explaining.outbox import Outbox
from tests.contract.alert_pages import page
from tests.contract.test_silences import silence

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
RECORDED = RuleRecord(
    "Errors/critical",
    version=3,
    series={
        "a": SeriesAlert({"Team": "a"}, "firing", NOON, 12.0, fired_at=NOON),
        "b": SeriesAlert({"Team": "b"}, "pending", NOON, 12.0),
    },
    incidents={"": Incident("key", "critical", NOON, NOON, ("a",))},
)


def spoilt(**fields: Any) -> RuleRecord:
    """Return the record as it is read with these fields in the place of its own."""
    stored: dict[str, Any] = json.loads(as_json(RECORD, RECORDED))
    return RECORD.validate_json(json.dumps(stored | fields))


def alert(**fields: Any) -> dict[str, Any]:
    stored: dict[str, Any] = json.loads(as_json(RECORD, RECORDED))
    return stored["series"]["a"] | fields


@pytest.mark.parametrize(
    "bad",
    [
        {"looked": 7},
        {"last_at": "yesterday"},
        {"transitions": [{"state": "recovering"}]},
        {"of_a_later_edition": {"x": 1}},
    ],
)
def test_a_bad_field_costs_itself(bad: dict[str, Any]) -> None:
    read = spoilt(**bad)
    assert (read.version, read.series, read.incidents) == (
        3,
        RECORDED.series,
        RECORDED.incidents,
    )


def test_a_bad_series_costs_itself() -> None:
    read = spoilt(series={"a": alert(), "b": alert(since="never")})
    assert read.series == {"a": RECORDED.series["a"]}
    assert read.incidents == RECORDED.incidents


@pytest.mark.parametrize(("fired", "phase"), [(NOON.isoformat(), "firing"), (None, "pending")])
def test_a_phase_of_a_later_edition_is_one_of_ours(fired: str | None, phase: str) -> None:
    read = spoilt(series={"a": alert(phase="recovering", fired_at=fired)})
    assert read.series["a"].phase == phase


def test_half_a_character_in_what_is_stored_is_read_over() -> None:
    text = as_json(RECORD, RECORDED).replace('"Team":"a"', '"Team":"a\\ud83d"')
    assert RECORD.validate_json(text).series["a"].labels == {"Team": "a?"}


def test_half_a_character_is_not_stored() -> None:
    odd = replace(page(1), summary="half \ud83d")
    assert PAGE.validate_json(as_json(PAGE, odd)).summary == "half ?"


def unreadable(one: Page) -> str:
    return as_json(PAGE, one).replace('"trigger"', '"escalate"')


def damaged() -> tuple[RowAlerts, Page, SetAside]:
    """Return a store in which a page and a record cannot be read, a page that can, and what of it
    was set aside."""
    rows = MemoryDatabase().table("alerts")
    alerts = RowAlerts(rows)
    one, other = page(1, "Errors/critical"), page(2, "Errors/critical", incident="other")
    alerts.save(RuleRecord("Errors/critical"), [one, other])
    alerts.save(RuleRecord("Costs/critical"), [])
    spoilt_page = Merge(f"o:{text_key(one.id)}", packed(unreadable(one), ""))
    rows.commit(text_key("Errors/critical"), [spoilt_page])
    rows.commit(text_key("Costs/critical"), [Put("record", {"version": 1, "data00": b"no zlib"})])
    return alerts, other, SetAside(rows)


def test_a_page_that_cannot_be_read_stops_no_other() -> None:
    alerts, other, _ = damaged()
    assert [one.id for one in alerts.waiting()] == [other.id]
    assert [one.rule for one in alerts.load_all()] == ["Errors/critical"]


@pytest.mark.parametrize(
    "data",
    [
        packed("[1, 2]", ""),
        packed("[" * 100_000 + "]" * 100_000, ""),
        {"data00": zlib.compress(b"\xff\xfe\x00")},
        {"data00": zlib.compress(as_json(RECORD, RECORDED).encode())[:-6]},
        {"data00": "plain text"},
        {},
    ],
    ids=["no object", "deep", "no UTF-8", "cut off", "of another type", "nothing"],
)
@pytest.mark.parametrize("key", ["record", "o:abc"])
def test_whatever_a_row_holds_others_are_read(key: str, data: dict[str, bytes | str]) -> None:
    rows = MemoryDatabase().table("alerts")
    alerts, aside = RowAlerts(rows), SetAside(rows)
    alerts.save(RuleRecord("Errors/critical"), [page(1, "Errors/critical")])
    rows.commit(text_key("Costs/critical"), [Put(key, {"version": 1, "lease": "", **data})])
    assert [one.rule for one in alerts.load_all()] == ["Errors/critical"]
    assert len(alerts.waiting()) == len(alerts.due(NOON + timedelta(days=9), 9)) == 1
    assert [one.rule for one in aside.listed()] == ["Costs/critical"]


def test_what_cannot_be_read_is_listed_until_removed() -> None:
    alerts, _, aside = damaged()
    for _ in range(2):
        alerts.waiting()
        alerts.load_all()
    found = sorted(aside.listed(), key=lambda one: one.rule)
    assert [(one.kind, one.rule) for one in found] == [
        ("record", "Costs/critical"),
        ("page", "Errors/critical"),
    ]
    assert [aside.discard(one.id) for one in found] == [True, True]
    assert (aside.listed(), aside.discard(found[0].id)) == ([], False)


def test_a_rule_whose_record_is_lost_begins_anew() -> None:
    alerts, _, _ = damaged()
    fresh = alerts.load("Costs/critical")
    assert fresh == RuleRecord("Costs/critical")
    assert alerts.save(fresh, []).version == 1


def test_what_is_lost_in_part_is_copied_and_named() -> None:
    rows = MemoryDatabase().table("alerts")
    alerts = RowAlerts(rows)
    alerts.save(replace(RECORDED, version=0), [])
    text = as_json(RECORD, replace(RECORDED, version=1)).replace('"route":"critical"', '"route":7')
    rows.commit(text_key(RECORDED.rule), [Merge("record", packed(text, ""))])
    (record,) = alerts.load_all()
    assert (record.series, record.incidents) == (RECORDED.series, {})
    (lost,) = SetAside(rows).listed()
    assert (lost.rule, lost.why) == (RECORDED.rule, "lost: incidents.incident")
    assert alerts.save(record, []).version == 2


def test_a_person_removes_what_waits() -> None:
    alerts, other, aside = damaged()
    outbox = Outbox(alerts, aside)
    shown = outbox.listed()
    assert [one["kind"] for one in shown] == ["trigger", "unreadable page"]
    for one in shown:
        outbox.drop(str(one["id"]), NOON)
    assert outbox.listed() == []
    ((_, outcome, _),) = alerts.history(9)
    assert outcome == Dropped("a person removed it")
    with pytest.raises(NotFound, match="pages list"):
        outbox.drop(other.id, NOON)


@pytest.mark.parametrize(
    "bad",
    [
        {"matchers": [{"name": "alertname"}]},
        {"ends_at": "half past nine"},
        {"kind": "holiday"},
        {"recurrence": {"every": "full moon"}},
    ],
)
def test_a_silence_is_read_whole_or_set_aside(bad: dict[str, Any]) -> None:
    rows = MemoryDatabase().table("silences")
    silences, aside = RowSilences(rows), SetAside(rows)
    silences.add(replace(silence("good"), ends_at=NOON))
    stored: dict[str, Any] = json.loads(SILENCE.dump_json(silence("odd"), by_alias=True))
    rows.commit(SILENCES, [Put(text_key("odd"), packed(json.dumps(stored | bad), ""))])
    assert silences.end("odd", NOON) is None
    for _ in range(2):
        assert [one.id for one in silences.all()] == ["good"]
    (lost,) = aside.listed()
    assert (lost.kind, lost.rule) == ("silence", "silence odd")
    assert silences.forget(NOON + timedelta(days=9)) == 1
    assert aside.discard(lost.id)
    assert list(rows.query(SILENCES)) == []
