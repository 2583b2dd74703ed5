"""Hands a queue message to a function as Azure's host does, traps included."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol, cast

from azure.functions.meta import Datum
from azure.functions.queue import QueueMessageInConverter

from standin.functions_host.index import QueueFunction
from standin.functions_host.queues import Message


class _Converter(Protocol):
    """The worker's own reader of queue messages, which the library leaves untyped."""

    def decode(self, data: Datum, *, trigger_metadata: Mapping[str, Datum]) -> object: ...


def argument(function: QueueFunction, message: Message) -> object:
    """Return the QueueMessage, or the plain text where the function asks for str or bytes.

    Members of a message that is a JSON object replace the metadata of the same name, whatever
    their case: a payload's `id` becomes msg.id.
    Raises:
        ValueError: such a member does not fit, or the message is no UTF-8; in Azure the function
            is not called either.
    """
    body = message.body.decode()
    if function.parameter in function.signature.as_text:
        return body
    metadata = _metadata(message)
    own = {name.lower(): name for name in metadata}
    for name, text in _members(body).items():
        metadata[own.get(name.lower(), name)] = Datum(text, "string")
    converter = cast(_Converter, QueueMessageInConverter)
    return converter.decode(Datum(body, "string"), trigger_metadata=metadata)


def _metadata(message: Message) -> dict[str, Datum]:
    """Return the host's metadata of a message; of one that an operator made up, its count alone."""
    if not message.id:
        return {"DequeueCount": Datum("0", "json")}
    return {
        "Id": Datum(message.id, "string"),
        "DequeueCount": Datum(str(message.dequeue_count), "json"),
        "ExpirationTime": _moment(message.expires_at),
        "InsertionTime": _moment(message.inserted_at),
        "NextVisibleTime": _moment(message.visible_at),
        "PopReceipt": Datum(message.pop_receipt, "string"),
    }


def _moment(value: datetime) -> Datum:
    return Datum(json.dumps(value.isoformat()), "json")


def _members(text: str) -> Mapping[str, str]:
    """Return the members of a JSON object that are no arrays, as text; of anything else none."""
    stripped = text.strip()
    if not (stripped.startswith("{") and stripped.endswith("}")):
        return {}
    try:
        members = cast("dict[str, Any]", json.loads(stripped))
    except ValueError:
        return {}
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in members.items()
        if value is not None and not isinstance(value, list)
    }
