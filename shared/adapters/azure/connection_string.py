"""What Application Insights' settings say: where rows go, by which key, and who sends them."""

import re
from dataclasses import dataclass, replace

from shared.adapters.azure.identity import Identity
from shared.clouds import PUBLIC
from shared.errors import Misconfigured

DEFAULT_ENDPOINT = "https://dc.services.visualstudio.com"
"""Where rows go that a connection string without an endpoint sends."""
INSTRUMENTATION_KEY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Connection:
    """Where rows go. text: what the SDK reads the same from. scope: what a token must be for."""

    text: str
    key: str
    endpoint: str
    scope: str


def read_connection(connection_string: str) -> Connection:
    """Return what the connection string says.

    Raises:
        Misconfigured: it is none; names the setting, never its value.
    """
    parts = connection_string.strip().rstrip(";").split(";")
    # Azure's endpoints end with a slash, and would be asked for //v2.1/track. An audience keeps its
    # own: Azure knows it by that.
    text = ";".join(p.rstrip("/") if "endpoint" in p.lower() else p for p in parts)
    pairs = _pairs(text)
    key, endpoint = pairs.get("instrumentationkey", ""), _endpoint(pairs)
    if (
        len(pairs) == len(parts)
        and INSTRUMENTATION_KEY.fullmatch(key)
        and re.match(r"https?://\w", endpoint)
        and pairs.get("authorization", "ikey").lower() == "ikey"
    ):
        # The doubled slash is right: the audience itself ends with one.
        scope = f"{pairs.get('aadaudience', PUBLIC.monitor)}/.default"
        return Connection(text, key, endpoint, scope)
    raise Misconfigured(
        "APPLICATIONINSIGHTS_CONNECTION_STRING is no connection string: it needs "
        "`InstrumentationKey=<small-letter uuid>;IngestionEndpoint=https://…`. Copy it from the "
        "Application Insights resource's overview."
    )


def read_sender(authentication: str, identity: Identity, connection: Connection) -> Identity | None:
    """Return who sends, None for the connection string's key alone.

    authentication: "" or `Authorization=AAD`, with `ClientId=<id>;` for a user-assigned identity.
    Raises:
        Misconfigured: it is not understood, or an identity would go over plain http.
    """
    if not authentication.strip():
        return None
    pairs = _pairs(authentication.strip())
    if pairs.get("authorization", "").upper() != "AAD":
        raise Misconfigured(
            "APPLICATIONINSIGHTS_AUTHENTICATION_STRING is not understood. Set it to "
            "`Authorization=AAD`, with `ClientId=<id>;` before it for a user-assigned identity, or "
            "leave it empty."
        )
    if connection.endpoint.startswith("http://"):
        raise Misconfigured(
            "No identity is ever sent over plain http. Empty "
            "APPLICATIONINSIGHTS_AUTHENTICATION_STRING, or give an https endpoint in "
            "APPLICATIONINSIGHTS_CONNECTION_STRING."
        )
    return replace(identity, client_id=pairs.get("clientid", identity.client_id))


def _pairs(text: str) -> dict[str, str]:
    """Return `Name=value;…` by small name, and nothing of parts that are not of that form."""
    parts = (part.split("=") for part in text.split(";"))
    return {part[0].lower(): part[1] for part in parts if len(part) == 2}


def _endpoint(pairs: dict[str, str]) -> str:
    """Return the ingestion endpoint: as given, of the suffix of a cloud, or Azure's own."""
    suffix, place = pairs.get("endpointsuffix"), pairs.get("location")
    built = f"https://{f'{place}.' if place else ''}dc.{suffix}" if suffix else DEFAULT_ENDPOINT
    return pairs.get("ingestionendpoint", built)
