"""The plan of a replay: from when to when, at what pace, and what goes wrong on the way."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field, ValidationError, field_validator

from shared.alerting import muting
from shared.alerting.schedule import floor
from shared.errors import Misconfigured

MINUTE = timedelta(minutes=1)
Seconds = Annotated[float, Field(allow_inf_nan=False)]
"""Of the plan: since its start."""


class Part(BaseModel, frozen=True, extra="forbid", populate_by_name=True):
    """A piece of a plan; what it does not know it refuses by name."""


class Matcher(Part, frozen=True):
    """A test of one label, as Alertmanager writes it."""

    name: Annotated[str, Field(min_length=1)]
    value: str
    isRegex: bool = False
    isEqual: bool = True

    @field_validator("value")
    @classmethod
    def _compiles(cls, value: str, info: object) -> str:
        return value


class Span(Part, frozen=True):
    """A time of the plan; `from` is in it, `to` is not."""

    from_: Seconds = Field(alias="from")
    to: Seconds

    def holds(self, at_s: float) -> bool:
        """Tell whether that second of the plan is in it."""
        return self.from_ <= at_s < self.to
