"""Finds out what an app consists of, as Azure does when it starts, and refuses what Azure would."""

import importlib
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import azure.functions as func

from shared.errors import Misconfigured
from standin.functions_host.ncrontab import Schedule, parse
from standin.functions_host.routes import Template, compile_route
from standin.functions_host.signature import Binding, FunctionLoadError, Handler, Signature, check

Auth = Literal["anonymous", "function", "admin"]
SETTING = re.compile(r"%([^%]+)%")


@dataclass(frozen=True, slots=True)
class QueueOutput:
    """A parameter (or $return) whose value goes to a queue."""

    parameter: str
    queue: str


@dataclass(frozen=True, slots=True)
class Function:
    """What every function has. parameter: the name of the trigger's argument."""

    name: str
    parameter: str
    handler: Handler
    signature: Signature
    outputs: tuple[QueueOutput, ...]


@dataclass(frozen=True, slots=True)
class HttpFunction(Function):
    """A function behind a route. methods: upper case; none means all."""

    route: Template
    methods: frozenset[str]
    auth: Auth


@dataclass(frozen=True, slots=True)
class QueueFunction(Function):
    """A function that eats a queue."""

    queue: str


@dataclass(frozen=True, slots=True)
class TimerFunction(Function):
    """A function that runs by a schedule. use_monitor: a run missed while down is made up."""

    schedule: Schedule
    schedule_text: str
    use_monitor: bool
    run_on_startup: bool


AnyFunction = HttpFunction | QueueFunction | TimerFunction


def load(folder: Path) -> func.FunctionApp:
    """Import the folder's function_app.py as Azure does: with the folder last on sys.path.

    Raises:
        FunctionLoadError: not exactly one app is visible in the module, or another module of that
            name was found first.
    """
    own = folder.resolve()
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != own] + [str(own)]
    sys.modules.pop("function_app", None)
    module = importlib.import_module("function_app")
    if Path(module.__file__ or "").resolve().parent != own:
        raise FunctionLoadError(
            f"{module.__file__} comes before {own / 'function_app.py'}, as it would in Azure, "
            "which searches the app's folder last. Take the other off sys.path."
        )
    return _only_app(module)


def _only_app(module: ModuleType) -> func.FunctionApp:
    apps = [value for value in vars(module).values() if isinstance(value, func.FunctionRegister)]
    if not apps:
        raise FunctionLoadError(
            "Could not find top level function app instances in function_app.py."
        )
    if len(apps) > 1 or not isinstance(apps[0], func.FunctionApp):
        raise FunctionLoadError(
            f"More than one {type(apps[0]).__name__} or other top level function app instances "
            "are defined."
        )
    return apps[0]


def index(
    app: func.FunctionApp, route_prefix: str, settings: Mapping[str, str]
) -> tuple[AnyFunction, ...]:
    """Return the app's functions. An app object can be indexed once; build a new one for more.

    settings: what %NAME% in queue names and schedules stands for.
    Raises:
        FunctionLoadError: the app would not index in Azure either.
        Misconfigured: %NAME% has no value.
    """
    try:
        found = app.get_functions()
    except ValueError as exc:
        raise FunctionLoadError(str(exc)) from exc
    if not found:
        raise FunctionLoadError("No job functions found. Register the blueprints with the app.")
    functions = tuple(_Reader(function, route_prefix, settings).read() for function in found)
    _check_forwarding(functions)
    return functions


def _check_forwarding(functions: Sequence[AnyFunction]) -> None:
    """Refuse an app of which a part takes forwarded requests: a web extension is there for all."""
    ways = {f.signature.is_forwarded: f.name for f in functions if isinstance(f, HttpFunction)}
    if len(ways) > 1:
        raise FunctionLoadError(
            f"cannot load the {ways[False]} function: a web extension is imported, so that its "
            f"request must have the extension's type, as that of {ways[True]} has"
        )


def resolve(text: str, settings: Mapping[str, str]) -> str:
    """Replace each %NAME% by the setting of that name.

    Raises:
        Misconfigured: there is none; in Azure that function would not start.
    """

    def value(match: re.Match[str]) -> str:
        found = settings.get(match.group(1))
        if not found:
            raise Misconfigured(
                f"{match.group()} does not resolve to a value. Add the setting {match.group(1)}."
            )
        return found

    return SETTING.sub(value, text)


class _Reader:
    """Reads one function of the library into one of ours."""

    def __init__(
        self, function: func.Function, route_prefix: str, settings: Mapping[str, str]
    ) -> None:
        self.name = function.get_function_name() or function.get_user_function().__name__
        self.handler: Handler = function.get_user_function()
        # The raw bindings are what Azure's host reads, so they are the contract.
        self.raw: Sequence[dict[str, Any]] = [
            json.loads(text) for text in function.get_raw_bindings()
        ]
        self.prefix = route_prefix
        self.settings = settings

    def read(self) -> AnyFunction:
        """Check the function and return it."""
        bindings = [
            Binding(raw["name"], raw["type"], str(raw["direction"]).upper() == "OUT")
            for raw in self.raw
        ]
        signature = check(self.name, self.handler, bindings)
        trigger = next(raw for raw in self.raw if raw["type"].endswith("Trigger"))
        common = (self.name, trigger["name"], self.handler, signature, self._outputs())
        match trigger["type"]:
            case "httpTrigger":
                return HttpFunction(*common, *self._http(trigger))
            case "queueTrigger":
                return QueueFunction(*common, self._resolved(trigger["queueName"]).lower())
            case "timerTrigger":
                return TimerFunction(*common, *self._timer(trigger))
            case other:
                raise self._unknown(other)

    def _outputs(self) -> tuple[QueueOutput, ...]:
        outputs: list[QueueOutput] = []
        for raw in self.raw:
            if raw["type"] == "queue":
                queue = self._resolved(raw["queueName"]).lower()
                outputs.append(QueueOutput(raw["name"], queue))
            elif raw["type"] != "http" and not raw["type"].endswith("Trigger"):
                raise self._unknown(raw["type"])
        return tuple(outputs)

    def _http(self, raw: Mapping[str, Any]) -> tuple[Template, frozenset[str], Auth]:
        route = raw.get("route")
        try:
            template = compile_route(self.prefix, self.name if route is None else route)
        except (ValueError, re.error) as exc:
            raise self._wrong(f"route {route!r}", exc) from exc
        methods = frozenset(str(method).upper() for method in raw.get("methods") or ())
        auth = str(raw.get("authLevel") or "function").lower()
        known: dict[str, Auth] = {"anonymous": "anonymous", "admin": "admin"}
        return template, methods, known.get(auth, "function")

    def _timer(self, raw: Mapping[str, Any]) -> tuple[Schedule, str, bool, bool]:
        text = self._resolved(raw["schedule"])
        try:
            schedule = parse(text)
        except ValueError as exc:
            raise self._wrong(f"schedule {text!r}", exc) from exc
        monitor = raw.get("useMonitor")
        return schedule, text, monitor is not False, raw.get("runOnStartup") is True

    def _resolved(self, text: str) -> str:
        return resolve(text, self.settings)

    def _unknown(self, kind: str) -> FunctionLoadError:
        return FunctionLoadError(
            f"cannot load the {self.name} function: the local host has no {kind} binding; "
            "it has httpTrigger, queueTrigger, timerTrigger, queue and http"
        )

    def _wrong(self, what: str, exc: Exception) -> FunctionLoadError:
        return FunctionLoadError(f"The {what} of function {self.name} is wrong: {exc}.")
