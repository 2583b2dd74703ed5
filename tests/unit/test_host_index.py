"""What the local host finds in an app, and what it refuses as Azure would."""

import sys
from collections.abc import Iterator
from pathlib import Path

import azure.functions as func
import pytest

from shared.errors import Misconfigured
from standin.functions_host.hostjson import read_host_json
from standin.functions_host.index import (
    HttpFunction,
    QueueFunction,
    QueueOutput,
    TimerFunction,
    index,
    load,
)
from standin.functions_host.signature import FunctionLoadError
from tests.host_sample import SETTINGS, Seen, sample_app

HEAD = "import typing\nimport azure.functions as func\n"
HTTP = '@app.route(route="x")'
QUEUE_OUT = HTTP + '\n@app.queue_output(arg_name="out", queue_name="q", connection="C")'


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder for an app, with no other app before it on sys.path."""
    before = sys.path.copy()
    sys.path[:] = [entry for entry in before if not (Path(entry) / "function_app.py").exists()]
    yield tmp_path
    sys.path[:] = before
    sys.modules.pop("function_app", None)


def write(folder: Path, text: str) -> None:
    (folder / "function_app.py").write_text(HEAD + text, encoding="utf-8")


def test_the_functions_of_an_app_are_found_with_all_that_azure_reads() -> None:
    found = {function.name: function for function in index(sample_app(Seen()), "api", SETTINGS)}
    work, fixed, eat, look = (found[n] for n in ("post_work", "fixed", "do_work", "look"))
    assert isinstance(work, HttpFunction)
    assert (work.route.text, work.methods, work.auth) == ("api/work", {"POST"}, "function")
    assert work.outputs == (QueueOutput("out", "work-items"),)
    assert isinstance(fixed, HttpFunction)
    assert (fixed.auth, fixed.signature.is_async) == ("anonymous", True)
    assert isinstance(eat, QueueFunction)
    assert (eat.queue, eat.parameter) == ("work-items", "msg")
    assert isinstance(look, TimerFunction)
    assert (look.schedule_text, look.use_monitor) == ("0 * * * * *", True)


def test_a_setting_that_is_missing_stops_the_start() -> None:
    with pytest.raises(Misconfigured, match="%WORK% does not resolve to a value"):
        index(sample_app(Seen()), "", {"EVERY_MINUTE": "0 * * * * *", "WORK": ""})


def test_an_app_object_can_be_indexed_once_as_in_azure() -> None:
    app = sample_app(Seen())
    index(app, "", SETTINGS)
    with pytest.raises(FunctionLoadError, match="does not have a unique function name"):
        index(app, "", SETTINGS)


def test_an_app_without_functions_is_refused() -> None:
    with pytest.raises(FunctionLoadError, match="No job functions found"):
        index(func.FunctionApp(), "", {})


@pytest.mark.parametrize(
    ("decorators", "signature", "words"),
    [
        pytest.param(
            HTTP,
            "req: func.HttpRequest, more: int = 1",
            r"declared in Python but not in the function definition .*: \{'more'\}",
            id="a-parameter-too-many",
        ),
        pytest.param(
            HTTP,
            "",
            r"declared as bindings but are not present in Python: \{'req'\}",
            id="a-parameter-too-few",
        ),
        pytest.param(
            HTTP,
            "req: typing.Optional[func.HttpRequest]",
            "binding req has invalid non-type annotation",
            id="a-union",
        ),
        pytest.param(
            HTTP,
            "req: func.QueueMessage",
            'type of req binding in the binding decorator "httpTrigger" does not match its '
            'Python annotation "QueueMessage"',
            id="another-trigger's-type",
        ),
        pytest.param(
            HTTP,
            "req: func.Out[str]",
            'binding req is declared to have the "in" direction in the binding decorator',
            id="out-for-in",
        ),
        pytest.param(
            HTTP,
            "req: func.HttpRequest, context: str",
            'the "context" parameter is expected to be of type azure.functions.Context, got',
            id="context",
        ),
        pytest.param(
            HTTP, 'req: "NotImported"', "name 'NotImported' is not defined", id="unknown-name"
        ),
        pytest.param(
            QUEUE_OUT,
            "req: func.HttpRequest, out: func.Out[list[str]]",
            "binding out has invalid non-type annotation",
            id="list[str]",
        ),
        pytest.param(
            QUEUE_OUT,
            "req: func.HttpRequest, out: str",
            "its annotation in Python is not a subclass of azure.functions.Out",
            id="in-for-out",
        ),
        pytest.param(
            QUEUE_OUT,
            "req: func.HttpRequest, out: func.Out[int]",
            'type of out binding in the binding decorator "queue" does not match its Python '
            'annotation "int"',
            id="out-of-numbers",
        ),
        pytest.param(
            QUEUE_OUT,
            "req: func.HttpRequest, out: func.Out",
            "binding out has invalid Out annotation",
            id="bare-out",
        ),
    ],
)
def test_a_signature_that_azure_refuses_is_refused_in_its_words(
    folder: Path, decorators: str, signature: str, words: str
) -> None:
    write(folder, f"app = func.FunctionApp()\n{decorators}\ndef handler({signature}): ...\n")
    with pytest.raises(FunctionLoadError, match=f"cannot load the handler function: .*{words}"):
        index(load(folder), "", {})


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        ("typing.Optional[func.HttpResponse]", "has invalid non-type return annotation"),
        ("dict", 'Python return annotation "dict" does not match binding type "http"'),
        ("None", 'Python return annotation "NoneType" does not match binding type "http"'),
        ("func.Out[str]", "return annotation should not be azure.functions.Out"),
    ],
)
def test_a_return_annotation_that_azure_refuses_is_refused_in_its_words(
    folder: Path, returned: str, words: str
) -> None:
    handler = f"def handler(req: func.HttpRequest) -> {returned}: ..."
    write(folder, f"app = func.FunctionApp()\n{HTTP}\n{handler}\n")
    with pytest.raises(FunctionLoadError, match=words):
        index(load(folder), "", {})


@pytest.mark.parametrize("value", ["str", "bytes", "typing.List[str]", "func.QueueMessage"])
def test_an_output_that_azure_takes_is_taken(folder: Path, value: str) -> None:
    handler = f"def handler(req: func.HttpRequest, out: func.Out[{value}]): ..."
    write(folder, f"app = func.FunctionApp()\n{QUEUE_OUT}\n{handler}\n")
    (function,) = index(load(folder), "", {})
    assert function.outputs == (QueueOutput("out", "q"),)


@pytest.mark.parametrize(
    ("decorator", "words"),
    [
        ('@app.route(route="a/{b:odd}")', "does not know the route constraint 'odd'"),
        ('@app.route(route="a/{b")', "does not know the route part"),
        ('@app.route(route="admin/x")', "are the host's own"),
        ('@app.route(route="/Runtimes")', "are the host's own"),
        ('@app.timer_trigger(arg_name="req", schedule="often")', "has 1 fields"),
        (
            '@app.blob_trigger(arg_name="req", path="p", connection="C")',
            "the local host has no blobTrigger binding",
        ),
    ],
)
def test_what_this_host_does_not_know_stops_the_start(
    folder: Path, decorator: str, words: str
) -> None:
    write(folder, f"app = func.FunctionApp()\n{decorator}\ndef handler(req): ...\n")
    with pytest.raises(FunctionLoadError, match=words):
        index(load(folder), "", {})


def test_the_apps_folder_is_searched_last_as_in_azure(folder: Path) -> None:
    (folder / "colorsys.py").write_text("raise RuntimeError('shadows')", encoding="utf-8")
    sys.path.insert(0, str(folder))
    sys.modules.pop("colorsys", None)
    write(folder, "import colorsys\napp = func.FunctionApp()\n")
    assert isinstance(load(folder), func.FunctionApp)
    assert sys.path[-1] == str(folder)
    assert sys.path.count(str(folder)) == 1


def test_another_function_app_that_comes_first_is_named(folder: Path) -> None:
    for name in ("first", "second"):
        (folder / name).mkdir()
        write(folder / name, "app = func.FunctionApp()\n")
    sys.path.append(str(folder / "first"))
    with pytest.raises(FunctionLoadError, match=r"first/function_app\.py comes before"):
        load(folder / "second")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = 1", "Could not find top level function app instances in function_app.py"),
        (
            "one = func.FunctionApp()\ntwo = func.FunctionApp()",
            "More than one FunctionApp or other top level function app instances are defined",
        ),
        ("one = func.FunctionApp()\nagain = one", "More than one FunctionApp"),
    ],
)
def test_a_module_has_exactly_one_app(folder: Path, text: str, words: str) -> None:
    write(folder, text)
    with pytest.raises(FunctionLoadError, match=words):
        load(folder)


def test_host_json_has_azures_defaults() -> None:
    options = read_host_json({"version": "2.0"})
    assert (options.route_prefix, options.batch_size, options.new_batch_threshold) == ("api", 16, 8)
    assert (options.max_dequeue_count, options.visibility_timeout_s) == (5, 0.0)
    assert (options.max_polling_interval_s, options.message_limit_bytes) == (60.0, 49_152)


def test_a_wrong_host_json_names_every_wrong_value() -> None:
    queues = {"batchSize": 33, "visibilityTimeout": "30", "messageEncoding": "gzip"}
    with pytest.raises(Misconfigured) as caught:
        read_host_json({"version": "2.0", "extensions": {"queues": queues}})
    for name in queues:
        assert f"extensions.queues.{name}" in str(caught.value)
