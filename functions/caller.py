"""Who calls: read from the function key, which the Functions host has checked."""

import re
from collections.abc import Mapping
from typing import cast

import azure.functions as func

from functions.replies import headers
from shared.errors import InvalidEvent

HEADER, PARAMETER = "x-functions-key", "code"
TENANT = r"[A-Za-z0-9_-]{1,64}"
_TENANT_KEY = re.compile(rf"tenant\.({TENANT})\.")


def key_text(tenant: str, secret: str) -> str:
    """Return the text of a key. tenant: whose events it marks, "" for a key of no tenant."""
    return f"tenant.{tenant}.{secret}" if tenant else secret


def key_of(req: func.HttpRequest) -> str:
    """Return the key, found where the host looks for it: ?code= counts without a header alone.

    Raises:
        InvalidEvent: there are several, of which the host has checked one.
    """
    key = headers(req).get(HEADER) or cast("Mapping[str, str]", req.params).get(PARAMETER, "")
    if "," in key:
        raise InvalidEvent(f"There are several keys. Send one, in the header {HEADER}.")
    return key


def tenant_in(key: str) -> str:
    """Return the tenant that the key names, "" if it names none.

    The key's own text says it, so that no list is to be kept: the host lets only texts pass that an
    operator gave it (`ops keys`).
    """
    found = _TENANT_KEY.match(key)
    return found[1] if found else ""
