"""State that the edition before rows wrote, recorded from it: to Azure Tables, and to a file."""

import json
import sqlite3
import zlib
from base64 import b64decode
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from shared.alerting.page import Accepted
from shared.alerting.tallies import Tally, TallyKey, slice_of
from shared.metrics.points import Counted, Labels
from shared.storage import tables_sdk
from shared.storage.memory import MemoryDatabase
from shared.storage.rows import EVERY, Database, Put, Replace
from shared.storage.series import RowSeries
from shared.storage.series_rows import totals_fields, totals_of, totals_texts
from shared.storage.stores import Storage, open_file, stores_of
from shared.storage.totals import Totals
from tests.contract.alert_pages import COSTS, ERRORS, NOON, ids, page
from tests.contract.azurite import Azurite
from tests.contract.databases import OpenDatabase

Recorded = list[tuple[str, str, str, dict[str, str | int | bool | dict[str, str]]]]
"""Table, partition, key and fields of each row."""
RECORDED = Path(__file__).parents[1] / "landed"
OPENAI: Labels = (("provider", "openai"), ("model", "gpt-4o"))
COST = "llm_cost_usd_total"
CALLS = "llm_api_calls_total"
SPENT = Decimal("6.500000000000000000000004")
LATER = NOON + timedelta(hours=3)
KEYS = [f"e:{n:x}{'ab' * 15}0" for n in range(16)]


def filled(database: Database) -> Database:
    """Write the recorded rows of Azure Tables."""
    recorded: Recorded = json.loads((RECORDED / "tables.json").read_text())
    for table, partition, key, recorded_fields in recorded:
        fields = {
            name: b64decode(value["bytes"]) if isinstance(value, dict) else value
            for name, value in recorded_fields.items()
        }
        database.table(table).commit(partition, [Put(key, fields)])
    return database


@pytest.fixture(params=["memory", "file", pytest.param("azurite", marks=pytest.mark.azurite)])
def landed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database that the edition before has written."""
    if request.param == "memory":
        yield filled(MemoryDatabase())
        return
    if request.param == "azurite":
        emulator: Azurite = request.getfixturevalue("azurite")
        with closing(tables_sdk.connect(emulator.account())) as database:
            yield filled(database)
        return
    path = tmp_path / "landed.db"
    with closing(sqlite3.connect(path)) as file:
        file.executescript((RECORDED / "state.sql").read_text())
    with closing(open_file(path)) as database:
        yield database


@pytest.fixture
def stores(landed: Database) -> Storage:
    """Its stores."""
    return stores_of(landed)


def test_totals_go_on_and_are_absorbed(stores: Storage) -> None:
    series = stores.series
    assert series.read().counters == {
        (COST, OPENAI): SPENT,
        (CALLS, (*OPENAI, ("status", "success"))): Decimal(8),
    }
    series.apply("new", [Counted(COST, OPENAI, Decimal(1))], LATER)
    for minutes in range(0, 130, 10):
        series.compact(LATER + timedelta(minutes=minutes))
        state = series.read()
        assert state.counters[COST, OPENAI] == SPENT + 1
        assert state.counters[CALLS, (*OPENAI, ("status", "success"))] == 8
        ((count, total, _),) = state.histograms.values()
        assert (count, total) == (8, 2.0)


def test_what_an_old_instance_adds_late_counts(landed: Database) -> None:
    series, rows = stores_of(landed).series, landed.table("series")
    series.compact(LATER)
    old = next(row for row in rows.query(EVERY, f"m:{COST}"))
    totals = Totals()
    totals.merge(totals_of(old))
    totals.add([Counted(COST, OPENAI, Decimal(2))])
    (text,) = totals_texts(totals)
    rows.commit(old.partition, [Replace(old.key, totals_fields(text), old.etag)])
    assert series.read().counters[COST, OPENAI] == SPENT + 2
    for minutes in (61, 62, 63, 64):
        series.compact(LATER + timedelta(minutes=minutes))
    assert series.read().counters[COST, OPENAI] == SPENT + 2


def test_a_gauge_from_the_future_goes_with_time(stores: Storage) -> None:
    stores.series.compact(LATER)
    for minutes in (61, 62, 63, 64, 65):
        stores.series.compact(LATER + timedelta(minutes=minutes))
    gauges = stores.series.read().gauges
    assert all(at <= LATER + timedelta(minutes=65) for at, _ in gauges.values())


def test_batches_that_were_added_are_known(stores: Storage) -> None:
    assert all(stores.series.applied(f"b-{n}") for n in range(4))
    assert not stores.series.applied("b-4")
    stores.series.compact(LATER)
    assert stores.series.applied("b-after")


def test_claims_keep_their_holders(stores: Storage) -> None:
    claims = stores.claims
    wanted = dict.fromkeys([*KEYS, "r:1" + "c" * 31, "e:7" + "d" * 31], "m-2")
    held = claims.claim(wanted, LATER, seen_before=False)
    assert held == {
        **dict.fromkeys(KEYS, "m-1"),
        "r:1" + "c" * 31: KEYS[0],
        "e:7" + "d" * 31: "m-2",
    }
    assert claims.claim(wanted, LATER, seen_before=True) == held
    assert claims.is_done(KEYS) == set(KEYS[:2])
    claims.done(KEYS[2:4])
    assert claims.is_done(KEYS) == set(KEYS[:4])


def test_old_claims_are_forgotten(stores: Storage) -> None:
    old = "e:9" + "f" * 31
    assert stores.claims.claim({old: "m-9"}, LATER, seen_before=False) == {old: "m-0"}
    assert stores.claims.forget(NOON - timedelta(days=1)) == 1
    assert stores.claims.forget(LATER + timedelta(hours=1)) >= 17


def test_pages_records_and_history_go_on(stores: Storage) -> None:
    alerts = stores.alerts
    assert ids(alerts.waiting()) == ids([page(2), page(3, ERRORS)])
    assert [record.rule for record in alerts.load_all()] == [ERRORS, COSTS]
    ((settled, outcome, _),) = alerts.history(10)
    assert (settled.id, outcome) == (page(1).id, Accepted(202))
    assert len(alerts.log.news(10)) == 2
    assert len(alerts.log.steps(COSTS)) == 2
    saved = alerts.save(replace(alerts.load(COSTS), errors=1), [page(9)])
    assert saved.version == 2
    assert alerts.load(COSTS) == saved


def test_silences_texts_labels_and_mark_go_on(stores: Storage) -> None:
    assert [silence.id for silence in stores.silences.all()] == ["s-1", "s-2"]
    assert stores.texts.read("routes.toml") == "# ü\n[meta]\n"
    written = stores.mark.load()
    assert (written.version, written.minute, len(written.owed)) == (2, NOON, 1)
    assert written.totals.counters[COST, OPENAI] == SPENT - Decimal("0.5")
    assert stores.mark.save(written).version == 3
    values = {"gpt-4o": "a", "gpt-4o-mini": "b", "ü/?": "c", "new": "d"}
    assert stores.labels.admit("model", values, 3, LATER) == {"gpt-4o", "gpt-4o-mini", "ü/?"}


def test_a_renewed_file_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "landed.db"
    with closing(sqlite3.connect(path)) as file:
        file.executescript((RECORDED / "state.sql").read_text())
    for _ in range(2):
        with closing(open_file(path)) as database:
            assert stores_of(database).series.read().counters[COST, OPENAI] == SPENT


def test_a_new_store_is_no_landed_one(open_database: OpenDatabase) -> None:
    series = stores_of(open_database()).series
    series.apply("b", [Counted(COST, OPENAI, Decimal(1))], datetime(2026, 11, 23, tzinfo=UTC))
    assert series.read().counters == {(COST, OPENAI): Decimal(1)}


def test_tallies_in_pairs_are_read(open_database: OpenDatabase) -> None:
    fields = [["c", slice_of(NOON), [["Team", "ü"]], [{"3": [1.5, 2]}, {"4 w": [4.5, 7]}, [8, 9]]]]
    data = zlib.compress(json.dumps(fields).encode())
    rows = open_database().table("series")
    rows.commit("totals", [Put(f"t:d:{NOON:%Y%m%d%H%M%S%f}:b:0", {"tallies00": data})])
    bad, every = ([0] * 3 + [amount] + [0] * 11 for amount in (1.5, 2))
    tally = Tally(bad, every, {"4 w": (4.5, 7)}, (8, 9))
    key = TallyKey("c", slice_of(NOON), (("Team", "ü"),))
    for at in (0, 1):
        assert RowSeries(rows).tallies(NOON) == {key: tally}
        RowSeries(rows).compact(NOON + timedelta(minutes=at))


def test_the_note_of_a_claim_is_stored_as_before(open_database: OpenDatabase) -> None:
    database = open_database()
    claims = stores_of(database).claims
    claims.claim({KEYS[0]: "m"}, NOON, seen_before=False, notes={KEYS[0]: "{}"})
    notes = [row.fields.get("told") for row in database.table("claims").query(EVERY)]
    assert "{}" in notes
    assert claims.notes([KEYS[0]]) == {KEYS[0]: "{}"}
