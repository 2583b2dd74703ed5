"""Stand-ins for parts of an evaluator that is made without them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from shared.alerting.muting import Silence
from shared.alerting.rule import Rule
from shared.alerting.tallies import Tallies
from shared.ports import Owners


def no_tallies(since: datetime) -> Tallies:
    """Return what is tallied where nothing is."""
    del since
    return {}


def no_rules() -> Sequence[Rule]:
    """Return no rules."""
    return ()


class Unowned:
    """Knows of no owner; fits ports.Owners where nothing is ever rotated."""

    def owner(self, route: str) -> str:
        """Return that it is not known."""
        del route
        return ""

    def reaches(self, owner: str, route: str) -> bool:
        """Return that it is."""
        del owner, route
        return True


def no_silences() -> Sequence[Silence]:
    """Silence nothing."""
    return ()


UNOWNED: Final[Owners] = Unowned()
