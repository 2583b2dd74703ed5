"""Claims whose number of partitions changes in mid-stream: each key has one holder for all."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.storage.claim_layouts import HONOURED
from shared.storage.claims import RowClaims
from shared.storage.memory import MemoryDatabase
from shared.storage.rows import EVERY, Row
from tests.contract.databases import OpenDatabase

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
KEYS = [f"e:{sha256(bytes([n])).hexdigest()[:32]}" for n in range(12)]
STEPS = st.lists(
    st.tuples(
        st.integers(0, 2),  # which instance
        st.sets(st.integers(0, 11), min_size=1),  # which keys it asks for
        st.integers(0, 60 * 24),  # minutes until then
        st.booleans(),  # whether it has seen the message before
        st.sampled_from([None, None, None, 1, 2, 5]),  # restarted with so many partitions
    ),
    max_size=25,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(STEPS)
def test_a_key_has_one_holder_whatever_changes(
    steps: list[tuple[int, set[int], int, bool, int | None]],
) -> None:
    rows = MemoryDatabase().table("claims")
    instances = [RowClaims(rows, 3) for _ in range(3)]
    holders: dict[str, tuple[str, datetime]] = {}
    now = NOON
    for number, (instance, wanted, minutes, seen_before, partitions) in enumerate(steps):
        now += timedelta(minutes=minutes)
        if partitions:
            instances[instance] = RowClaims(rows, partitions)
        mine = {KEYS[n]: f"m-{number}" for n in wanted}
        held = instances[instance].claim(mine, now, seen_before=seen_before)
        for key, holder in held.items():
            first, at = holders.setdefault(key, (holder, now))
            assert holder == first or now - at > timedelta(days=8)


def test_claims_of_both_layouts_are_honoured(open_database: OpenDatabase) -> None:
    def claims(partitions: int) -> RowClaims:
        return RowClaims(open_database().table("claims"), partitions)

    one, other = KEYS[:2]
    claims(3).claim({one: "m-1"}, NOON, seen_before=False)
    claims(3).done([one])
    changed = NOON + timedelta(days=1)
    now = claims(5).claim({one: "m-2", other: "m-2"}, changed, seen_before=False)
    assert now == {one: "m-1", other: "m-2"}
    assert claims(5).is_done([one, other]) == {one}
    stale = claims(3)
    assert stale.claim({other: "m-3"}, changed, seen_before=False) == {other: "m-2"}
    after = changed + HONOURED
    assert claims(5).claim({other: "m-4"}, after, seen_before=False) == {other: "m-2"}


def test_a_second_change_waits_for_the_first(open_database: OpenDatabase) -> None:
    table = open_database().table("claims")
    RowClaims(table, 3).claim({KEYS[0]: "m"}, NOON, seen_before=False)
    RowClaims(table, 5).claim({KEYS[1]: "m"}, NOON, seen_before=False)
    RowClaims(table, 7).claim({KEYS[2]: "m"}, NOON + timedelta(days=7), seen_before=False)
    assert partitions(table.query(EVERY, KEYS[2])) == {"3", "5"}
    RowClaims(table, 7).claim({KEYS[3]: "m"}, NOON + HONOURED, seen_before=False)
    assert partitions(table.query(EVERY, KEYS[3])) == {"5", "7"}


def test_a_message_of_25_needs_a_transaction_for_each_partition() -> None:
    table = MemoryDatabase().table("claims")
    wanted = {f"e:{sha256(bytes([n])).hexdigest()[:32]}": "m" for n in range(25)}
    RowClaims(table, 3).claim(wanted, NOON, seen_before=False)
    assert partitions(table.query(EVERY)) == {"0", "3"}
    assert len({row.partition for row in table.query(EVERY)}) == 4


def partitions(found: Iterable[Row]) -> set[str]:
    return {row.partition.partition("-")[0] for row in found}
