"""Cuts KQL text into tokens, to see what the translator's tree no longer shows."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_TOKEN = re.compile(
    r"""
      (?P<comment>//[^\n]*)
    | (?P<block>```.*?```|~~~.*?~~~)
    | (?P<string>[hH]?(?:@"(?:[^"]|"")*" | @'(?:[^']|'')*'
               | "(?:[^"\\\n]|\\.)*"     | '(?:[^'\\\n]|\\.)*'))
    | (?P<moment>datetime\(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,6}0?)?Z?\))
    | (?P<name>[A-Za-z_$][\w$]*)
    | (?P<number>\d[\w.]*)
    | (?P<sign>[=!<>]=|=~|!~|=>|\S)
    """,
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """A piece of a query. kind: block, string, moment, name, number or sign."""

    kind: str
    text: str
    start: int


def tokens(kql: str) -> Iterator[Token]:
    """Yield the tokens of the query in order, without blanks and comments."""
    for found in _TOKEN.finditer(kql):
        if found.lastgroup and found.lastgroup != "comment":
            yield Token(found.lastgroup, found.group(), found.start())


def place(kql: str, start: int) -> tuple[int, int]:
    """Return the line and the column of an offset, both from 1."""
    before = kql[:start]
    return before.count("\n") + 1, start - before.rfind("\n")
