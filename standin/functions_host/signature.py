"""Checks that a function's parameters fit its bindings, with the words of Azure's worker."""

import inspect
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, cast

import azure.functions as func
from azurefunctions.extensions import base  # pyright: ignore[reportMissingTypeStubs] - it has none

from shared.errors import AgentmeterError

Handler = Callable[..., object]


class FunctionLoadError(AgentmeterError):
    """The app does not index: in Azure every route would answer 404."""


class _Converter(Protocol):
    def check_input_type_annotation(self, hint: type) -> bool: ...
    def check_output_type_annotation(self, hint: object) -> bool: ...


class _Converters(Protocol):
    """The library's converters by binding type, which it leaves untyped."""

    def get(self, binding_name: str) -> _Converter: ...


@dataclass(frozen=True, slots=True)
class Binding:
    """One binding of a function, as its decorator declared it."""

    name: str
    type: str
    is_out: bool


@dataclass(frozen=True, slots=True)
class Signature:
    """What the host must hand over.

    as_text: inputs that want the plain text. is_forwarded: it takes whole HTTP requests, by a web
    extension.
    """

    wants_context: bool
    is_async: bool
    has_return: bool
    as_text: frozenset[str]
    is_forwarded: bool


def check(name: str, handler: Handler, bindings: list[Binding]) -> Signature:
    """Compare parameters and annotations with the bindings.

    Raises:
        FunctionLoadError: they contradict each other; the words are the worker's.
    """
    hints = _hints(name, handler)
    parameters = set(inspect.signature(handler).parameters)
    bound = {binding.name: binding for binding in bindings if binding.name != "$return"}
    wants_context = "context" in parameters and "context" not in bound
    if wants_context:
        parameters.remove("context")
        _check_context(name, hints)
    _check_names(name, parameters, set(bound))
    for binding in bound.values():
        if binding.name in hints:
            _check_annotation(name, binding, hints[binding.name])
    returned = [binding for binding in bindings if binding.name == "$return"]
    if returned and "return" in hints:
        _check_return(name, returned[0], hints["return"])
    text = frozenset(p for p in bound if not bound[p].is_out and _is_text(hints.get(p)))
    is_async = inspect.iscoroutinefunction(handler)
    is_forwarded = any(_is_extensions(hints.get(p)) for p in bound)
    if is_forwarded:
        _check_forwarded(name, bindings, is_async=is_async)
    return Signature(wants_context, is_async, bool(returned), text, is_forwarded)


def _is_extensions(hint: object) -> bool:
    """Return whether it is the type of requests, or of responses, of a web extension."""
    return isinstance(hint, type) and (
        base.RequestTrackerMeta.check_type(hint) or base.ResponseTrackerMeta.check_type(hint)
    )


def _check_forwarded(name: str, bindings: list[Binding], *, is_async: bool) -> None:
    """Refuse what indexes in Azure, but loses messages or requests there."""
    if any(binding.is_out and binding.type == "queue" for binding in bindings):
        raise _fail(
            name,
            "forwarded HTTP is answered before queue outputs are stored; send to the queue in the "
            "function",
        )
    if not is_async:
        raise _fail(name, "a def function hangs on bodies that are not there yet; use async def")


def _fail(name: str, why: str) -> FunctionLoadError:
    return FunctionLoadError(f"cannot load the {name} function: {why}")


def _hints(name: str, handler: Handler) -> Mapping[str, object]:
    try:
        return typing.get_type_hints(handler)
    except NameError as exc:
        raise _fail(name, f"{exc}; import it outside of TYPE_CHECKING") from exc


def _check_context(name: str, hints: Mapping[str, object]) -> None:
    hint = hints.get("context", func.Context)
    if not isinstance(hint, type) or hint.__name__ != "Context":
        raise _fail(
            name,
            'the "context" parameter is expected to be of type azure.functions.Context, '
            f"got {hint!r}",
        )


def _check_names(name: str, parameters: set[str], bound: set[str]) -> None:
    if parameters - bound:
        raise _fail(
            name,
            "the following parameters are declared in Python but not in the function definition "
            f"(function.json or function decorators): {parameters - bound!r}",
        )
    if bound - parameters:
        raise _fail(
            name,
            "Extra parameters in binding definition — the following parameters are declared as "
            f"bindings but are not present in Python: {bound - parameters!r}",
        )


def _check_annotation(name: str, binding: Binding, hint: object) -> None:
    is_out = hint is func.Out or typing.get_origin(hint) is func.Out
    inner = _inside_out(name, binding, hint) if is_out else hint
    if not _is_type(inner):
        raise _fail(name, f"binding {binding.name} has invalid non-type annotation {hint!r}")
    if binding.is_out and not is_out:
        raise _fail(
            name,
            f'binding {binding.name} is declared to have the "out" direction, but its annotation '
            "in Python is not a subclass of azure.functions.Out",
        )
    if is_out and not binding.is_out:
        raise _fail(
            name,
            f'binding {binding.name} is declared to have the "in" direction in the binding '
            "decorator, but its annotation is azure.functions.Out in Python",
        )
    if not _fits(binding, inner):
        raise _fail(
            name,
            f"type of {binding.name} binding in the binding decorator "
            f'"{binding.type}" does not match its Python annotation "{_name(inner)}"',
        )


def _inside_out(name: str, binding: Binding, hint: object) -> object:
    arguments = typing.get_args(hint)
    if len(arguments) != 1:
        raise _fail(name, f"binding {binding.name} has invalid Out annotation {hint!r}")
    return arguments[0]


def _check_return(name: str, binding: Binding, hint: object) -> None:
    if typing.get_origin(hint) is func.Out:
        raise _fail(name, "return annotation should not be azure.functions.Out")
    if not isinstance(hint, type):
        raise _fail(name, f"has invalid non-type return annotation {hint!r}")
    if not _fits(binding, hint):
        raise _fail(
            name,
            f'Python return annotation "{_name(hint)}" does not match binding '
            f'type "{binding.type}"',
        )


def _is_type(hint: object) -> bool:
    """Take classes and typing.List[...]; the worker knows neither list[...] nor unions."""
    if isinstance(hint, types.GenericAlias):
        return False
    origin = typing.get_origin(hint) or hint
    return isinstance(origin, type) and origin not in (tuple, types.UnionType)


def _is_text(hint: object) -> bool:
    return hint is str or hint is bytes


def _fits(binding: Binding, hint: object) -> bool:
    """Ask the library's own converter of that binding."""
    if binding.type in ("queue", "queueTrigger") and _is_text(hint):
        return True
    if binding.type in ("http", "httpTrigger") and _is_extensions(hint):
        return True
    converter = cast(_Converters, func.get_binding_registry()).get(binding.type)
    if binding.is_out:
        return converter.check_output_type_annotation(hint)
    return isinstance(hint, type) and converter.check_input_type_annotation(hint)


def _name(hint: object) -> str:
    return getattr(hint, "__name__", repr(hint))
