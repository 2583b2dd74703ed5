"""The lines that README and docs print for agents, run as they are printed."""

import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from shared.clock import SystemClock
from shared.settings import operator_environment
from tests import npm
from tests.fakes import FakeClock
from tests.journeys import instrumented
from tests.journeys.laptop import Laptop, laptop
from tests.loopback import loopback
from tests.printed import blocks, exported
from tests.recordings.record import folder_of, programs
from tests.recordings.server import Server

pytestmark = [
    pytest.mark.instrumentations,
    pytest.mark.timeout(900),
    pytest.mark.xdist_group("instrumentations"),
]
DOCS = "docs/opentelemetry.md"
AGENT_PY = """
import openai
words = [{"role": "user", "content": "How is the weather?"}]
openai.OpenAI().chat.completions.create(model="gpt-4o", messages=words)
"""
AGENT_OPENAI = """
import OpenAI from "openai";
const messages = [{ role: "user", content: "How is the weather?" }];
await new OpenAI().chat.completions.create({ model: "gpt-4o", messages });
"""
AGENT_VERCEL = """
import { streamText } from "ai";
import { openai } from "@ai-sdk/openai";
for await (const _ of streamText({ model: openai("gpt-4o"), prompt: "How?" }).textStream);
"""
FIRST_CALL = ["gpt-4o", 1231, 87, 0.0026675, "known"]
"""What the model server's first call uses: 207 new tokens, 1,024 cached, 87 out."""


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    with laptop(tmp_path_factory.mktemp("laptop"), FakeClock(SystemClock().now())) as running:
        yield running


def run(line: str, folder: Path, box: Laptop, **more: str) -> None:
    """Type a line into a shell with the README's variables, in the folder."""
    with loopback(Server().answer) as llm:
        key, url = box.stack.places.key(), box.stack.app_url
        variables = {
            name: value.replace("$KEY", key).replace("http://127.0.0.1:7071", url)
            for name, value in exported("README.md").items()
        }
        agents = {"OPENAI_API_KEY": "x", "OPENAI_BASE_URL": f"{llm.url}/v1"}
        agents |= {"OTEL_EXPORTER_OTLP_TIMEOUT": "60000"}  # under load, ten seconds are too short
        environment = {**operator_environment(), **variables, **agents, **more}
        subprocess.run(["bash", "-ec", line], cwd=folder, env=environment, check=True, timeout=600)  # noqa: S603, S607  # our own README
    box.stack.host.drain()


def called(box: Laptop, service: str) -> list[list[Any]]:
    kql = f'UsageEvents | where Source == "{service}" and Name == "llm.call"'
    return box.query(f"{kql} | project Model, InputTokens, OutputTokens, CostUsd, CostStatus")


def installed(line: str) -> set[str]:
    """Return the packages that a line installs."""
    return set(line.split()[2:])


def names(packages: Mapping[str, object] | tuple[str, ...]) -> set[str]:
    return {re.split(r"==|(?<!^)@", one)[0] for one in packages}


def printed(page: str, having: str) -> list[str]:
    """Return the lines of the page's block of shell commands."""
    (block,) = blocks(page, "sh", having)
    return block.splitlines()


@pytest.mark.parametrize("page", ["README.md", DOCS])
def test_printed_lines_for_python(box: Laptop, tmp_path: Path, page: str) -> None:
    install, line = printed(page, "pip install openai")
    assert installed(install) <= names((*instrumented.PACKAGES["distro"], instrumented.EXPORTER))
    python = instrumented.python("distro")
    (tmp_path / "agent.py").write_text(AGENT_PY, encoding="utf-8")
    path = f"{python.parent}:{operator_environment()['PATH']}"
    run(line, tmp_path, box, PATH=path, OTEL_SERVICE_NAME=f"python-{page}")
    assert called(box, f"python-{page}") == [FIRST_CALL]


@pytest.mark.parametrize(
    ("environment", "page", "package", "agent"),
    [
        ("node-openai", "README.md", "openai", AGENT_OPENAI),
        ("node-openai", DOCS, "openai", AGENT_OPENAI),
        ("vercel", DOCS, "ai", AGENT_VERCEL),
    ],
)
def test_printed_lines_for_javascript(
    box: Laptop, environment: str, page: str, package: str, agent: str
) -> None:
    npm.paths()
    install, line = printed(page, f"npm install {package} ")
    known = programs().environments[environment]
    assert installed(install) <= names(known.packages)
    folder = folder_of(environment, known)
    (telemetry,) = blocks(DOCS, "js", f'from "{package}"')
    (folder / "telemetry.mjs").write_text(telemetry, encoding="utf-8")
    (folder / "agent.mjs").write_text(agent, encoding="utf-8")
    run(line, folder, box, OTEL_SERVICE_NAME=f"{environment}-{page}")
    assert called(box, f"{environment}-{page}") == [FIRST_CALL]
