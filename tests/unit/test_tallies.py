"""Tallies: how they add up, and how they are stored."""

from collections.abc import Mapping
from itertools import permutations

from shared.alerting.tallies import SLICE_S, Tally, TallyKey, dumped, loaded, merge_all, subtracted


def of(amounts: Mapping[int, float]) -> list[float]:
    return [amounts.get(second, 0) for second in range(SLICE_S)]


ONE = Tally(of({1: 1}), of({1: 2}), {"3 a": (3.5, 8)}, (5, 6))
TWO = Tally(of({1: 2}), of({1: 2, 4: 1}), {"3 a": (3.2, 9)}, (4, 5))
THREE = Tally((), (), {"3 b": (3.0, 1)}, (7, 7))


def test_tallies_merge_in_any_order() -> None:
    orders = [a.merged(b).merged(c) for a, b, c in permutations((ONE, TWO, THREE))]
    assert all(order == orders[0] for order in orders)
    assert (orders[0].bad, orders[0].every) == (of({1: 3}), of({1: 4, 4: 1}))
    assert orders[0].gauges == {"3 a": (3.5, 8), "3 b": (3.0, 1)}
    assert orders[0].received == (4, 7)


def test_what_is_stored_is_read_back() -> None:
    whole = {
        TallyKey(condition, n, (("Team", team),)): tally
        for condition in ("c", "d")
        for n, tally in enumerate((ONE, TWO))
        for team in ("a", "ü")
    }
    assert loaded(dumped(whole)) == whole


def test_what_is_subtracted_is_gone() -> None:
    key = TallyKey("c", 1)
    left = merge_all([{key: ONE}, {key: TWO}, subtracted({key: TWO})])[key]
    assert (left.bad, left.every) == (of({1: 1}), of({1: 2}))
