import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from itertools import chain
from typing import Any

import azure.functions as func
import pytest
from openapi_spec_validator import validate

from functions import routes
from functions.openapi import document as openapi
from functions.route import Role, Route
from shared.errors import GiveUp
from shared.events.columns import ADJUSTMENT
from shared.events.types import KINDS
from shared.metrics.catalogue import FLEET
from tests.fakes import START, FakeClock
from tests.journeys.laptop import TIMEOUT_S, Laptop, laptop
from tests.triggers.test_index import ROOT, TRIGGERS, never

SCHEMAS = "#/components/schemas/"


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    with laptop(tmp_path_factory.mktemp("laptop"), FakeClock(START)) as running:
        yield running


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi.document(routes(never))


def test_the_document_is_openapi_3_1(document: dict[str, Any]) -> None:
    validate(document)
    assert document["openapi"] == "3.1.0"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert document["info"]["version"] == project["version"]


def test_every_route_is_reported_and_no_other(document: dict[str, Any]) -> None:
    handled = {
        (f"/{route.path}", method, handler.__name__)
        for route in routes(never)
        for method, handler in route.handlers.items()
    }
    assert handled == {
        (path, method.upper(), operation["operationId"])
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }


def test_a_handler_that_no_one_described_is_named_with_the_remedy() -> None:
    def get_new(req: func.HttpRequest) -> func.HttpResponse:
        raise AssertionError

    new = Route("get_new", "api/new", {"GET": get_new}, Role.READER)
    with pytest.raises(
        GiveUp, match=r"operations\.py does not say what get_new is for\. Add a row"
    ):
        openapi.document([*routes(never), new])
    with pytest.raises(GiveUp, match=r"which no route has\. Remove the row"):
        openapi.document(routes(never)[1:])


def test_every_kind_of_event_is_distinguished_by_its_type(document: dict[str, Any]) -> None:
    an_event = document["components"]["schemas"]["AnEvent"]
    assert an_event["discriminator"]["propertyName"] == "type"
    kinds = {kind: f"{SCHEMAS}{data.__name__}Event" for kind, data in KINDS.items()}
    assert an_event["discriminator"]["mapping"] == kinds
    assert {one["$ref"] for one in an_event["oneOf"]} == set(kinds.values())


def test_each_metric_of_the_fleet_is_named_by_the_kind_it_counts(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    kinds = schemas["AnEvent"]["discriminator"]["mapping"]
    named: dict[str, list[str]] = {
        kind: schemas[at.removeprefix(SCHEMAS)]["x-metrics"] for kind, at in kinds.items()
    }
    assert named["cache.ratio"] == ["cache_hit_ratio"]
    assert sorted(chain(*named.values())) == sorted(metric.name for metric in FLEET)


def test_rows_that_agents_never_send_are_named(document: dict[str, Any]) -> None:
    an_event = document["components"]["schemas"]["AnEvent"]
    assert an_event["x-own-kinds"] == [ADJUSTMENT]
    assert ADJUSTMENT not in an_event["discriminator"]["mapping"]


def test_keys_are_asked_for_where_the_trigger_asks(document: dict[str, Any]) -> None:
    levels = {f"/{route}": level for _, route, *level in TRIGGERS.values() if level}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            needs_key = {"functionKey": []} in operation["security"]
            assert needs_key == (levels[path] == ["FUNCTION"])
            assert "401" in operation["responses"]


def test_what_the_examples_send_is_taken(box: Laptop, document: dict[str, Any]) -> None:
    key = {"x-functions-key": box.stack.places.key()}
    for path, operations in document["paths"].items():
        for media, body in (
            operations.get("post", {}).get("requestBody", {"content": {}})["content"].items()
        ):
            for example in body.get("examples", {}).values():
                answer = box.http.post(
                    f"{box.stack.app_url}{path}",
                    data=json.dumps(example["value"]),
                    headers=key | {"content-type": media},
                    timeout=TIMEOUT_S,
                )
                assert answer.status_code in (200, 201, 202), answer.text


def test_the_app_serves_the_document_that_is_checked_in(box: Laptop) -> None:
    served = box.get("/api/openapi.json")
    assert served.status_code == 200
    assert served.headers["content-type"] == "application/json"
    written = (ROOT / "docs" / "openapi.json").read_text(encoding="utf-8")
    assert served.json() == json.loads(written)


def test_a_cold_start_does_not_load_what_makes_the_document() -> None:
    code = "import sys, function_app; assert 'functions.openapi.document' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)  # noqa: S603 - our own
