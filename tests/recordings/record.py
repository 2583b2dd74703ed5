"""Records programs: runs each with its real packages against the model server, and keeps both logs.

`python -m tests.recordings.record NAME…`, or without names all that have no recording yet.
"""

import base64
import gzip
import shutil
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from pydantic import BaseModel

from tests.loopback import Reply, Request, loopback
from tests.recordings.answers import Answered
from tests.recordings.recorded import FOLDER, Call, Recorded
from tests.recordings.runtimes import RUNTIMES, run
from tests.recordings.server import Server

HOME = Path(__file__).parent.parent.parent / ".cache" / "recordings"
COUNTS = ("model", "input", "output", "cache_read", "cache_write", "reasoning", "status")


class Environment(BaseModel, frozen=True, extra="forbid"):
    """Packages, and what they run on."""

    packages: tuple[str, ...]
    runtime: Literal["python", "node", "java", "go"] = "python"


class Program(BaseModel, frozen=True, extra="forbid"):
    """A program to record.

    instrument: `module:class` of the instrumentations. parts: names of its text's parts.
    calls: number in the log, from 1, or "*" for all → what the spans say beside the log, such as
        an owner, or otherwise. unseen: calls that they do not tell at all.
    """

    environment: str
    parts: tuple[str, ...]
    instrument: tuple[str, ...] = ()
    calls: Mapping[str, Mapping[str, int | str]] = {}
    unseen: tuple[int, ...] = ()


class Programs(BaseModel, frozen=True, extra="forbid"):
    """What the files of programs/ hold together."""

    environments: Mapping[str, Environment]
    parts: Mapping[str, str]
    programs: Mapping[str, Program]

    def text(self, program: Program) -> str:
        """Return the program."""
        first, *rest = (self.parts[part] for part in program.parts)
        named = (name.partition(":") for name in program.instrument)
        lines = (f"import {module}\n{module}.{kind}().instrument()\n" for module, _, kind in named)
        return first + "".join(lines) + "".join(rest)


def programs() -> Programs:
    """Return what there is to record."""
    files = sorted(Path(__file__).with_name("programs").glob("*.toml"))
    read = [tomllib.loads(file.read_text(encoding="utf-8")) for file in files]
    tables = {name: {k: v for one in read for k, v in one[name].items()} for name in read[0]}
    return Programs.model_validate(tables)


def record(name: str, known: Programs) -> Recorded:
    """Run the program and return its recording."""
    program, server, exports = known.programs[name], Server(), list[bytes]()

    def take(request: Request) -> Reply:
        if request.path.endswith("/v1/traces"):
            is_packed = request.headers.get("content-encoding") == "gzip"
            exports.append(gzip.decompress(request.body) if is_packed else request.body)
        return Reply(200, b"", {"Content-Type": "application/x-protobuf"})

    environment = known.environments[program.environment]
    runtime, folder = RUNTIMES[environment.runtime], folder_of(program.environment, environment)
    (folder / runtime.file).write_text(known.text(program), encoding="utf-8")
    with loopback(server.answer) as llm, loopback(take) as box, TemporaryDirectory() as home:
        settings = {
            "LLM_URL": llm.url,
            "OTEL_EXPORTER_OTLP_ENDPOINT": box.url,
            "OTEL_SERVICE_NAME": name,
            "OTEL_RESOURCE_ATTRIBUTES": "team.id=red",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_LOGS_EXPORTER": "none",
            "OTEL_BSP_SCHEDULE_DELAY": "400",
            "HOME": home,
            "GOMODCACHE": str(HOME / "go" / "modules"),
            "GOCACHE": str(HOME / "go" / "builds"),
        }
        run([*runtime.command, runtime.file], folder, settings)
    return Recorded(
        made_with=", ".join(environment.packages),
        calls=tuple(stated_calls(program, server.log)),
        exports=tuple(base64.b64encode(gzip.compress(one, 9, mtime=0)).decode() for one in exports),
    )


def stated_calls(program: Program, log: Sequence[Answered]) -> list[Call]:
    """Return the logged calls, as far as the program's spans tell them."""
    found: list[Call] = []
    for number, answered in enumerate(log, 1):
        counts = {name: getattr(answered, name) for name in COUNTS}
        said = {**program.calls.get("*", {}), **program.calls.get(str(number), {})}
        untold = tuple(name for name in said if name in counts and said[name] != counts[name])
        if number not in program.unseen:
            found.append(Call.model_validate({**counts, **said, "untold": untold}))
    return found


def folder_of(name: str, environment: Environment) -> Path:
    """Return the environment's folder, made at the first use."""
    folder = HOME / name
    note, wanted = folder / "installed.txt", "\n".join(environment.packages)
    if not note.exists() or note.read_text(encoding="utf-8") != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        RUNTIMES[environment.runtime].install(folder, environment.packages)
        note.write_text(wanted, encoding="utf-8")
    return folder


def main(names: Sequence[str]) -> None:
    """Record the programs of those names, or those without a recording."""
    known = programs()
    missing = [name for name in known.programs if not (FOLDER / f"{name}.json").exists()]
    for name in names or missing:
        sys.stdout.write(f"Recording {name} …\n")
        text = record(name, known).model_dump_json(indent=1, exclude_defaults=True)
        (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
