"""What a program sends in one trace, and what it means: a recording."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from shared.events.otlp.span import Kind, Scalar, Span
from tests.spans import SERVICE, span

Attributes = Mapping[str, Scalar]


@dataclass(frozen=True)
class StatedCall:
    """A call as it must be read. counts: input, output, cache read, cache write, reasoning."""

    provider: str
    model: str
    counts: tuple[int, int, int, int, int] | None
    agent: str | None = None
    conversation: str | None = None
    team: str = "checkout"
    user: str | None = None
    status: str = "success"
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recording:
    """spans: of one trace, parents first. calls: those that they report, in any order."""

    dialect: str
    spans: Sequence[Span]
    calls: Sequence[StatedCall]


def sent(
    name: str,
    attributes: Attributes,
    number: int,
    parent: int = 0,
    scope: str = "",
    *,
    kind: Kind = "internal",
    failed: bool = False,
) -> Span:
    """Return a span as it is sent; outer ones begin before and end after those inside them."""
    made = span(
        attributes,
        number,
        parent,
        name=name,
        resource=SERVICE,
        scope=scope,
        kind=kind,
        failed=failed,
    )
    lead = number * 1_000_000
    return replace(made, start_ns=made.start_ns + lead, end_ns=made.end_ns - lead)
