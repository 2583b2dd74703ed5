"""How a call ended, as far as it decides what is billed."""

import re
from typing import Literal

from shared.events.providers import key
from shared.events.types import LlmCall

End = Literal["done", "failed", "given up"]

PLAIN_ENDS = frozenset({"success", "ok", "200"})
"""What nearly every call says."""

FAILED = frozenset({"error", "failed", "failure", "rate-limited", "refused", "throttled"})
"""Statuses, with HTTP's 4xx and 5xx, of a call that no provider bills unless it states its usage.
"""

_GIVEN_UP = re.compile(
    r"(^|-)(408|444|460|499|504|524)$"
    r"|abort|broken-?pipe|cancel|chunked-?encoding|client-?closed|connection-?reset|deadline"
    r"|disconnect|generator-?exit|incomplete-?read|interrupt|partial|peer-?closed"
    r"|remote-?protocol|stopped|time-?d?-?out"
)
"""Statuses and kinds of error of a call that the caller left after it was sent, or the answer of
which was cut off, as that of a failed call that has a response id: the provider may bill what it
made until then."""

_NEVER_SENT = re.compile(r"connect-?time-?out|connection-?refused|pool-?time-?out")


def end_of(call: LlmCall) -> End:
    """Return how the call ended, by its status and its kind of error."""
    if call.status in PLAIN_ENDS and call.error_type is None:
        return "done"
    said = [key(text) for text in (call.status, call.error_type or "")]
    if any(_GIVEN_UP.search(text) and not _NEVER_SENT.search(text) for text in said):
        return "given up"
    if said[0] in FAILED or (said[0].isdecimal() and int(said[0]) >= 400):
        return "given up" if call.response_id else "failed"
    return "done"
