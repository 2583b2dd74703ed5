"""Reads attributes as OTLP has them, and objects of its JSON."""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, cast

from google.protobuf.json_format import ParseError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from shared.events.otlp.span import Scalar

JsonObject = Mapping[str, object]
_SCALARS = frozenset({"string_value", "int_value", "bool_value"})


def attributes_of(pairs: Iterable[KeyValue]) -> dict[str, Scalar]:
    """Return the attributes; lists and maps are JSON text, bytes are left out."""
    found: dict[str, Scalar] = {}
    for pair in pairs:
        value = pair.value
        kind = value.WhichOneof("value")
        if kind in _SCALARS:
            found[pair.key] = getattr(value, kind)
        elif (other := scalar_of(value)) is not None:
            found[pair.key] = other
    return found


def scalar_of(value: AnyValue) -> Scalar | None:
    """Return the value, None for one that JSON cannot write."""
    plain = _plain(value)
    return json.dumps(plain) if isinstance(plain, list | dict) else cast("Scalar | None", plain)


def objects(parent: JsonObject, key: str) -> Iterable[JsonObject]:
    """Return the list of objects under the key; absent is empty.

    Raises:
        ParseError: it is no list of objects.
    """
    found: object = parent.get(key) or []
    items = cast("list[object]", found) if isinstance(found, list) else [found]
    if all(isinstance(item, dict) for item in items):
        return cast("list[JsonObject]", items)
    raise ParseError(f"{key} is no array of objects")


def object_under(parent: JsonObject, key: str) -> dict[str, Any]:
    """Return the object under the key; absent is empty.

    Raises:
        ParseError: it is no object.
    """
    found: object = parent.get(key) or {}
    if isinstance(found, dict):
        return cast("dict[str, Any]", found)
    raise ParseError(f"{key} is no object")


def _plain(value: AnyValue) -> object:
    """Return the value as JSON has it; None for bytes and for numbers that JSON cannot write."""
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case "int_value":
            return value.int_value
        case "double_value":
            return value.double_value if math.isfinite(value.double_value) else None
        case "array_value":
            return [_plain(item) for item in value.array_value.values]
        case "kvlist_value":
            return {pair.key: _plain(pair.value) for pair in value.kvlist_value.values}
        case _:
            return None
