"""What every driver of rows promises, the limits of Azure Tables included."""

from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from shared.errors import GiveUp
from shared.storage.packing import packed, parts_of, text_key, unpacked
from shared.storage.rows import (
    EVERY,
    Change,
    Conflict,
    Delete,
    Insert,
    Merge,
    Put,
    Range,
    Replace,
    Row,
    Rows,
    Transaction,
    Within,
    commit_present,
    prefix,
)
from tests.contract.databases import KINDS, OpenDatabase, opening


@pytest.fixture(params=[*KINDS, pytest.param("azurite-sdk", marks=pytest.mark.azurite)])
def open_database(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Generator[OpenDatabase, None, None]:
    """Opens one empty storage of each kind, through Microsoft's library, too."""
    yield from opening(request, tmp_path)


NOISE = Random(1)  # for text that does not compress


def noise(length: int) -> str:
    return NOISE.randbytes(length // 2).hex()


def names(found: Iterable[Row]) -> list[str]:
    return [f"{row.partition}/{row.key}" for row in found]


def stored(rows: Rows, partition: str = "p", key: str = "k") -> Row:
    row = rows.get(partition, key)
    assert row
    return row


def test_a_table_never_written_to_is_empty(rows: Rows) -> None:
    assert rows.get("p", "k") is None
    assert rows.get_each([("p", "k"), ("q", "k")]) == [None, None]
    assert list(rows.query("p")) == []
    assert list(rows.query(EVERY)) == []


def test_values_come_back_as_they_were(open_database: OpenDatabase) -> None:
    fields = {
        "text": "ü'\"\\\n\t<&>\U0001f600",
        "empty": "",
        "number": -7,
        "large": 2**62,
        "yes": True,
        "no": False,
        "data": bytes(range(256)),
        "none": b"",
        "more": b"x" * 65_536,
    }
    open_database().table("things").commit("p", [Insert("k", fields)])
    row = stored(open_database().table("things"))
    assert dict(row.fields) == fields
    assert [type(value) for value in row.fields.values()] == [type(v) for v in fields.values()]


def test_only_the_named_fields_come_back(rows: Rows) -> None:
    rows.commit("p", [Insert("k", {"a": "1", "b": b"2", "c": 3})])
    whole = stored(rows)
    for row in (rows.get("p", "k", "c", "b", "x"), next(rows.query("p", EVERY, "c", "b", "x"))):
        assert row == Row("p", "k", {"b": b"2", "c": 3}, whole.etag)
    assert rows.get_each([("p", "k")], "a") == [Row("p", "k", {"a": "1"}, whole.etag)]


@pytest.mark.parametrize(
    ("partitions", "keys", "found"),
    [
        ("a", EVERY, ["a/1", "a/2", "a/21", "a/3"]),
        ("a", "2", ["a/2"]),
        ("a", Range("2", "3"), ["a/2", "a/21"]),
        ("a", Range("2"), ["a/2", "a/21", "a/3"]),
        ("a", prefix("2"), ["a/2", "a/21"]),
        (Range("b"), EVERY, ["b/2", "c/2"]),
        (Range("a", "b"), Range("3"), ["a/3"]),
        (EVERY, "2", ["a/2", "b/2", "c/2"]),
        (EVERY, EVERY, ["a/1", "a/2", "a/21", "a/3", "b/2", "c/2"]),
        ("d", EVERY, []),
    ],
)
def test_a_query_finds_its_range_in_order(
    rows: Rows, partitions: Within, keys: Within, found: list[str]
) -> None:
    for partition, *some in (("c", "2"), ("a", "3", "21", "2", "1"), ("b", "2")):
        rows.commit(partition, [Insert(key, {}) for key in some])
    assert names(rows.query(partitions, keys)) == found


def test_queries_at_once_find_what_each_finds_alone(rows: Rows) -> None:
    for partition in "abc":
        rows.commit(partition, [Insert(f"{n:02}", {}) for n in range(40)])
    places: list[tuple[str, Within]] = [
        (partition, Range(f"{first:02}", f"{first + 3:02}"))
        for partition in "abcd"
        for first in range(0, 40, 4)
    ]
    assert [names(found) for found in rows.query_each(places)] == [
        names(rows.query(*place)) for place in places
    ]
    assert rows.query_each([]) == []


def test_a_query_of_several_thousand_rows_yields_all(rows: Rows) -> None:
    keys = [f"{n:05}" for n in range(2_300)]
    for some in parts_of(keys):
        rows.commit("p", [Insert(key, {}) for key in some])
    assert [row.key for row in rows.query("p")] == keys
    assert [row.key for row in rows.query(EVERY, Range("00100", "01900"))] == keys[100:1900]


def test_each_change_does_what_it_says(rows: Rows) -> None:
    rows.commit("p", [Put("put", {"a": "1"}), Insert("merge", {"a": "1", "b": "1"})])
    rows.commit("p", [Insert("replace", {"a": "1", "b": "1"}), Insert("delete", {})])
    rows.commit(
        "p",
        [
            Put("put", {"b": "2"}),
            Merge("merge", {"b": "2"}),
            Replace("replace", {"b": "2"}),
            Delete("delete"),
        ],
    )
    assert {row.key: dict(row.fields) for row in rows.query("p")} == {
        "put": {"b": "2"},
        "merge": {"a": "1", "b": "2"},
        "replace": {"b": "2"},
    }


def test_each_state_of_a_row_has_its_own_etag(rows: Rows) -> None:
    seen: list[str] = []
    for change in (Insert("k", {}), Put("k", {}), Delete("k"), Insert("k", {})):
        rows.commit("p", [change])
        if row := rows.get("p", "k"):
            seen.append(row.etag)
    assert len(set(seen)) == 3
    assert stored(rows).etag == seen[-1]


def test_a_change_of_the_state_that_was_read_is_made(rows: Rows) -> None:
    rows.commit("p", [Insert("k", {"n": 1})])
    rows.commit("p", [Replace("k", {"n": 2}, stored(rows).etag)])
    rows.commit("p", [Merge("k", {"m": 3}, stored(rows).etag)])
    assert dict(stored(rows).fields) == {"n": 2, "m": 3}
    rows.commit("p", [Delete("k", stored(rows).etag)])
    assert rows.get("p", "k") is None


def test_a_conflict_writes_nothing_of_its_transaction(rows: Rows) -> None:
    rows.commit("p", [Insert("k", {})])
    old = stored(rows).etag
    rows.commit("p", [Replace("k", {"holder": "m-1"}, old)])
    clashes: list[Change] = [
        Insert("k", {}),
        Replace("k", {}, old),
        Merge("k", {}, old),
        Delete("k", old),
        Replace("gone", {}),
        Merge("gone", {}),
        Delete("gone"),
    ]
    for clash in clashes:
        with pytest.raises(Conflict):
            rows.commit("p", [Insert("new", {}), clash])
    assert rows.get("p", "new") is None
    assert dict(stored(rows).fields) == {"holder": "m-1"}


def test_transactions_beside_each_other_fail_alone(rows: Rows) -> None:
    rows.commit("b", [Insert("k", {})])
    rows.commit("d", [Insert("k", {})])
    wanted = [
        Transaction("a", [Insert("k", {})]),
        Transaction("b", [Insert("new", {}), Insert("k", {})]),
        Transaction("d", [Delete("k"), Put("other", {})]),
        Transaction("c", [Insert("1", {}), Insert("2", {})]),
    ]
    assert rows.commit_each(wanted) == [True, False, True, True]
    assert names(rows.query(EVERY)) == ["a/k", "b/k", "c/1", "c/2", "d/other"]
    assert rows.commit_each([]) == []


def test_of_writers_at_the_same_time_one_wins(open_database: OpenDatabase) -> None:
    instances = [open_database().table("things") for _ in range(4)]
    instances[0].commit("p", [Insert("count", {"n": 0})])

    def add(number: int) -> int:
        done = 0
        while done < 10:
            row = stored(instances[number], key="count")
            try:
                change = Replace("count", {"n": row.number("n") + 1}, row.etag)
                instances[number].commit("p", [change, Insert(f"{number}-{done}", {})])
            except Conflict:
                continue
            done += 1
        return done

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(add, range(4))) == 40
    assert stored(instances[0], key="count").fields == {"n": 40}
    assert len(list(instances[0].query("p"))) == 41


def test_rows_that_are_gone_do_not_keep_others(rows: Rows) -> None:
    rows.commit("p", [Insert(f"{n:03}", {}) for n in range(0, 30, 3)])
    assert commit_present(rows, "p", [Delete(f"{n:03}") for n in range(30)]) == 10
    assert list(rows.query("p")) == []


def test_any_text_can_name_a_row(rows: Rows) -> None:
    keys = [text_key("a/b#c?d\\e%'ü"), " !\"$&'()*+,-.:;<=>@[]^_`{|}~", "k" * 512]
    for key in keys:
        rows.commit(key, [Insert(key, {})])
        assert stored(rows, key, key).partition == key
        assert names(rows.query(key, key)) == [f"{key}/{key}"]


def test_the_largest_text_of_a_row_comes_back(rows: Rows) -> None:
    text = noise(1_240_000)
    fields = packed(text, "noise. Say less.")
    assert len(fields) == 11
    rows.commit("p", [Insert("k", fields)])
    assert unpacked(stored(rows)) == text
    with pytest.raises(GiveUp, match=r"noise\. Say less\.$"):
        packed(noise(1_500_000), "noise. Say less.")


def test_text_is_unpacked_in_order_of_its_parts() -> None:
    fields = packed(noise(1_000_000), "noise")
    backwards = dict(reversed(fields.items()))
    assert unpacked(Row("p", "k", backwards, "")) == unpacked(Row("p", "k", fields, ""))


@pytest.mark.parametrize(
    ("changes", "limit"),
    [
        pytest.param([], "0 rows", id="no-change"),
        pytest.param([Insert(f"{n}", {}) for n in range(101)], "101 rows", id="many-changes"),
        pytest.param(
            [Put(f"{n}", packed(noise(1_240_000), "")) for n in range(5)], "5 rows of", id="4-mib"
        ),
        pytest.param(
            [Put("k", {f"f{n}": b"x" * 65_536 for n in range(17)})], "1048576", id="1-mib-row"
        ),
        pytest.param([Put("k", {"data": b"x" * 65_537})], "65536", id="64-kib-bytes"),
        pytest.param([Put("k", {"text": "x" * 32_769})], "65536", id="64-kib-text"),
        pytest.param([Put("k", {"text": "\U0001f600" * 16_385})], "65536", id="64-kib-emoji"),
        pytest.param([Put("k", {f"f{n}": n for n in range(253)})], "252", id="fields"),
        pytest.param([Put("k", {"a-b": 1})], "field named 'a-b'", id="field-name"),
        pytest.param([Put("k", {"RowKey": "x"})], "field named 'RowKey'", id="field-reserved"),
        pytest.param([Put("k", {}), Delete("k")], "changed twice", id="one-row-twice"),
        *(
            pytest.param([Delete(key)], "no key like", id=f"key-{n}")
            for n, key in enumerate(["", "a/b", "a\\b", "a#b", "a?b", "a%b", "ü", "\t", "k" * 513])
        ),
    ],
)
def test_what_azure_never_takes_is_refused(
    rows: Rows, changes: Sequence[Change], limit: str
) -> None:
    with pytest.raises(GiveUp, match=limit):
        rows.commit("p", changes)
    with pytest.raises(GiveUp, match=limit):
        rows.commit_each([Transaction("p", changes)])
    assert list(rows.query(EVERY)) == []
