"""Sends what an invocation recorded of itself: calls as dependencies, failures as exceptions."""

import logging
from collections.abc import Callable

from shared.errors import AgentmeterError
from shared.invocation import Call, Fault, Invocation
from shared.ports import Exporter
from shared.rows import INGESTION, Exported, ExportOutcome, FailureRow, SpanRow

ROLE = "agentmeter"
TEXT_MAX = 8_000

logger = logging.getLogger(__name__)


class Telemetry:
    """Sends once, after the work: nothing waits in memory for a later invocation.

    Its own requests are recorded nowhere, for they are made outside of any invocation.
    """

    def __init__(self, exporter: Callable[[], Exporter]) -> None:
        """exporter: is called when there is something to send; it may be misconfigured."""
        self._exporter = exporter

    def send(self, invocation: Invocation) -> None:
        """Send the rows. Never raises; what Azure Monitor does not take is lost, and said.

        Where it has just failed to answer, it is not asked again: the log says what was.
        """
        if any(call.failed for call in invocation.calls if call.name == INGESTION):
            return
        try:
            outcomes = _sent(self._exporter(), invocation)
        except AgentmeterError as exc:
            logger.warning("agentmeter's own telemetry was not sent: %s", exc)
            return
        if wrong := next((o for o in outcomes if not isinstance(o, Exported)), None):
            logger.warning("agentmeter's own telemetry was not taken: %s", wrong.why)


def _sent(exporter: Exporter, invocation: Invocation) -> list[ExportOutcome]:
    """Send what there is; return what became of each row."""
    outcomes: list[ExportOutcome] = []
    if spans := [span_row(call, invocation) for call in invocation.calls]:
        outcomes += exporter.spans(spans)
    if failures := [failure_row(fault, invocation) for fault in invocation.faults]:
        outcomes += exporter.failures(failures)
    return outcomes


def span_row(call: Call, invocation: Invocation) -> SpanRow:
    """Return the call as a dependency of the invocation."""
    return SpanRow(
        *(call.name, call.at, call.duration, {**_whose(invocation), **call.about}),
        *(call.span.trace_id, call.span.span_id, call.parent_id, ROLE),
        client=bool(call.url),
        failed=call.failed,
        url=call.url,
        result=call.result,
    )


def failure_row(fault: Fault, invocation: Invocation) -> FailureRow:
    """Return the fault as an exception of the invocation."""
    text = {**_whose(invocation), **fault.about}
    ids = fault.span.trace_id, fault.span.span_id
    cut = fault.message[:TEXT_MAX], fault.stack[-TEXT_MAX:]
    return FailureRow(fault.type, *cut, fault.at, text, *ids)


def _whose(invocation: Invocation) -> dict[str, str]:
    return {"function": invocation.function, "invocation_id": invocation.id}
