"""An evaluator over a log that says what it is told, a minute after the other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from shared.adapters.config.config_folder import read_routes
from shared.alerting.grouping import Routes
from shared.alerting.muting import Silence
from shared.alerting.page import Page
from shared.alerting.record import RuleRecord
from shared.alerting.rule import Rule
from shared.ports import Table
from shared.usecases.evaluation.defaults import no_silences
from shared.usecases.evaluation.evaluate import Evaluate
from shared.usecases.evaluation.freshness import reach_question
from shared.usecases.evaluation.run_report import RuleReport, TickReport
from tests.in_memory import MemoryAlerts

START = datetime(2026, 1, 5, tzinfo=UTC)
ROUTES = read_routes(Path(__file__).parents[1] / "config")
Rows = Sequence[tuple[object, ...]]


def rule(name: str = "Errors", severity: str = "critical", **fields: object) -> Rule:
    common = {
        "group": "health",
        "window": "PT5M",
        "hold": "PT2M",
        "condition": "> 10",
        "summary": "{value:.0f} errors",
        "query": f"{name} {{start}} {{end}}",
        "runbook": "docs/runbooks/Errors.md",
    }
    return Rule.model_validate(common | {"name": name, "severity": severity} | fields)


@dataclass
class FakeLog:
    """Answers by the first word of the query: a value, rows, or an error to raise.

    fresh: what the probe finds, which is no question of a rule's and not noted as one. shows: the
    newest heartbeat that is found.
    """

    columns: tuple[str, ...] = ("value",)
    says: dict[str, float | Rows | Exception] = field(
        default_factory=dict[str, float | Rows | Exception]
    )
    asked: list[tuple[str, datetime, datetime]] = field(
        default_factory=list[tuple[str, datetime, datetime]]
    )
    fresh: bool = True
    shows: datetime | None = None

    def query(self, kql: str, start: datetime, end: datetime) -> Table:
        if kql.startswith("union"):
            return Table(("value",), ((int(self.fresh),),))
        if kql == reach_question(end - timedelta(seconds=1))[0]:
            return Table(("Newest",), ((self.shows,),))
        self.asked.append((kql, start, end))
        said = self.says.get(kql.split()[0], 0)
        if isinstance(said, Exception):
            raise said
        return Table(self.columns, ((said,),) if isinstance(said, int | float) else tuple(said))


class World:
    """An evaluator, its log and its store, a minute after the other."""

    def __init__(
        self,
        *rules: Rule,
        silences: Callable[[], Sequence[Silence]] = no_silences,
        routes: Routes = ROUTES,
        log: FakeLog | None = None,
    ) -> None:
        self.rules: list[Rule] = list(rules)
        self.log = log or FakeLog()
        self.alerts = MemoryAlerts()
        self.now = START
        self.evaluate = Evaluate(
            *(
                lambda: self.rules,
                self.log,
                self.alerts,
                lambda: routes,
                "prod",
                "https://page.test",
            ),
            silences=silences,
        )

    def tick(self, **said: float | Rows | Exception) -> TickReport:
        """Run the tick of this minute, then let the minute pass."""
        self.log.says |= said
        report = self.evaluate.tick(self.now + timedelta(seconds=3))
        self.now += timedelta(minutes=1)
        return report

    def ticks(self, count: int, **said: float | Rows | Exception) -> list[Page]:
        """Run so many ticks; return the pages that came of them."""
        reports = [self.tick(**said) for _ in range(count)]
        return [page for report in reports for item in report.rules for page in item.pages]

    def record(self, key: str = "Errors/critical") -> RuleRecord:
        return self.alerts.load(key)


def only(report: TickReport) -> RuleReport:
    (item,) = report.rules
    return item
