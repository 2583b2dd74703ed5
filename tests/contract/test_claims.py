"""What every store of claims promises."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from tests.contract.stores import OpenStores, Stores

NOON = datetime(2026, 11, 23, 12, 10, tzinfo=UTC)


def keys(count: int, kind: str = "e") -> list[str]:
    """Return keys as an event's identity or a model's answer make them."""
    return [f"{kind}:{sha256(bytes([n])).hexdigest()[:32]}" for n in range(count)]


def for_holder(holder: str, wanted: list[str]) -> Mapping[str, str]:
    return dict.fromkeys(wanted, holder)


@pytest.mark.parametrize("seen_before", [False, True])
def test_a_free_key_goes_to_who_asks(stores: Stores, seen_before: bool) -> None:
    wanted = for_holder("m-1", keys(3))
    assert stores.claims.claim(wanted, NOON, seen_before=seen_before) == wanted


@pytest.mark.parametrize("seen_before", [False, True])
def test_a_taken_key_stays_with_its_holder(stores: Stores, seen_before: bool) -> None:
    first, second, third = keys(3)
    stores.claims.claim({first: "m-1", second: "m-1"}, NOON, seen_before=False)
    later = NOON + timedelta(days=1)
    now = stores.claims.claim({second: "m-2", third: "m-2"}, later, seen_before=seen_before)
    assert now == {second: "m-1", third: "m-2"}


@pytest.mark.parametrize("seen_before", [False, True])
def test_a_redelivered_message_passes_its_own_claims(
    open_stores: OpenStores, seen_before: bool
) -> None:
    wanted = for_holder("m-1", keys(3))
    open_stores().claims.claim(wanted, NOON, seen_before=False)
    assert open_stores().claims.claim(wanted, NOON, seen_before=seen_before) == wanted


def test_an_event_and_a_model_answer_of_the_same_hash_are_two_claims(stores: Stores) -> None:
    wanted = {keys(1, "e")[0]: "m-1", keys(1, "r")[0]: "m-2"}
    assert stores.claims.claim(wanted, NOON, seen_before=False) == wanted


def test_no_keys_are_no_claims(stores: Stores) -> None:
    assert stores.claims.claim({}, NOON, seen_before=False) == {}
    assert stores.claims.is_done([]) == set()


def test_a_message_of_120_events_and_answers_is_claimed_at_once(stores: Stores) -> None:
    wanted = for_holder("m-1", keys(120) + keys(120, "r"))
    assert stores.claims.claim(wanted, NOON, seen_before=False) == wanted


def test_more_keys_of_one_partition_than_a_transaction_takes(stores: Stores) -> None:
    wanted = for_holder("m-1", [f"e:0{n:031x}" for n in range(120)])
    assert stores.claims.claim(wanted, NOON, seen_before=False) == wanted
    stores.claims.done(wanted)
    assert stores.claims.is_done(wanted) == set(wanted)
    assert stores.claims.forget(NOON + timedelta(hours=2)) == 120


def test_of_claimers_at_the_same_time_one_wins_each_key(open_stores: OpenStores) -> None:
    wanted = keys(40)
    instances = [open_stores() for _ in range(4)]

    def claim(number: int) -> Mapping[str, str]:
        # Each begins elsewhere, so that they meet in the middle and not in line.
        order = wanted[number * 10 :] + wanted[: number * 10]
        mine = for_holder(f"m-{number}", order)
        return instances[number].claims.claim(mine, NOON, seen_before=False)

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(claim, range(4)))
    assert all(dict(answer) == dict(answers[0]) for answer in answers)
    assert answers[0].keys() == set(wanted)


def test_done_is_remembered_for_the_keys_named_and_no_others(open_stores: OpenStores) -> None:
    first, second, third = keys(3)
    stores = open_stores()
    stores.claims.claim(for_holder("m-1", [first, second, third]), NOON, seen_before=False)
    stores.claims.done([first, second])
    stores.claims.done([first])
    assert open_stores().claims.is_done([first, second, third]) == {first, second}


def test_done_leaves_the_holder_as_it_was(stores: Stores) -> None:
    (key,) = keys(1)
    stores.claims.claim({key: "m-1"}, NOON, seen_before=False)
    stores.claims.done([key])
    assert stores.claims.claim({key: "m-2"}, NOON, seen_before=False) == {key: "m-1"}


def test_done_of_a_key_that_was_forgotten_makes_no_claim(stores: Stores) -> None:
    known, unknown = "e:" + "0" * 32, "e:" + "0" * 31 + "1"
    stores.claims.claim({known: "m-1"}, NOON, seen_before=False)
    stores.claims.done([unknown, known])
    assert stores.claims.is_done([known, unknown]) == {known}
    assert stores.claims.claim({unknown: "m-2"}, NOON, seen_before=False) == {unknown: "m-2"}


def test_forget_drops_old_claims_and_only_old_ones(open_stores: OpenStores) -> None:
    old, new = keys(40)[:20], keys(40)[20:]
    stores = open_stores()
    stores.claims.claim(for_holder("m-1", old), NOON - timedelta(hours=3), seen_before=False)
    stores.claims.claim(for_holder("m-2", new), NOON, seen_before=False)
    assert open_stores().claims.forget(NOON - timedelta(hours=1)) == 20
    assert stores.claims.forget(NOON - timedelta(hours=1)) == 0
    now = stores.claims.claim(for_holder("m-3", old + new), NOON, seen_before=True)
    assert {key: now[key] for key in old} == for_holder("m-3", old)
    assert {key: now[key] for key in new} == for_holder("m-2", new)


def test_a_duplicate_makes_no_claim_younger_or_older(stores: Stores) -> None:
    (key,) = keys(1)
    stores.claims.claim({key: "m-1"}, NOON - timedelta(hours=9), seen_before=False)
    stores.claims.claim({key: "m-2"}, NOON - timedelta(hours=6), seen_before=False)
    stores.claims.claim({key: "m-1"}, NOON - timedelta(hours=3), seen_before=True)
    assert stores.claims.forget(NOON - timedelta(hours=7)) == 1


def test_a_key_that_was_forgotten_and_taken_again_is_as_young_as_its_new_claim(
    stores: Stores,
) -> None:
    (key,) = keys(1)
    stores.claims.claim({key: "m-1"}, NOON - timedelta(hours=9), seen_before=False)
    stores.claims.claim({key: "m-2"}, NOON - timedelta(hours=6), seen_before=False)
    stores.claims.forget(NOON - timedelta(hours=7))
    stores.claims.claim({key: "m-3"}, NOON, seen_before=False)
    assert stores.claims.forget(NOON - timedelta(hours=4)) == 0
    assert stores.claims.claim({key: "m-4"}, NOON, seen_before=False) == {key: "m-3"}


def test_a_claim_keeps_its_note(stores: Stores) -> None:
    first, second, third = keys(3)
    claims = stores.claims
    claims.claim({first: "m-1"}, NOON, seen_before=False, notes={first: "é 1"})
    mine = {first: "m-2", second: "m-2"}
    claims.claim(mine, NOON, seen_before=False, notes=dict.fromkeys(mine, "2"))
    claims.claim({third: "m-3"}, NOON, seen_before=False)
    unclaimed = keys(4)[3]
    kept = {first: "é 1", second: "2", third: ""}
    assert claims.notes([first, second, third, unclaimed]) == kept
