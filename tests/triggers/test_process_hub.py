"""The event hub's trigger, with events as the worker builds them from what the host sends."""

import json
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any, cast

import azure.functions as func
import pytest
from azure.functions.eventhub import EventHubTriggerConverter
from azure.functions.meta import Datum

from functions import build, process_hub
from shared.adapters.azure.event_hub import HUB
from shared.settings import Settings
from tests.triggers.test_index import TRIGGERS, bindings, never

NAMESPACE = {"EVENT_HUB__fullyQualifiedNamespace": "ns.servicebus.windows.net"}


def functions(environment: Mapping[str, str]) -> dict[str, func.Function]:
    made = build(never, further=process_hub.where_there_is_one(environment)).get_functions()
    return {str(one.get_function_name()): one for one in made}


def received(bodies: Sequence[str], kind: str) -> list[func.EventHubEvent]:
    """Return a batch as the worker makes it. kind: `string`, the host's default, or `bytes`."""
    values = bodies if kind == "string" else [body.encode() for body in bodies]
    properties = [
        {
            "SequenceNumber": n,
            "Offset": str(n * 100),
            "PartitionKey": None,
            "EnqueuedTimeUtc": "2026-11-23T12:00:00Z",
        }
        for n, _ in enumerate(bodies)
    ]
    metadata = {"SystemPropertiesArray": Datum(json.dumps(properties), "json")}
    data = Datum(SimpleNamespace(**{kind: values}), f"collection_{kind}")
    made = EventHubTriggerConverter.decode(data, trigger_metadata=metadata)
    return cast("list[func.EventHubEvent]", made)


def test_the_trigger_is_there_where_a_namespace_is_named() -> None:
    assert sorted(functions({})) == sorted(TRIGGERS)
    assert sorted(functions({"EVENT_HUB__fullyQualifiedNamespace": " "})) == sorted(TRIGGERS)
    assert sorted(functions(NAMESPACE)) == sorted([*TRIGGERS, "process_event_hub"])


def test_the_host_hands_over_batches_and_keeps_its_place_until_one_is_taken() -> None:
    function = functions(NAMESPACE)["process_event_hub"]
    (trigger,) = bindings(function)
    assert (trigger["type"], trigger["eventHubName"]) == ("eventHubTrigger", HUB)
    assert (trigger["cardinality"], trigger["connection"]) == ("MANY", "EVENT_HUB")
    retry = cast("Any", function).get_settings_dict("retry_policy")
    assert (retry["strategy"], retry["max_retry_count"]) == ("fixed_delay", "-1")


def test_the_settings_of_the_trigger_are_ours() -> None:
    assert process_hub.NAMESPACE in Settings.model_fields


@pytest.mark.parametrize("kind", ["string", "bytes"])
def test_every_event_of_a_batch_is_processed(kind: str) -> None:
    taken: list[str] = []

    def run(texts: Sequence[str], _: object) -> None:
        taken.extend(texts)

    part = SimpleNamespace
    app = part(
        clock=part(now=lambda: None),
        process_hub=part(run=run),
        stand_in=part(run=print),
    )
    made = build(
        cast("Any", lambda: app), further=process_hub.where_there_is_one(NAMESPACE)
    ).get_functions()
    (function,) = [one for one in made if one.get_function_name() == "process_event_hub"]
    context = part(
        function_name="process_event_hub",
        invocation_id="1",
        trace_context=part(trace_parent=""),
        thread_local_storage=part(),
    )
    batch = received(["H4sI", "\u00e9"], kind)
    function.get_user_function()(messages=batch, context=context)
    assert taken == ["H4sI", r"\xc3\xa9"]
