"""Errors whose class says who acts; each message ends with the remedy."""

DAY_S = 86_400.0


class AgentmeterError(Exception):
    """Anything that agentmeter itself raises."""


class InvalidEvent(AgentmeterError):
    """The sender must change what it sent; a repeat fails again."""


class LengthRequired(InvalidEvent):
    """The body came in chunks, which the Functions host hands over empty."""


class TooLarge(InvalidEvent):
    """The request is over a limit; the sender must split it."""


class UnsupportedMedia(InvalidEvent):
    """The content type or encoding is none that we read."""


class RetryLater(AgentmeterError):
    """The queue or the timer must try again; nothing was lost.

    retry_after_s: seconds that the other side asked us to wait, where it said so; a day at most.
    """

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = None if retry_after_s is None else min(retry_after_s, DAY_S)


class TooManyRequests(RetryLater):
    """The sender has had its share of the minute."""


class NotFound(AgentmeterError):
    """There is nothing by the name that was asked for."""


class GiveUp(AgentmeterError):
    """No repeat can succeed; it is recorded where a person finds it."""


class Misconfigured(AgentmeterError):
    """The operator must change a setting or a file of config/."""
