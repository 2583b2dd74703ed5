"""Storage that lives as long as the process: for replay and tests, exact and safe in threads."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock

from shared.adapters import marks, outbox
from shared.adapters.memory_steps import MemorySteps
from shared.adapters.outbox import attempted, begun, faster, in_order, next_in_line
from shared.adapters.silences import by_start, ended
from shared.adapters.totals import Totals
from shared.alerting.history import Step
from shared.alerting.muting import Silence
from shared.alerting.page import Delivery, Later, Page
from shared.alerting.record import RuleRecord
from shared.alerting.tallies import KEPT, NO_TALLIES, Tallies, merge_all, slice_of
from shared.errors import RetryLater
from shared.metrics.points import Point, SeriesState
from shared.ports import Written


@dataclass(slots=True)
class _Claim:
    holder: str
    at: datetime
    done: bool = False


class MemoryClaims:
    """Claims in a dict; fits ports.Claims."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._claims: dict[str, _Claim] = {}

    def claim(
        self, wanted: Mapping[str, str], at: datetime, *, seen_before: bool
    ) -> Mapping[str, str]:
        """Take each key for its holder unless another has it; return who holds each key now."""
        del seen_before  # a hint for slower stores
        with self._lock:
            return {
                key: self._claims.setdefault(key, _Claim(holder, at)).holder
                for key, holder in wanted.items()
            }

    def done(self, keys: Iterable[str]) -> None:
        """Note that the events of these claimed keys were exported."""
        with self._lock:
            for key in keys:
                if key in self._claims:
                    self._claims[key].done = True

    def is_done(self, keys: Iterable[str]) -> set[str]:
        """Return those of the keys that were noted as exported."""
        with self._lock:
            return {key for key in keys if key in self._claims and self._claims[key].done}

    def forget(self, before: datetime) -> int:
        """Drop claims taken before that moment; return how many."""
        with self._lock:
            old = [key for key, claim in self._claims.items() if claim.at < before]
            for key in old:
                del self._claims[key]
            return len(old)


class MemorySeries:
    """Running totals in dicts; fits ports.SeriesStore."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._totals = Totals()
        self._batches: dict[str, datetime] = {}
        self._tallies: Tallies = {}

    def apply(
        self, batch_id: str, points: Sequence[Point], at: datetime, tallies: Tallies = NO_TALLIES
    ) -> bool:
        """Add the points and tallies in one step, once per batch_id; False if it was added."""
        with self._lock:
            if batch_id in self._batches:
                return False
            self._batches[batch_id] = at
            oldest = slice_of(at - KEPT)
            kept = {key: one for key, one in self._tallies.items() if key.slice >= oldest}
            self._tallies = merge_all([kept, tallies])
            self._totals.add(points)
            self._totals.drop_gauges(at)
            return True

    def applied(self, batch_id: str) -> bool:
        """Tell whether that batch was added before."""
        with self._lock:
            return batch_id in self._batches

    def read(self) -> SeriesState:
        """Return every series."""
        with self._lock:
            return self._totals.state()

    def tallies(self, since: datetime) -> Tallies:
        """Return what was tallied in the slices from that moment on."""
        with self._lock:
            return {k: one for k, one in self._tallies.items() if k.slice >= slice_of(since)}

    def forget(self, before: datetime) -> int:
        """Drop the memory of batches added before that moment; return how many."""
        with self._lock:
            old = [batch_id for batch_id, at in self._batches.items() if at < before]
            for batch_id in old:
                del self._batches[batch_id]
            return len(old)


class MemoryMark:
    """The mark in an attribute; fits ports.Mark."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._written = Written()

    def load(self) -> Written:
        """Return what is stored."""
        with self._lock:
            return self._written

    def save(self, written: Written) -> Written:
        """Store it in place of what has its version, or raise RetryLater and do nothing."""
        with self._lock:
            if written.version != self._written.version:
                raise RetryLater(marks.FASTER)
            self._written = replace(written, version=written.version + 1)
            return self._written


class MemoryLabels:
    """Label values in sets; fits ports.LabelBook."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._book: dict[str, set[str]] = {}

    def admit(self, label: str, values: set[str], most: int) -> set[str]:
        """Return those of the values that are in the book, adding new ones while there is room."""
        with self._lock:
            known = self._book.setdefault(label, set())
            known.update(sorted(values - known)[: max(0, most - len(known))])
            return values & known


class MemoryAlerts:
    """Records, outbox and history in dicts; fits ports.AlertStore."""

    def __init__(self) -> None:
        self.log = MemorySteps()
        self._lock = Lock()
        self._records: dict[str, RuleRecord] = {}
        self._outbox: dict[tuple[str, str], Page] = {}
        self._history = deque[tuple[Page, Delivery, datetime]](maxlen=outbox.HISTORY_KEPT)

    def load(self, rule: str) -> RuleRecord:
        """Return the record of the rule, or a fresh one with version 0."""
        with self._lock:
            return self._records.get(rule, RuleRecord(rule))

    def load_all(self) -> Sequence[RuleRecord]:
        """Return the record of every rule that has one, by rule."""
        with self._lock:
            return [record for _, record in sorted(self._records.items())]

    def save(
        self, record: RuleRecord, pages: Sequence[Page], steps: Sequence[Step] = ()
    ) -> RuleRecord:
        """Store the record, its pages and steps, or raise RetryLater and do nothing."""
        new = {(page.rule, page.id): page for page in pages}
        with self._lock:
            stored = self._records.get(record.rule, RuleRecord(record.rule))
            repeated = len(new) < len(pages) or not new.keys().isdisjoint(self._outbox)
            if stored.version != record.version or repeated:
                raise RetryLater(faster(record.rule))
            saved = replace(record, version=record.version + 1)
            self._records[record.rule] = saved
            self._outbox |= new
            self.log.note(record.rule, steps)
            return saved

    def due(self, now: datetime, most: int) -> Sequence[Page]:
        """Return the oldest page of each incident where that one is due, oldest first."""
        return next_in_line(self.waiting(), now, most)

    def lease(self, page: Page, token: str, now: datetime, until: datetime) -> Page | None:
        """Take the page for an attempt; None where somebody else was faster."""
        with self._lock:
            stored = self._outbox.get((page.rule, page.id))
            taken = stored and begun(stored, page, token, now, until)
            if taken:
                self._outbox[page.rule, page.id] = taken
            return taken

    def settle(
        self, page: Page, outcome: Delivery, not_before: datetime, steps: Sequence[Step] = ()
    ) -> None:
        """Record an attempt; a page that has left, or is another's by now, is passed over."""
        tried, key = attempted(page, outcome, not_before), (page.rule, page.id)
        with self._lock:
            if key not in self._outbox or self._outbox[key].lease != page.lease:
                return
            self.log.note(page.rule, steps)
            if isinstance(outcome, Later):
                self._outbox[key] = tried
            else:
                del self._outbox[key]
                self._history.append((tried, outcome, not_before))

    def waiting(self) -> Sequence[Page]:
        """Return every page of the outbox, oldest first."""
        with self._lock:
            return in_order(self._outbox.values())

    def history(self, most: int) -> Sequence[tuple[Page, Delivery, datetime]]:
        """Return the latest settled pages with their outcome and when, newest first."""
        with self._lock:
            latest = sorted(self._history, key=lambda entry: (entry[2], entry[0].id))
            return latest[::-1][:most]


class MemorySilences:
    """Silences in a dict; fits ports.SilenceStore."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._silences: dict[str, Silence] = {}

    def all(self) -> Sequence[Silence]:
        """Return every silence that is kept, by start and id."""
        with self._lock:
            return by_start(self._silences.values())

    def add(self, silence: Silence) -> None:
        """Keep the silence; one with its id that is there already is replaced."""
        with self._lock:
            self._silences[silence.id] = silence

    def end(self, id: str, at: datetime) -> Silence | None:
        """End the silence at that moment and return it; None where there is none with that id."""
        with self._lock:
            if id not in self._silences:
                return None
            self._silences[id] = ended(self._silences[id], at)
            return self._silences[id]

    def forget(self, before: datetime) -> int:
        """Drop silences that ended before that moment; return how many."""
        with self._lock:
            old = [key for key, silence in self._silences.items() if silence.ends_at < before]
            for key in old:
                del self._silences[key]
            return len(old)
