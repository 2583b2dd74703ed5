"""What every book of label values promises."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from shared.storage.labels import RowLabels
from shared.store_ports import LabelBook
from tests.contract.databases import OpenDatabase
from tests.contract.stores import OpenStores, Stores

NOON = datetime(2026, 11, 23, 12, 10, tzinfo=UTC)
DAY = timedelta(days=1)


def admit(
    labels: LabelBook,
    label: str,
    values: Iterable[str],
    *,
    most: int,
    sender: str = "",
    at: datetime = NOON,
) -> set[str]:
    """Let values in of a sender; "": each has a sender of its own."""
    return labels.admit(label, {value: sender or value for value in values}, most, at)


def test_values_are_let_in_while_there_is_room(stores: Stores) -> None:
    assert admit(stores.labels, "model", {"a", "b"}, most=3) == {"a", "b"}
    assert len(admit(stores.labels, "model", {"c", "d"}, most=3)) == 1
    assert admit(stores.labels, "model", {"e"}, most=3) == set()


def test_what_was_let_in_stays_in_for_every_instance(open_stores: OpenStores) -> None:
    admit(open_stores().labels, "model", {"a", "b"}, most=2)
    for _ in range(2):
        assert admit(open_stores().labels, "model", {"a", "b", "c"}, most=2) == {"a", "b"}


def test_an_instance_sees_what_others_let_in_since_it_last_looked(open_stores: OpenStores) -> None:
    one, other = open_stores().labels, open_stores().labels
    assert admit(one, "model", {"a"}, most=2) == {"a"}
    assert admit(other, "model", {"b"}, most=2) == {"b"}
    assert admit(one, "model", {"a", "b", "c"}, most=2) == {"a", "b"}


def test_each_label_has_a_book_of_its_own(stores: Stores) -> None:
    admit(stores.labels, "model", {"a"}, most=1)
    assert admit(stores.labels, "path", {"/x/?#", "/y"}, most=2) == {"/x/?#", "/y"}


def test_a_lower_cap_lets_no_one_in_and_throws_no_one_out(stores: Stores) -> None:
    admit(stores.labels, "model", {"a", "b", "c"}, most=3)
    assert admit(stores.labels, "model", {"a", "b", "c", "d"}, most=1) == {"a", "b", "c"}


def test_a_higher_cap_makes_room(open_stores: OpenStores) -> None:
    labels = open_stores().labels
    admit(labels, "model", {"a"}, most=1)
    assert admit(labels, "model", {"b"}, most=1) == set()
    assert admit(labels, "model", {"b"}, most=2) == {"b"}


def test_the_cap_holds_however_many_instances_add_at_once(open_stores: OpenStores) -> None:
    instances = [open_stores() for _ in range(4)]

    def fill(number: int) -> set[str]:
        wanted = ({f"{number}-{n}", f"{number}-{n + 1}"} for n in range(0, 10, 2))
        admitted = (admit(instances[number].labels, "model", values, most=12) for values in wanted)
        return {value for values in admitted for value in values}

    with ThreadPoolExecutor(4) as threads:
        admitted = set[str]().union(*threads.map(fill, range(4)))
    assert len(admitted) == 12
    assert admit(open_stores().labels, "model", admitted | {"one more"}, most=12) == admitted


def test_one_sender_fills_three_quarters_of_the_room(stores: Stores) -> None:
    junk = [f"junk-{n}" for n in range(300)]
    assert len(admit(stores.labels, "model", junk, most=200, sender="junk")) == 150
    real = {"gpt-4o", "claude-sonnet-4-5"}
    assert admit(stores.labels, "model", real, most=200, sender="fleet") == real
    assert admit(stores.labels, "model", ["junk-x"], most=200, sender="junk") == set()


def test_unused_values_make_room_after_a_week(open_stores: OpenStores) -> None:
    labels = open_stores().labels
    admit(labels, "model", ["old", "used"], most=2)
    for day in range(1, 8):
        assert admit(labels, "model", ["used"], most=2, at=NOON + day * DAY) == {"used"}
    assert admit(labels, "model", ["new"], most=2, at=NOON + 6 * DAY) == set()
    later = NOON + 7 * DAY + timedelta(hours=2)
    assert admit(labels, "model", ["new"], most=2, at=later) == {"new"}
    found = admit(open_stores().labels, "model", ["old", "used", "new"], most=2, at=later)
    assert found == {"used", "new"}


def test_values_are_kept_while_there_is_room(open_stores: OpenStores) -> None:
    admit(open_stores().labels, "model", ["old"], most=2)
    later = NOON + 30 * DAY
    assert admit(open_stores().labels, "model", ["new"], most=2, at=later) == {"new"}
    assert admit(open_stores().labels, "model", ["old"], most=2, at=later) == {"old"}


def test_a_freed_value_makes_room_for_another(open_database: OpenDatabase) -> None:
    labels = RowLabels(open_database().table("series"))
    other = RowLabels(open_database().table("series"))
    admit(labels, "model", ["a", "b"], most=2)
    assert admit(other, "model", ["c"], most=2) == set()
    assert labels.free("model", ["a", "x"], NOON) == ["a"]
    assert labels.free("model", ["a"], NOON) == []
    assert list(labels.all(NOON)["model"]) == ["b"]
    later = NOON + timedelta(minutes=16)
    assert admit(other, "model", ["c"], most=2, at=later) == {"c"}
