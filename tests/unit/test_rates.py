"""How much each key may send in a minute."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import TooManyRequests
from shared.usecases.intake import rates
from shared.usecases.intake.rates import RateLimits
from tests.fakes import START


def waits(limits: RateLimits, key: str = "a", after_s: float = 0) -> float:
    """Return how long the key has to wait, 0 where its request is let in."""
    try:
        limits.admit(key, START + timedelta(seconds=after_s))
    except TooManyRequests as exc:
        return exc.retry_after_s or 0
    return 0


def test_nothing_is_limited_by_default() -> None:
    limits = RateLimits()
    limits.spend("a", 10**9, START)
    assert [waits(limits) for _ in range(1000)] == [0] * 1000


def test_a_key_has_its_share_of_requests_and_then_waits() -> None:
    limits = RateLimits(requests=30)
    assert [waits(limits) for _ in range(30)] == [0] * 30
    assert waits(limits) == pytest.approx(2)
    assert waits(limits, after_s=1.9) > 0
    assert waits(limits, after_s=2.1) == 0


def test_what_one_key_takes_is_not_taken_from_another() -> None:
    limits = RateLimits(requests=1)
    assert (waits(limits, "a"), waits(limits, "b")) == (0, 0)
    assert waits(limits, "a") > 0


def test_a_batch_over_the_share_is_taken_and_the_next_one_waits_for_it() -> None:
    limits = RateLimits(events=600)
    assert waits(limits) == 0
    limits.spend("a", 1000, START)
    assert waits(limits) == pytest.approx(40.1, abs=0.1)
    assert waits(limits, after_s=41) == 0


def test_a_clock_that_goes_back_gives_and_takes_nothing() -> None:
    limits = RateLimits(requests=1)
    assert waits(limits, after_s=100) == 0
    assert waits(limits, after_s=0) == pytest.approx(60)


def test_keys_that_wait_are_remembered_however_many_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MOST_KEYS", 10)
    limits = RateLimits(requests=1)
    waits(limits, "busy")
    for number in range(100):
        waits(limits, f"key {number}", number / 10)
    assert waits(limits, "busy", 11) > 0


def test_the_refusal_shows_no_key() -> None:
    limits = RateLimits(requests=1)
    limits.admit("the-secret", START)
    with pytest.raises(TooManyRequests) as refused:
        limits.admit("the-secret", START)
    assert "the-secret" not in str(refused.value) + repr(limits)


@given(st.lists(st.floats(0, 300), max_size=200), st.integers(1, 50))
def test_no_minute_lets_through_more_than_two_shares(moments: list[float], share: int) -> None:
    limits = RateLimits(requests=share)
    let_in = [at for at in sorted(moments) if not waits(limits, after_s=at)]
    for at in let_in:
        assert sum(at <= other < at + 60 for other in let_in) <= 2 * share
