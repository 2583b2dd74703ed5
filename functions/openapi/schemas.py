"""The JSON Schemas of all that is sent and answered, from the types themselves."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from functions.openapi.answers import Failure, Unforeseen
from functions.openapi.operation import Operation
from shared.events.columns import ADJUSTMENT
from shared.events.types import KINDS
from shared.metrics.catalogue import FLEET

REFERENCE = "#/components/schemas/{model}"
Json = dict[str, Any]


class _Untitled(GenerateJsonSchema):
    """Leaves out the titles of fields, which only repeat their names."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


class Schemas:
    """Every schema that the operations need. named: those that others refer to."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        shapes: list[Any] = [Failure, Unforeseen]
        shapes += [shape for each in operations for shape in _shapes(each)]
        adapters = {id(shape): TypeAdapter[Any](shape) for shape in shapes}
        found, rest = TypeAdapter.json_schemas(
            [(key, "validation", adapter) for key, adapter in adapters.items()],
            ref_template=REFERENCE,
            schema_generator=_Untitled,
        )
        whole = _renamed({"named": rest["$defs"], "of": {str(k): v for (k, _), v in found.items()}})
        text = json.dumps(whole)
        self.named: Json = {
            name: schema for name, schema in whole["named"].items() if f'/{name}"' in text
        }
        self._of: Json = whole["of"]
        for schema in self.named.values():
            # An event without a time happened when it was received.
            if "time" in (required := schema.get("required", [])):
                required.remove("time")
        self.named["AnEvent"]["x-own-kinds"] = [ADJUSTMENT]
        for data in KINDS.values():
            counted = [metric.name for metric in FLEET if metric.of is data]
            self.named[f"{data.__name__}Event"]["x-metrics"] = counted

    def of(self, shape: object) -> Json:
        """Return the schema of one of the operations' types."""
        return self._of[str(id(shape))]


def _shapes(operation: Operation) -> Iterator[object]:
    yield from (parameter.shape for parameter in operation.parameters)
    for bodies in (operation.bodies, *(answer.bodies for answer in operation.answers.values())):
        yield from (body.shape for body in bodies.values())


def _renamed(whole: Json) -> Json:
    """Call events by what they are about, LlmCallEvent, where pydantic spells out their types."""
    text = json.dumps(whole)
    for name, schema in whole["named"].items():
        if name.startswith("Event_"):
            about = schema["properties"]["data"]["$ref"].rpartition("/")[2]
            text = text.replace(f'/{name}"', f'/{about}Event"').replace(
                f'"{name}": ', f'"{about}Event": '
            )
            text = text.replace(json.dumps(schema["title"]), f'"{about}Event"')
    return json.loads(text)
