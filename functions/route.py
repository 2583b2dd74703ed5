"""A path of the API: what answers each of its methods, and what all answers have in common."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import azure.functions as func

from functions.invoked import inside
from functions.replies import failure, refusal, reply
from shared.errors import AgentmeterError
from shared.wiring import App

Handler = Callable[[func.HttpRequest], func.HttpResponse]


@dataclass(frozen=True, slots=True)
class Route:
    """A path and its function.

    name: the function's, by which Azure, its keys and the log know it. handlers: by method; HEAD
    answers as GET. is_open: without a function key.
    """

    name: str
    path: str
    handlers: Mapping[str, Handler]
    is_open: bool = False

    @property
    def allowed(self) -> str:
        """Return the methods as the header Allow names them."""
        return ", ".join([*self.handlers, *(["HEAD"] if "GET" in self.handlers else [])])

    def answer(self, req: func.HttpRequest) -> func.HttpResponse:
        """Answer any request, whatever its method and whatever goes wrong."""
        is_head = req.method == "HEAD"
        handler = self.handlers.get("GET" if is_head else str(req.method))
        if handler is None:
            error = f"{req.method} is no method of /{self.path}. Send {self.allowed}."
            return reply(405, {"error": error}, Allow=self.allowed)
        try:
            response = handler(req)
        except AgentmeterError as exc:
            response = refusal(exc)
        except Exception as exc:  # noqa: BLE001 - failure() logs it
            response = failure(exc)
        return _without_body(response) if is_head else response


Carrier = Callable[[Route, Callable[[], App]], Callable[..., object]]
"""Makes the trigger of a route that the worker calls."""


def over_grpc(route: Route, app: Callable[[], App]) -> Callable[..., object]:
    """Return the route's trigger where the host hands requests over by gRPC."""

    def trigger(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        with inside(context, app):
            return route.answer(req)

    return trigger


def _without_body(response: func.HttpResponse) -> func.HttpResponse:
    return func.HttpResponse(
        status_code=response.status_code,
        headers=cast("Mapping[str, str]", response.headers),
        mimetype=response.mimetype,
        charset=response.charset,
    )
