"""Steps a rule's alerts minute by minute through what its queries say."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from shared.alerting.reading import Failed, Reading, Sample, fingerprint
from shared.alerting.record import SeriesAlert, Transition
from shared.alerting.rule import Rule
from shared.alerting.state import step

START = datetime(2026, 1, 5, tzinfo=UTC)
ERROR = "error"
SILENCE = "silence"
Said = float | str | Mapping[str, float]
WHOLE = fingerprint({})


FAST = {"fast": {"window": "PT2M", "hold": "PT1M", "condition": "> 20"}}


def rule(**fields: object) -> Rule:
    common = {
        "name": "Errors",
        "group": "health",
        "severity": "warning",
        "window": "PT5M",
        "hold": "PT5M",
        "condition": "> 10",
        "summary": "errors",
        "query": "{start} {end}",
    }
    return Rule.model_validate(common | fields)


def reading(said: Said, samples: int | None = None) -> Reading:
    """ERROR, SILENCE, one value, or a value by label."""
    if isinstance(said, str):
        return Failed("HTTP 503") if said == ERROR else {}
    by_label: Mapping[str, float] = said if isinstance(said, Mapping) else {"": said}
    rows = [Sample({"at": k} if k else {}, v, samples) for k, v in by_label.items()]
    return {fingerprint(row.labels): row for row in rows}


def run(
    rule: Rule,
    main: Sequence[Said | None],
    fast: Sequence[Said] = (),
    samples: int | None = None,
) -> tuple[list[Transition], Mapping[str, SeriesAlert]]:
    """Step minute by minute; None skips the minute."""
    series: Mapping[str, SeriesAlert] = {}
    transitions: list[Transition] = []
    for minute, said in enumerate(main):
        if said is None:
            continue
        readings = {"main": reading(said, samples)}
        if rule.fast:
            readings["fast"] = reading(fast[minute])
        stepped = step(rule, series, START + timedelta(minutes=minute), readings)
        series = stepped.series
        transitions += stepped.transitions
    return transitions, series


def states(transitions: Sequence[Transition]) -> list[tuple[int, str]]:
    """Return when each transition was, in minutes, and where to."""
    return [(int((t.at - START) / timedelta(minutes=1)), t.state) for t in transitions]


def timeline(
    rule: Rule,
    main: Sequence[Said | None],
    fast: Sequence[Said] = (),
    samples: int | None = None,
) -> list[tuple[int, str]]:
    return states(run(rule, main, fast, samples)[0])
