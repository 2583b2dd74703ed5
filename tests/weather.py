"""A rough world for the engine: a pager, facts and a store that fail as real ones do."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from shared.alerting.grouping import parse_routes
from shared.alerting.history import Step, StepLog
from shared.alerting.page import Accepted, Delivery, Later, Page
from shared.alerting.reading import fingerprint
from shared.alerting.record import RuleRecord
from shared.alerting.rule import Rule
from shared.errors import RetryLater
from shared.ports import Table
from shared.store_ports import AlertStore

START = datetime(2026, 1, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ROUTES = parse_routes(
    """
    [receivers.all]
    severities = ["critical", "error", "warning", "info"]
    notifier = "log"
    group_wait = "PT0S"
    """,
    "routes.toml",
)
SERIES = ("a", "b")
Truth = Literal["bad", "good", "absent"]
Fault = Literal["none", "503", "429", "400", "lost answer"]


def alert_rule(name: str, **edits: object) -> Rule:
    common: dict[str, object] = {
        "name": name,
        "group": "health",
        "severity": "critical",
        "window": "PT5M",
        "hold": "PT1M",
        "condition": "> 10",
        "summary": "{value}",
        "query": f"{name} {{start}} {{end}}",
        "runbook": "docs/runbooks/x.md",
        "per_series": name == "Each",
    }
    return Rule.model_validate(common | edits)


RULES = {name: alert_rule(name) for name in ("One", "Two", "Each")}
EDITS: Sequence[dict[str, object]] = (
    {"per_series": True},
    {"per_series": False},
    {"condition": "> 4"},
    {"no_data": "ok"},
    {"fast": {"window": "PT1M", "condition": "> 11"}},
    {"fast": {"window": "PT1M", "condition": "> 11", "query": "Teams {start} {end}"}},
    {"query": "Teams {start} {end}"},
)


def open_keys(rule: Rule) -> set[str]:
    """Return the keys of the incidents that a rule has while all of its series are bad."""
    key = f"agentmeter/test/{rule.key}"
    each = {f"{key}/{fingerprint({'Source': name})}" for name in SERIES}
    return each if rule.per_series else {key}


class Killed(BaseException):
    """The process vanishes; nothing in it may catch this."""


class Pager:
    """PagerDuty: incidents by key, and every page that was taken. A trigger that repeats one it
    has is a line in the log of an incident; one of which it took nothing opens it."""

    def __init__(self) -> None:
        self.fault: Fault = "none"
        self.open: dict[str, str] = {}
        self.opened: list[tuple[str, str]] = []
        self.taken: list[str] = []

    def send(self, page: Page) -> Delivery:
        match self.fault:
            case "503":
                return Later("HTTP 503")
            case "429":
                return Later("HTTP 429", 90, "busy")
            case "400":
                return Later("HTTP 400", cause="repair")
            case "lost answer":
                self._take(page)
                return Later("ReadTimeout")
            case "none":
                self._take(page)
                return Accepted(202)

    def _take(self, page: Page) -> None:
        self.taken.append(page.id)
        if page.action == "resolve":
            self.open.pop(page.dedup_key, None)
        elif page.dedup_key not in self.open:
            self.open[page.dedup_key] = page.id
            self.opened.append((page.dedup_key, page.id))


class Facts:
    """What each series of each rule is, which rules cannot be asked, and whether data comes in."""

    def __init__(self) -> None:
        self.truth: dict[tuple[str, str], Truth] = {}
        self.failing: set[str] = set()
        self.stale = False

    def query(self, kql: str, start: datetime, end: datetime) -> Table:
        name = kql.split()[0]
        if name == "union":
            return Table(("value",), ((int(not self.stale),),))
        if name in self.failing:
            raise RetryLater("HTTP 502")
        said = {"bad": 12.0, "good": 5.0}
        rows = [(s, said[t]) for s in SERIES if (t := self.truth.get((name, s), "good")) in said]
        return Table(("TeamId" if name == "Teams" else "Source", "value"), tuple(rows))


class Fragile:
    """A store before or after whose n-th call the process dies; fits ports.AlertStore."""

    def __init__(self, store: AlertStore) -> None:
        self._store = store
        self.calls_left: int | None = None
        self.dies_after = False
        self._interrupt_in = -1
        self._interruption: Callable[[], None] = lambda: None

    def interrupt(self, calls: int, work: Callable[[], None]) -> None:
        """Do the work once, before so many more calls are through."""
        self._interrupt_in, self._interruption = calls, work

    def _do(self, work: Callable[[], Any]) -> Any:
        self._interrupt_in -= 1
        if self._interrupt_in == -1:
            self._interruption()
        if self.calls_left == 0 and not self.dies_after:
            raise Killed
        answer = work()
        if self.calls_left is not None:
            if self.calls_left == 0:
                self.dies_after = False
                raise Killed
            self.calls_left -= 1
        return answer

    def load(self, rule: str) -> RuleRecord:
        return self._do(lambda: self._store.load(rule))

    def load_all(self) -> Sequence[RuleRecord]:
        return self._do(self._store.load_all)

    def save(
        self, record: RuleRecord, pages: Sequence[Page], steps: Sequence[Step] = ()
    ) -> RuleRecord:
        return self._do(lambda: self._store.save(record, pages, steps))

    def due(self, now: datetime, most: int) -> Sequence[Page]:
        return self._do(lambda: self._store.due(now, most))

    def lease(self, page: Page, token: str, now: datetime, until: datetime) -> Page | None:
        return self._do(lambda: self._store.lease(page, token, now, until))

    def settle(
        self, page: Page, outcome: Delivery, not_before: datetime, steps: Sequence[Step] = ()
    ) -> None:
        return self._do(lambda: self._store.settle(page, outcome, not_before, steps))

    def waiting(self) -> Sequence[Page]:
        return self._do(self._store.waiting)

    def history(self, most: int) -> Sequence[tuple[Page, Delivery, datetime]]:
        return self._do(lambda: self._store.history(most))

    @property
    def log(self) -> StepLog:
        return self._store.log
