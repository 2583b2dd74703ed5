"""How HTTP reaches the triggers is decided while the app is loaded."""

import subprocess
import sys
from types import ModuleType, SimpleNamespace

import pytest

from functions.route import over_grpc
from functions.web.forwarded import over_http
from functions.web.switch import WORKERS, carrier, read_forwarding
from tests.triggers.test_index import ROOT

WANTED = {"PYTHON_ENABLE_INIT_INDEXING": "1"}
COORDINATOR = SimpleNamespace(get_http_request_async=print, set_http_response=print)


def worker(coordinator: object) -> dict[str, ModuleType]:
    module = ModuleType(WORKERS[1])
    vars(module).update({"http_coordinator": coordinator} if coordinator else {})
    return {WORKERS[1]: module}


@pytest.mark.parametrize(
    ("environment", "version", "coordinator", "reason"),
    [
        pytest.param({}, (3, 13), COORDINATOR, "", id="default"),
        pytest.param(WANTED, (3, 12), COORDINATOR, "", id="older-python"),
        pytest.param(
            {}, (3, 12), COORDINATOR, "PYTHON_ENABLE_INIT_INDEXING is 1", id="no-indexing"
        ),
        pytest.param({"HTTP_PROXYING": "False"}, (3, 13), COORDINATOR, "is off", id="off"),
        pytest.param({}, (3, 13), None, "no http_coordinator", id="other-worker"),
        pytest.param({}, (3, 13), SimpleNamespace(), "no get_http_request", id="other-coordinator"),
    ],
)
def test_whole_requests_are_forwarded_unless_a_reason_is_written(
    environment: dict[str, str],
    version: tuple[int, int],
    coordinator: object,
    reason: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    forwarding = read_forwarding(environment)
    made = carrier(lambda: forwarding, version, worker(coordinator))
    said = capsys.readouterr().err
    assert made is (over_grpc if reason else over_http)
    assert reason in said
    assert said.count("\n") == bool(reason)


@pytest.mark.parametrize(("switch", "is_there"), [("0", False), ("1", True)])
def test_the_extension_is_imported_only_where_it_is_used(switch: str, is_there: bool) -> None:
    code = (
        "import sys, function_app\n"
        "from azurefunctions.extensions import base\n"
        f"assert base.HttpV2FeatureChecker.http_v2_enabled() is {is_there}\n"
        f"assert ('uvicorn' in sys.modules) is {is_there}"
    )
    environment = {"HTTP_PROXYING": switch, "PYTHON_ENABLE_INIT_INDEXING": "1"}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, env=environment)  # noqa: S603 - our own
