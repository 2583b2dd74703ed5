"""How the values of settings look."""

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import SecretStr, StringConstraints

Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+[^/\s]$")]
LINK = r"^(https?://[^\s/]\S*)?$"
LINKS = ("AGENTMETER_LINK", "AGENTMETER_RUNBOOKS", "AGENTMETER_SILENCE_LINK", "LOGS_RESOURCE_ID")
"""What pages link to: a wrong one is set aside and named, for no link is worth a page."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a secret looks. A value of another form is named, and tried all the same."""

    pattern: str
    remedy: str

    def fits(self, secret: SecretStr) -> bool:
        """Tell whether the secret looks so, or is absent."""
        value = secret.get_secret_value()
        return not value or re.fullmatch(self.pattern, value) is not None


PAGER_FORM = Form(
    r"[A-Za-z0-9]{32}",
    "An integration key of Events API v2 has 32 letters and digits: copy it from the service.",
)
PagerKey = Annotated[SecretStr, PAGER_FORM]
Address = Annotated[
    SecretStr,
    Form(r"https?://[^\s/]\S*", "It is an address that begins with https://, without spaces."),
]
Token = Annotated[
    SecretStr, Form(r"[!-~]{8,}", "It has 8 and more characters of ASCII, without spaces.")
]
