"""What a page is about, for the links below it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from shared.alerting.evidence import Evidence
from shared.alerting.rule import Rule


@dataclass(frozen=True, slots=True)
class About:
    """The worst alert of a page. found: what was read of it, if anything was."""

    rule: Rule
    labels: Mapping[str, str]
    found: Evidence | None


Links = Callable[[About], Sequence[Mapping[str, str]]]
"""Returns {"text", "href"} of each place where there is more to see."""


def no_links(about: About) -> Sequence[Mapping[str, str]]:
    """Link nothing."""
    return ()
