"""Decides, before the web extension is imported, how HTTP reaches the triggers.

To import the extension switches every HTTP trigger of the app: the worker then starts an HTTP
server, and the host forwards whole requests to it, bodies in chunks included, which gRPC does not
carry.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType

from functions.route import Carrier, over_grpc
from shared.setting_forms import OFF, ON
from shared.settings import operator_environment

COORDINATOR = "http_coordinator"
REPLACED = ("get_http_request_async", "set_http_response")
"""Names of the worker, private ones, that the extension replaces."""
WORKERS = ("azure_functions_worker.http_v2", "azure_functions_runtime.http_v2")
"""Where they are: up to Python 3.12, and from 3.13 on."""
FIRST_WITHOUT_INDEXING = (3, 13)


@dataclass(frozen=True, slots=True)
class Forwarding:
    """What decides, while the app is loaded, how HTTP reaches it.

    wanted: HTTP_PROXYING. indexing: the worker lists the functions before it starts
    its HTTP server.
    """

    wanted: bool
    indexing: bool


def read_forwarding(environment: Mapping[str, str] | None = None) -> Forwarding:
    """Return what the environment says of it, which is read as the app loads."""
    given = operator_environment() if environment is None else environment
    return Forwarding(
        wanted=given.get("HTTP_PROXYING", "").strip().lower() not in OFF,
        indexing=given.get("PYTHON_ENABLE_INIT_INDEXING", "").strip().lower() in ON,
    )


def carrier(
    forwarding: Callable[[], Forwarding] = read_forwarding,
    version: tuple[int, int] = sys.version_info[:2],
    modules: Mapping[str, ModuleType] = sys.modules,
) -> Carrier:
    """Return what makes the triggers; where they cannot have whole requests, say why in a line."""
    reason = _reason(forwarding(), version, modules)
    if not reason:
        from functions.web.forwarded import over_http

        return over_http
    # While functions load, the host drops what is logged, but not what is written here.
    sys.stderr.write(f"HTTP comes over gRPC, and bodies in chunks are refused (411): {reason}\n")
    sys.stderr.flush()
    return over_grpc


def _reason(
    forwarding: Forwarding, version: tuple[int, int], modules: Mapping[str, ModuleType]
) -> str:
    if not forwarding.wanted:
        return "HTTP_PROXYING is off."
    if version < FIRST_WITHOUT_INDEXING and not forwarding.indexing:
        return (
            "on Python 3.12 and older it would leave every request without an answer unless "
            "PYTHON_ENABLE_INIT_INDEXING is 1. Set that."
        )
    workers = [vars(modules[name]) for name in WORKERS if name in modules]
    lacking = [name for name in map(missing, workers) if name]
    return f"this worker has no {lacking[0]}. Set HTTP_PROXYING=0." if lacking else ""


def missing(worker: Mapping[str, object]) -> str:
    """Return which of the names the worker's module lacks, "" for none."""
    if COORDINATOR not in worker:
        return COORDINATOR
    found = worker[COORDINATOR]
    return next((name for name in REPLACED if not callable(getattr(found, name, None))), "")
