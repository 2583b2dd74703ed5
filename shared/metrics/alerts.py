"""The metrics about alerts: how soon they fire and are sent, how often, and whether rightly.

They read what follows the labels `alert` and `severity` off the steps of an alert's history.
"""

from typing import Any

from shared.metrics.metric import Amounts, Metric, Read
from shared.pricing.cost import Cost

LABELS = ("alert", "severity")


def _counted(kind: str) -> Read:
    """Count the steps of alerts of this kind by state."""

    def read(step: Any, cost: Cost | None) -> Amounts:
        if step.kind == kind:
            yield (step.state,), 1

    return read


def _measured(key: str) -> Read:
    """Read a measure off the steps of alerts that have it."""

    def read(step: Any, cost: Cost | None) -> Amounts:
        if key in step.numbers:
            yield (), step.numbers[key]

    return read


def _flaps(step: Any, cost: Cost | None) -> Amounts:
    if step.numbers.get("flap"):
        yield (), 1


def _delay(name: str, key: str, help_text: str) -> Metric:
    return Metric(name, "histogram", help_text, LABELS, None, _measured(key), "seconds", DELAYS)


DELAYS = (*(5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0), *(3600.0, 14400.0, 86400.0))
ALERTS = (
    Metric(
        *("agentmeter_alert_transitions_total", "counter"),
        "Steps of alerts: pending, firing, resolved, cancelled.",
        *((*LABELS, "state"), None, _counted("transition")),
    ),
    Metric(
        *("agentmeter_alert_flaps_total", "counter"),
        "Alerts that fired again within 30 minutes of their resolve.",
        *(LABELS, None, _flaps),
    ),
    Metric(
        *("agentmeter_alert_pages_total", "counter"),
        "Ends of attempts to deliver a page: accepted, later, dead, dropped; a page that waits "
        "for one reason counts once.",
        *((*LABELS, "outcome"), None, _counted("page")),
    ),
    Metric(
        *("agentmeter_alert_verdicts_total", "counter"),
        "What people said of alerts: real, noise, duplicate, unclear; a changed verdict counts "
        "again.",
        *((*LABELS, "verdict"), None, _counted("verdict")),
    ),
    _delay(
        *("agentmeter_alert_detection_delay_seconds", "detection_delay_s"),
        "From the first bad data to firing.",
    ),
    _delay(
        *("agentmeter_alert_notify_delay_seconds", "notify_delay_s"),
        "From firing to the first page that was accepted.",
    ),
    _delay(
        *("agentmeter_alert_time_to_resolve_seconds", "time_to_resolve_s"),
        "From firing to resolved.",
    ),
)
