"""How the names and values of settings look."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, StringConstraints
from pydantic.fields import FieldInfo

RECEIVER = "RECEIVER_"
"""How the name of a setting begins that holds a receiver's key or address: there may be any."""
OLD = "_OLD"
"""How the name of a setting ends that holds another's secret from before its rotation."""
UNRESOLVED = "@Microsoft.KeyVault("
"""How a setting begins whose reference to the Key Vault led to no secret (yet)."""
PerMinute = Annotated[int, Field(ge=0, le=100_000_000)]
Host = Annotated[str, Field(pattern=r"^([A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+)?$")]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+[^/\s]$")]
OUTWARD = (
    *("PRICES_REFRESH_URL", "HEARTBEAT_URL", "WEBHOOK_URL", "SLACK_WEBHOOK_URL"),
    "PAGERDUTY_URL",
)
UNSEEN = re.compile(r"^[\s\u200b-\u200f\u2060\ufeff]+|[\s\u200b-\u200f\u2060\ufeff]+$")
"""Space, and what a copied text brings along: byte order marks, characters without width."""
ON, OFF = ("1", "true", "t", "yes", "y"), ("0", "false", "f", "no", "n", "off")
IN_PLAIN = (
    "is plain http to another machine, where anyone on the way reads it, and is not called. Write "
    "https://…, or set ALLOW_PLAIN_HTTP=1 where the way is your own."
)
NO_LINK = "is no link, and pages go without. Write https://…"
LINK = r"^(https?://[^\s/]\S*)?$"
LINKS = ("AGENTMETER_LINK", "AGENTMETER_RUNBOOKS", "AGENTMETER_SILENCE_LINK", "LOGS_RESOURCE_ID")
"""What pages link to: a wrong one is set aside and named, for no link is worth a page."""


def is_plain(url: str) -> bool:
    """Return whether the address is plain http to another machine, which others can read."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme == "http" and not is_here(host)


def is_here(host: str) -> bool:
    """Return whether the host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True, slots=True)
class Form:
    """How a secret looks. A value of another form is named, and tried all the same."""

    pattern: str
    remedy: str

    def fits(self, secret: SecretStr) -> bool:
        """Return whether the secret looks so, or is absent."""
        value = secret.get_secret_value()
        return not value or re.fullmatch(self.pattern, value) is not None

    def said(self, name: str) -> str:
        """Say that the value of that setting does not look so."""
        return f"{name} has an odd form. {self.remedy}"


PAGER_FORM = Form(
    r"[A-Za-z0-9]{32}",
    "An integration key of Events API v2 has 32 letters and digits: copy it from the service.",
)
PagerKey = Annotated[SecretStr, PAGER_FORM]
ADDRESS_FORM = Form(
    r"https?://[^\s/]\S*", "It is an address that begins with https://, without spaces."
)
TOKEN_FORM = Form(r"[!-~]{8,}", "It has 8 and more characters of ASCII, without spaces.")
Address = Annotated[SecretStr, ADDRESS_FORM]
Token = Annotated[SecretStr, TOKEN_FORM]


def odd(name: str, field: FieldInfo, value: SecretStr) -> Iterator[str]:
    """Yield that the value looks otherwise than its field says, if it does."""
    for form in field.metadata:
        if isinstance(form, Form) and not form.fits(value):
            yield form.said(name)


def plain_outward(values: Mapping[str, str]) -> Mapping[str, str]:
    """Return why, by setting, for those that would send secrets over plain http elsewhere."""
    if values.get("ALLOW_PLAIN_HTTP", "").lower() in ON:
        return {}
    outward = (n for n in values if n.removesuffix(OLD) in OUTWARD or n.startswith(RECEIVER))
    return {name: f"{name} {IN_PLAIN}" for name in outward if is_plain(values[name])}


def value_of(given: str) -> str:
    """Return a variable's value without what is unseen around it; "" where its secret is absent."""
    value = UNSEEN.sub("", given.encode("utf-8", "replace").decode())
    return "" if value.startswith(UNRESOLVED) else value
