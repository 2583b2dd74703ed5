"""How a query fails, in the words and shapes of the Log Analytics API."""

from shared.errors import GiveUp, RetryLater

UNSUPPORTED = "NotSupportedByStandIn"


class BadQuery(GiveUp):
    """The query is wrong, or asks what the stand-in cannot answer rightly.

    code: SyntaxError, SemanticError, or NotSupportedByStandIn where Azure may well accept it.
    line, pos: where, both from 1; 0 when that is not known.
    """

    def __init__(self, code: str, message: str, line: int = 0, pos: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.line = line
        self.pos = pos


class QueryTimeout(RetryLater):
    """The query took longer than its caller would wait."""


def unsupported(message: str) -> BadQuery:
    """Return the refusal of a query that Azure would answer."""
    return BadQuery(UNSUPPORTED, f"Not supported by the local stand-in: {message}")


def semantic(message: str) -> BadQuery:
    """Return the refusal of a query that Azure would refuse, too."""
    return BadQuery("SemanticError", message)
