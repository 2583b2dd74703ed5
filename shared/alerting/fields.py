"""How values of a rule's file are written: durations, comparisons, texts."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, PlainValidator, StringConstraints

from shared.alerting.comparison import Comparison, parse_comparison


def _iso_duration(value: object) -> object:
    """Let only ISO 8601 durations through: pydantic would read "90" as seconds."""
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str) and re.fullmatch(
        r"P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+S)?)?", value
    ):
        return value
    raise ValueError(f"{value!r} is no duration in whole seconds; write one such as PT5M or P1D")


Duration = Annotated[timedelta, BeforeValidator(_iso_duration)]
ComparisonText = Annotated[Comparison, PlainValidator(parse_comparison)]
Words = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
