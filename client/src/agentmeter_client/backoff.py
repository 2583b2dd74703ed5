"""When the next attempt is due: exponential with full jitter, or when the other side asked."""

from __future__ import annotations

import random
import time


class Backoff:
    """Grows with every failure, ends with the first success."""

    def __init__(self, first_s: float, longest_s: float) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._failures = 0
        self._due_at = 0.0
        self._asked = False

    def failed(self, retry_after_s: float | None) -> None:
        """Wait from now on; many clients that failed together do not come back together."""
        ceiling_s = min(self._longest_s, self._first_s * 2 ** min(self._failures, 20))
        jitter_s = random.uniform(0, ceiling_s)  # noqa: S311 - it spreads load, it hides nothing
        self._failures += 1
        self._asked = retry_after_s is not None
        self._due_at = time.monotonic() + jitter_s + (retry_after_s or 0.0)

    def succeeded(self) -> None:
        """Wait no more."""
        self._failures = 0
        self._asked = False
        self._due_at = 0.0

    def hurry(self) -> None:
        """Try at once, unless the other side named the wait."""
        if not self._asked:
            self._due_at = 0.0

    def wait_s(self) -> float:
        """Return how long to wait still, 0 when an attempt is due."""
        return max(0.0, self._due_at - time.monotonic())
