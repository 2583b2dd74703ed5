"""What happens every minute: pages out, rules evaluated, their pages out, old memory dropped."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.ports import Claims, SeriesStore
from shared.usecases.deliver import Deliver, DeliveryReport
from shared.usecases.evaluate import Evaluate, TickReport

CLAIMS_LIVE = timedelta(days=8)
HOUSEKEEPING_MINUTE = 7


@dataclass(frozen=True, slots=True)
class Ticked:
    """What a tick did, for the log. forgotten: claims and batches dropped, None when not due."""

    delivered: tuple[DeliveryReport, DeliveryReport]
    evaluated: TickReport
    forgotten: int | None


class Tick:
    """Runs the parts in their order; what is due goes out even if the evaluation fails."""

    def __init__(
        self, deliver: Deliver, evaluate: Evaluate, claims: Claims, series: SeriesStore
    ) -> None:
        self._deliver = deliver
        self._evaluate = evaluate
        self._claims = claims
        self._series = series

    def run(self, now: datetime) -> Ticked:
        """Do everything that is due at `now`.

        Raises:
            Misconfigured: the rules or routes cannot be read; what was due has gone out.
        """
        before = self._deliver.run(now)
        evaluated = self._evaluate.tick(now)
        after = self._deliver.run(now)
        return Ticked((before, after), evaluated, self._keep_house(now))

    def _keep_house(self, now: datetime) -> int | None:
        """Once an hour, drop claims and batches that no repeat can ask for any more."""
        if now.minute != HOUSEKEEPING_MINUTE:
            return None
        oldest = now - CLAIMS_LIVE
        return self._claims.forget(oldest) + self._series.forget(oldest)
