"""Takes what people say of an alert: whether it was real, and worth a page."""

from codecs import BOM_UTF8
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, StringConstraints, ValidationError

from shared.alerting.chronicle import verdict
from shared.alerting.history import Opinion
from shared.errors import InvalidEvent
from shared.faults import refused_body
from shared.store_ports import AlertStore
from shared.usecases.explaining.find_alert import Subjects
from shared.usecases.explaining.why import Shown, shown_verdict

NOTE_MAX, BY_MAX = 1000, 128


class VerdictForm(BaseModel, frozen=True, extra="forbid"):
    """What a person says of the alert's episode, and who it is."""

    verdict: Opinion
    note: Annotated[str, StringConstraints(max_length=NOTE_MAX, strip_whitespace=True)] = ""
    by: Annotated[str, StringConstraints(max_length=BY_MAX, strip_whitespace=True)] = ""


class Verdicts:
    """Keeps one verdict of each episode: a later one takes its place."""

    def __init__(self, subjects: Subjects, alerts: AlertStore) -> None:
        self._subjects = subjects
        self._alerts = alerts

    def give(self, id: str, body: bytes, now: datetime) -> Shown:
        """Keep the verdict of this JSON on the episode that goes on, or the last one; return it.

        id: as Why.explain takes it.
        Raises:
            NotFound: nothing has this id or name.
            InvalidEvent: the body is no verdict, or the alert has never fired.
        """
        form = _parse(body)
        subject = self._subjects.find(id)
        if not subject.episode:
            raise InvalidEvent(
                f"{subject.id} has not fired as far back as its history is kept. Give a verdict on "
                "an alert that fires or has fired; GET /api/alerts/{id}/why shows its history."
            )
        given = {"note": form.note, "said_by": form.by}
        texts = {name: text for name, text in given.items() if text}
        rule = subject.record.rule
        step = verdict(rule, subject.episode, form.verdict, now, texts)
        self._alerts.log.note(rule, [step])
        return shown_verdict(step)


def _parse(body: bytes) -> VerdictForm:
    try:
        return VerdictForm.model_validate_json(body.removeprefix(BOM_UTF8))
    except ValidationError as exc:
        remedy = 'Send {"verdict": "real"}, or noise, duplicate, unclear.'
        raise refused_body(exc, remedy) from None
