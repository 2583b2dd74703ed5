"""What an answer of Azure Monitor's ingestion says about each item that was sent."""

from dataclasses import dataclass

from pydantic import BaseModel, Field, ValidationError

from shared.rows import Exported, ExportLater, ExportOutcome, ExportRefused

CLOSED = frozenset({None, 401, 402, 403, 404, 429, 439, 503})
"""Answers (None: silence) about us or the service: the next request would fare no better."""
WORTH_A_RETRY = frozenset({401, 402, 403, 404, 408, 429, 439, 500, 502, 503, 504})
"""Time or an operator fixes these: a cap, a role, a resource that is gone."""
REFUSED_WHOLE = frozenset({400, 413})
SAYS_WHICH = frozenset({200, 206, 400})
SAMPLED_OUT = "telemetry sampled out."
"""Decided by the item's operation id: every repeat is sampled out as well, whatever its status."""
MESSAGE_MAX_CHARS = 300

REMEDIES = {
    400: "Compare the instrumentation key in APPLICATIONINSIGHTS_CONNECTION_STRING with the "
    "resource's, then replay.",
    401: "Set APPLICATIONINSIGHTS_AUTHENTICATION_STRING to `Authorization=AAD`, or allow local "
    "authentication on the Application Insights resource.",
    402: "The daily cap of the Application Insights resource is reached. Raise it, or wait.",
    403: "Give the sender (the app's identity, an operator) the role Monitoring Metrics "
    "Publisher on the Application Insights resource.",
    404: "Copy APPLICATIONINSIGHTS_CONNECTION_STRING from the Application Insights resource anew.",
    413: "One item alone is too large for the service. Shorten the event's texts.",
}


class _ItemError(BaseModel):
    index: int
    statusCode: int
    message: str = ""


class _Track(BaseModel):
    itemsReceived: int
    itemsAccepted: int
    errors: list[_ItemError] = Field(default_factory=list[_ItemError])


@dataclass(frozen=True, slots=True)
class Answer:
    """The last response to a request, as it came.

    status: None when no response came; `silence` then says what is known.
    retry_after: the header of that name, or "".
    """

    status: int | None
    body: bytes = b""
    retry_after: str = ""
    silence: str = ""


def outcomes(answer: Answer, sent: int) -> list[ExportOutcome]:
    """Return what became of each of the `sent` items, in order.

    An item counts as exported only if the service's own numbers add up; whatever is unclear is
    to be sent again: a row twice is found by its event's id, a lost one is lost.
    """
    track = _track(answer)
    errors = {e.index: e for e in track.errors if 0 <= e.index < sent} if track else {}
    if answer.status in REFUSED_WHOLE and not errors:
        return [ExportRefused(answer.status, _why(answer))] * sent
    rest = Exported() if _adds_up(answer, track, sent - len(errors), sent) else _later(answer)
    return [_item(answer, errors[i]) if i in errors else rest for i in range(sent)]


def _track(answer: Answer) -> _Track | None:
    """Return the body that names items, or None: it is absent, no JSON, or of another kind."""
    if answer.status not in SAYS_WHICH:
        return None
    try:
        return _Track.model_validate_json(answer.body)
    except ValidationError:
        return None


def _adds_up(answer: Answer, track: _Track | None, accepted: int, sent: int) -> bool:
    return (
        answer.status in (200, 206)
        and track is not None
        and (track.itemsReceived, track.itemsAccepted) == (sent, accepted)
    )


def _item(answer: Answer, error: _ItemError) -> ExportOutcome:
    message = error.message[:MESSAGE_MAX_CHARS]
    if error.statusCode in WORTH_A_RETRY and message.lower() != SAMPLED_OUT:
        return ExportLater(f"{error.statusCode}: {message}", _seconds(answer))
    return ExportRefused(error.statusCode, message)


def _later(answer: Answer) -> ExportLater:
    return ExportLater(_why(answer), _seconds(answer))


def _why(answer: Answer) -> str:
    if answer.status is None:
        return answer.silence
    known = REMEDIES.get(answer.status, "It is sent again.")
    return f"Azure Monitor answered {answer.status}. {known}"


def _seconds(answer: Answer) -> float | None:
    """Return Retry-After where it is a number of seconds; the service sends no dates."""
    return float(answer.retry_after) if answer.retry_after.isdecimal() else None
