"""What a client accepts: Accept and Accept-Encoding, read by their weights."""

import gzip
from collections.abc import Iterator

import azure.functions as func

from functions.replies import headers
from shared.metrics.prometheus import OPENMETRICS, TEXT, Format

_OPENMETRICS = "application/openmetrics-text"
_VERSIONS = ("", "1.0.0")


def format_of(req: func.HttpRequest) -> Format:
    """Return OpenMetrics where it is asked for by name and no less wanted than plain text."""
    weights: dict[str, float] = {}
    for media, parameters, weight in _ranges(headers(req).get("accept", "")):
        if media != _OPENMETRICS or parameters.get("version", "") in _VERSIONS:
            weights[media] = max(weight, weights.get(media, 0.0))
    text = weights.get("text/plain", 0.0)
    return OPENMETRICS if weights.get(_OPENMETRICS, 0.0) >= max(text, 0.001) else TEXT


def scraped(req: func.HttpRequest, text: str, form: Format) -> func.HttpResponse:
    """Answer with the text, compressed where the client knows how to undo that."""
    given = {"Content-Type": form.content_type, "Vary": "Accept, Accept-Encoding"}
    encodings = _ranges(headers(req).get("accept-encoding", ""))
    if not any(name == "gzip" and weight > 0 for name, _, weight in encodings):
        return func.HttpResponse(text, headers=given)
    packed = gzip.compress(text.encode(), compresslevel=1, mtime=0)
    return func.HttpResponse(packed, headers=given | {"Content-Encoding": "gzip"})


def _ranges(header: str) -> Iterator[tuple[str, dict[str, str], float]]:
    """Yield what a header names, with its parameters and its weight, 0 to 1."""
    for part in header.lower().split(","):
        name, *rest = (piece.strip() for piece in part.split(";"))
        pairs = (piece.partition("=") for piece in rest)
        parameters = {key.strip(): value.strip().strip('"') for key, _, value in pairs}
        try:
            yield name, parameters, float(parameters.pop("q", "1"))
        except ValueError:
            continue
