"""Reads silences as people write them, over HTTP and in config/routes.toml."""

import hashlib
import re
from codecs import BOM_UTF8
from datetime import UTC, datetime
from typing import Annotated

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    Field,
    PlainValidator,
    StrictBool,
    StringConstraints,
    ValidationError,
    model_validator,
)

from shared.alerting.muting import Matcher, Silence
from shared.alerting.recurrence import Recurrence
from shared.errors import InvalidEvent
from shared.faults import refused_body
from shared.moments import Moment

ALWAYS = (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))
VALUE_MAX = 500
_FORM = re.compile(r'\s*([A-Za-z_]\w*)\s*(=~|!~|!=|=)\s*("?)(.*?)\3\s*', re.DOTALL)


class MatcherForm(BaseModel, frozen=True, extra="forbid"):
    """A matcher in Alertmanager's form."""

    name: str = Field(min_length=1)
    value: str
    isRegex: StrictBool = False
    isEqual: StrictBool = True


def parse_matcher(given: object) -> Matcher:
    """Read a matcher: `severity=warning`, `alertname=~"High.*"`, or Alertmanager's object.

    Raises:
        ValueError: it is none; the message shows the form.
    """
    if isinstance(given, dict):
        parts = MatcherForm.model_validate(given)
        matcher = Matcher(parts.name, parts.value, parts.isRegex, parts.isEqual)
    elif isinstance(given, str) and (found := _FORM.fullmatch(given)):
        name, operator, _, value = found.groups()
        matcher = Matcher(name, value, "~" in operator, not operator.startswith("!"))
    else:
        raise ValueError(f"{given!r} is no matcher; write name=value, or with !=, =~, !~")
    _check(matcher)
    return matcher


def _check(matcher: Matcher) -> None:
    """Refuse what no label could be compared with.

    Raises:
        ValueError: says why.
    """
    if len(matcher.value) > VALUE_MAX:
        raise ValueError(f"a matcher's value has at most {VALUE_MAX} characters")
    matcher.matches({})


def _narrow(matchers: tuple[Matcher, ...]) -> tuple[Matcher, ...]:
    """Refuse matchers that pass an alert without labels: they would mute far too much."""
    if all(matcher.matches({}) for matcher in matchers):
        raise ValueError("no label has to be there; name what is meant, such as severity=warning")
    return matchers


Matchers = Annotated[
    tuple[
        Annotated[Matcher, PlainValidator(parse_matcher, json_schema_input_type=str | MatcherForm)],
        ...,
    ],
    Field(min_length=1, max_length=20),
    AfterValidator(_narrow),
]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")]


class SilenceForm(BaseModel, frozen=True, extra="forbid"):
    """The body of POST /api/silences; Alertmanager's own is taken, too: what it says of a silence
    that is there (id, status, updatedAt, annotations) is read over, and a new one is made."""

    matchers: Matchers
    starts_at: Moment | None = Field(None, validation_alias=AliasChoices("starts_at", "startsAt"))
    ends_at: Moment = Field(validation_alias=AliasChoices("ends_at", "endsAt"))
    author: str = Field(
        min_length=1, max_length=200, validation_alias=AliasChoices("author", "createdBy")
    )
    comment: str = Field("", max_length=2000)
    recurrence: Recurrence | None = None
    id: str | None = None
    status: object = None
    updatedAt: object = None
    annotations: object = None


class Maintenance(BaseModel, frozen=True, extra="forbid"):
    """A [[maintenance]] of config/routes.toml: a silence that comes with the configuration."""

    name: Name
    matchers: Matchers
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    comment: str = ""
    recurrence: Recurrence | None = None

    @model_validator(mode="after")
    def _ends(self) -> "Maintenance":
        """Refuse one that nothing ends."""
        if self.recurrence is None and self.ends_at is None:
            raise ValueError("it never ends; give it `ends_at` or `recurrence`")
        return self

    def silence(self) -> Silence:
        """Return it as what mutes."""
        return Silence(
            self.name,
            self.matchers,
            self.starts_at or ALWAYS[0],
            self.ends_at or ALWAYS[1],
            comment=self.comment,
            recurrence=self.recurrence,
            kind="maintenance",
        )


def parse_silence(body: bytes, now: datetime) -> Silence:
    """Read the silence that a person asks for at `now`, when it starts unless it says otherwise.

    Its id follows from what it says and from the moment.
    Raises:
        InvalidEvent: names every wrong field at once, each with its remedy.
    """
    try:
        form = SilenceForm.model_validate_json(body.removeprefix(BOM_UTF8))
    except ValidationError as exc:
        raise refused_body(exc, "See docs/notifications.md.") from None
    starts_at = form.starts_at or now
    if form.ends_at <= max(starts_at, now):
        raise InvalidEvent("ends_at: it is over before it begins. Give a later moment.")
    name = hashlib.sha256(now.isoformat().encode() + body).hexdigest()[:12]
    return Silence(
        *(name, form.matchers, starts_at, form.ends_at, form.author, form.comment),
        recurrence=form.recurrence,
    )
