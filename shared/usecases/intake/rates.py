"""Bounds how much each key may ask and send in a minute."""

import hashlib
import threading
from dataclasses import dataclass, field
from datetime import datetime

from shared.errors import TooManyRequests

MOST_KEYS = 10_000
"""That are remembered; those that have their whole minute are forgotten first."""

Name = tuple[str, bytes]
"""What is counted, and the hash of the key: no key is kept."""


@dataclass(slots=True)
class Bucket:
    """What is left of a minute's share; below zero, what is to be waited for."""

    share: float
    left: float
    at: datetime

    def refill(self, now: datetime) -> None:
        """Add what the time since the last call brings; a clock that went back brings nothing."""
        passed_s = max((now - self.at).total_seconds(), 0.0)
        self.left = min(self.share, self.left + passed_s * self.share / 60)
        self.at = now

    @property
    def wait_s(self) -> float:
        """Return how long it takes until something is left."""
        return max(1 - self.left, 0) * 60 / self.share


@dataclass(slots=True)
class RateLimits:
    """Counts in the memory of one instance: several together let through as much each.

    What a request brings is known after it was read, so it is taken whole, and the next ones wait
    until the share covers it: a batch is never refused for its size alone.
    requests, events: a key's share of a minute; 0: as many as come.
    """

    requests: int = 0
    events: int = 0
    _buckets: dict[Name, Bucket] = field(default_factory=dict[Name, Bucket])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def admit(self, key: str, now: datetime) -> None:
        """Count a request.

        Raises:
            TooManyRequests: the key has had its share; says when to come again.
        """
        for what, share in (("events", self.events), ("requests", self.requests)):
            if not share:
                continue
            with self._lock:
                bucket = self._bucket(what, key, share, now)
                if wait_s := bucket.wait_s:
                    raise TooManyRequests(
                        f"This key may send {share} {what} a minute. Wait {wait_s:.0f} s, or ask "
                        f"for a higher RATE_LIMIT_{what.upper()}.",
                        wait_s,
                    )
                if what == "requests":
                    bucket.left -= 1

    def spend(self, key: str, events: int, now: datetime) -> None:
        """Count the events that a request brought."""
        if not self.events:
            return
        with self._lock:
            self._bucket("events", key, self.events, now).left -= events

    def _bucket(self, what: str, key: str, share: int, now: datetime) -> Bucket:
        """Return the key's bucket as it is now."""
        name = (what, hashlib.sha256(key.encode()).digest())
        bucket = self._buckets.get(name)
        if bucket is None:
            if len(self._buckets) >= MOST_KEYS:
                self._forget(now)
            bucket = self._buckets[name] = Bucket(share, share, now)
        bucket.refill(now)
        return bucket

    def _forget(self, now: datetime) -> None:
        for bucket in self._buckets.values():
            bucket.refill(now)
        self._buckets = {name: b for name, b in self._buckets.items() if b.left < b.share}
