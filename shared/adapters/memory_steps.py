"""The history of alerts in memory: what waits for its export, and the latest of what was."""

from collections.abc import Sequence
from threading import Lock

from shared.adapters.steps import kept, merged, news_of, oldest_first
from shared.alerting.history import News, Step


class MemorySteps:
    """Steps in dicts; fits StepLog."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._news: dict[str, News] = {}
        self._told: dict[str, tuple[Step, ...]] = {}

    def note(self, rule: str, steps: Sequence[Step]) -> None:
        """Store steps of the rule that come with no other change."""
        if steps:
            news = news_of(rule, steps)
            with self._lock:
                self._news[news.id] = news

    def news(self, most: int) -> Sequence[News]:
        """Return what is not yet exported, oldest first."""
        with self._lock:
            return oldest_first(self._news.values())[:most]

    def told(self, news: News) -> None:
        """Move the steps to those that are kept."""
        with self._lock:
            if self._news.pop(news.id, None):
                steps = merged(self._told.get(news.rule, ()), news.steps)
                self._told[news.rule] = kept(steps)

    def steps(self, rule: str) -> Sequence[Step]:
        """Return the steps of the rule that are kept or not yet exported, oldest first."""
        with self._lock:
            waiting = [news.steps for news in self._news.values() if news.rule == rule]
            return merged(self._told.get(rule, ()), *waiting)
