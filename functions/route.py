"""A path of the API: what answers each of its methods, and what all answers have in common."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

import azure.functions as func

from functions.caller import key_of
from functions.invoked import inside
from functions.replies import failure, refusal, reply
from shared.errors import AgentmeterError
from shared.wiring import App

Handler = Callable[[func.HttpRequest], func.HttpResponse]


class Role(StrEnum):
    """What a key is for. Azure has keys by function: a role's key is one of each that it opens."""

    AGENT = "agent"
    READER = "reader"
    OPERATOR = "operator"

    @property
    def opens(self) -> frozenset["Role"]:
        """Return the roles of the routes that a key of this role opens."""
        return frozenset({self, Role.READER} if self is Role.OPERATOR else {self})


@dataclass(frozen=True, slots=True)
class Route:
    """A path and its function.

    name: the function's, by which Azure, its keys and the log know it. handlers: by method; HEAD
    answers as GET. role: whose key opens it; None: it takes no key.
    methods: that the host sends it; none for all. beside: those of them that another function of
    the path answers, which has another role. refuse: answers with what a handler raised.
    """

    name: str
    path: str
    handlers: Mapping[str, Handler]
    role: Role | None
    methods: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    refuse: Callable[[func.HttpRequest, AgentmeterError], func.HttpResponse] = lambda _, exc: (
        refusal(exc)
    )

    @property
    def allowed(self) -> str:
        """Return the methods as the header Allow names them."""
        own = [*self.handlers, *(["HEAD"] if "GET" in self.handlers else [])]
        return ", ".join([*own, *self.beside])

    def answer(self, req: func.HttpRequest, app: Callable[[], App]) -> func.HttpResponse:
        """Answer any request, of any method, with any error."""
        is_head = req.method == "HEAD"
        handler = self.handlers.get("GET" if is_head else str(req.method))
        if handler is None:
            error = f"{req.method} is no method of /{self.path}. Send {self.allowed}."
            return reply(405, {"error": error}, Allow=self.allowed)
        try:
            if self.role:
                parts = app()
                parts.rates.admit(key_of(req), parts.clock.now())
            response = handler(req)
        except AgentmeterError as exc:
            response = self.refuse(req, exc)
        except Exception as exc:  # noqa: BLE001 - failure() logs it
            response = failure(exc)
        return _without_body(response) if is_head else response


Carrier = Callable[[Route, Callable[[], App]], Callable[..., object]]
"""Makes the trigger of a route that the worker calls."""


def over_grpc(route: Route, app: Callable[[], App]) -> Callable[..., object]:
    """Return the route's trigger where the host hands requests over by gRPC."""

    def trigger(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        with inside(context, app):
            return route.answer(req, app)

    return trigger


def _without_body(response: func.HttpResponse) -> func.HttpResponse:
    return func.HttpResponse(
        status_code=response.status_code,
        headers=cast("Mapping[str, str]", response.headers),
        mimetype=response.mimetype,
        charset=response.charset,
    )
