"""What a replay found, in the words of its output file."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import cast

from replay.costs import Bill
from replay.pager import Attempt
from replay.plan import Plan
from replay.run import Change, Happened

Json = dict[str, object]


def outcome(plan: Plan, happened: Happened) -> Json:
    """Return the output: docs/replay.md explains each field; times are seconds from the start."""
    return {
        "timeline": sorted((_change(plan, c) for c in happened.changes), key=_order),
        "pagerduty": [_attempt(plan, attempt) for attempt in happened.attempts],
        "costs": _costs(happened.bill),
    }


def _change(plan: Plan, change: Change) -> Json:
    alert, _, severity = change.rule.rpartition("/")
    return {
        "t": plan.seconds(change.transition.at),
        "alert": alert,
        "severity": severity,
        "labels": dict(change.transition.series),
        "state": change.transition.state,
    }


def _order(entry: Json) -> tuple[float, str]:
    return cast("float", entry["t"]), str((entry["alert"], entry["severity"], entry["labels"]))


def _attempt(plan: Plan, attempt: Attempt) -> Json:
    page = attempt.page
    alert, _, severity = page.rule.rpartition("/")
    payload = cast("Mapping[str, object]", attempt.event["payload"])
    details = cast("Mapping[str, object]", page.body["custom_details"])
    return {
        "t": plan.seconds(attempt.at),
        "action": attempt.event["event_action"],
        "alert": alert,
        "severity": severity,
        "routing": page.route,
        "pd_severity": payload["severity"],
        "summary": payload["summary"],
        "dedup_key": attempt.event["dedup_key"],
        "firing": details["firing"],
        "resolved": details["resolved"],
        "status": attempt.status,
        "reason": page.reason.replace(" ", "_"),
    }


def _costs(bill: Bill) -> Json:
    models = (
        {"provider": provider, "model": model, **asdict(costs)}
        for (provider, model), costs in bill.models.items()
    )
    return {**asdict(bill.total), "by_model": list(models)}
