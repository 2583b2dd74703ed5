"""Puts the OpenAPI document together: paths from the function index, words from the operations."""

import re
from collections.abc import Iterable, Set

from functions.openapi.operation import REFUSALS, Answer, Bodies, Parameter, refusals
from functions.openapi.operations import OPERATIONS
from functions.openapi.schemas import Json, Schemas
from functions.route import Route
from shared.errors import GiveUp

VERSION = "0.1.0"
ABOUT = (
    "Agents send events; agentmeter prices every model call once, keeps metrics, and evaluates "
    'alert rules. Errors are JSON, `{"error": …}`, and end with the remedy. A path or method that '
    "there is not is answered with 404."
)
TAGS = {
    "ingest": "What agents send",
    "costs": "What was spent",
    "alerts": "What is wrong, and who is paged",
    "operation": "How agentmeter itself is",
}
SECURITY_SCHEMES = {
    "functionKey": {"type": "apiKey", "in": "header", "name": "x-functions-key"},
    "functionKeyInQuery": {"type": "apiKey", "in": "query", "name": "code"},
    "metricsToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "METRICS_TOKEN, where one is set",
    },
}
BY_KEY: list[dict[str, list[str]]] = [{"functionKey": []}, {"functionKeyInQuery": []}]
BY_TOKEN: list[dict[str, list[str]]] = [{}, {"metricsToken": []}]
NO_KEY = {"description": "No function key, or a wrong one."}
NO_TOKEN = {
    "description": "METRICS_TOKEN is set, and was not sent.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Failure"}}},
    "headers": {"WWW-Authenticate": {"schema": {"const": "Bearer"}}},
}
UNFORESEEN = {
    "description": REFUSALS[500],
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Unforeseen"}}},
}
PATH_PARAMETER = re.compile(r"\{(\w+)")


def document(routes: Iterable[Route]) -> Json:
    """Return the OpenAPI 3.1 document of these routes.

    Raises:
        GiveUp: a handler has no operation, or an operation no handler; names the remedy.
    """
    handled = [(route, *each) for route in routes for each in route.handlers.items()]
    _compare({handler.__name__ for _, _, handler in handled}, OPERATIONS.keys())
    schemas = Schemas(OPERATIONS.values())
    paths: dict[str, Json] = {}
    for route, method, handler in handled:
        described = _operation(handler.__name__, route, schemas)
        paths.setdefault(f"/{route.path}", {})[method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "agentmeter",
            "version": VERSION,
            "description": ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": paths,
        "components": {"schemas": schemas.named, "securitySchemes": SECURITY_SCHEMES},
    }


def _compare(handlers: Set[str], operations: Set[str]) -> None:
    home = "functions/openapi/operations.py"
    if missing := sorted(handlers - operations):
        raise GiveUp(f"{home} does not say what {', '.join(missing)} is for. Add a row.")
    if gone := sorted(operations - handlers):
        raise GiveUp(f"{home} describes {', '.join(gone)}, which no route has. Remove the row.")


def _operation(name: str, route: Route, schemas: Schemas) -> Json:
    said, is_open = OPERATIONS[name], route.role is None
    documented = said.answers if is_open else {**refusals(429), **said.answers}
    answers = {str(status): _answer(answer, schemas) for status, answer in documented.items()}
    shown: Json = {
        "operationId": name,
        "tags": [said.tag],
        "summary": said.summary,
        **({"x-role": str(route.role)} if route.role else {}),
        "security": BY_TOKEN if is_open else BY_KEY,
        "responses": {**answers, "401": NO_TOKEN if is_open else NO_KEY, "500": UNFORESEEN},
    }
    in_path = [Parameter(each, "", str, "path") for each in PATH_PARAMETER.findall(route.path)]
    if parameters := (*in_path, *said.parameters):
        shown["parameters"] = [_parameter(parameter, schemas) for parameter in parameters]
    if said.bodies:
        content = _content(said.bodies, schemas)
        shown["requestBody"] = {"required": said.is_body_required, "content": content}
    return shown


def _parameter(parameter: Parameter, schemas: Schemas) -> Json:
    is_path = parameter.where == "path"
    return {
        "name": parameter.name,
        "in": parameter.where,
        "required": is_path,
        "schema": {"type": "string", "minLength": 1} if is_path else schemas.of(parameter.shape),
        **({"description": parameter.text} if parameter.text else {}),
    }


def _answer(answer: Answer, schemas: Schemas) -> Json:
    headers = {
        name: {"description": text, "schema": {"type": "string"}}
        for name, text in answer.headers.items()
    }
    return {
        "description": answer.text,
        **({"headers": headers} if headers else {}),
        **({"content": _content(answer.bodies, schemas)} if answer.bodies else {}),
    }


def _content(bodies: Bodies, schemas: Schemas) -> Json:
    return {
        media: {
            "schema": schemas.of(body.shape),
            **(
                {"examples": {n: {"value": v} for n, v in body.examples.items()}}
                if body.examples
                else {}
            ),
        }
        for media, body in bodies.items()
    }
