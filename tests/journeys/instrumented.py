"""Agents' programs with real instrumentation packages, each set in an environment of its own."""

import subprocess
import sys
import venv
from collections.abc import Mapping
from pathlib import Path

import pytest

from shared.settings import operator_environment

HOME = Path(__file__).parent.parent.parent / ".cache" / "instrumentations"
INSTALL_LIMIT_S, RUN_LIMIT_S = 600, 120
EXPORTER = "opentelemetry-exporter-otlp-proto-http==1.45.1"
PACKAGES: Mapping[str, tuple[str, ...]] = {
    "openai": (
        "openai==3.54.0",
        "opentelemetry-instrumentation-genai-openai==1.3b0",
        "opentelemetry-instrumentation-openai==0.62.4",
        "openinference-instrumentation-openai==0.1.66",
        "opentelemetry-exporter-otlp-json-http==0.66b1",
    ),
    "distro": (
        "opentelemetry-distro==0.66b1",
        "opentelemetry-instrumentation-genai-openai==1.3b0",
        "openai==3.54.0",
    ),
    "anthropic": ("anthropic==2.12.0",),
    "pydantic-ai": ("pydantic-ai-slim[openai]==2.66.0",),
    "openai-agents": (
        "openai-agents==0.24.0",
        "opentelemetry-instrumentation-openai-agents-v2==0.1.0",
    ),
    "logfire": ("logfire==5.2.0", "openai==3.54.0"),
    "openlit": ("openlit==1.45.0", "openai==2.54.0"),
}
"""Environment → what is installed in it. The instrumentations of OpenAI's client share one."""

EXPORTING = """
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
"""
EXPORTING_JSON = EXPORTING.replace("otlp.proto.http", "otlp.json.http")
OPENAI_CALLS = """
import os
import openai

client = openai.OpenAI(api_key="x", base_url=os.environ["LLM_URL"] + "/v1", max_retries=0)
words = [{"role": "user", "content": "the words of a prompt"}]
usage = {"include_usage": True}
chat = client.chat.completions.create
chat(model="gpt-4o", messages=words)
for _ in chat(model="gpt-4o", messages=words, stream=True, stream_options=usage):
    pass
for _ in chat(model="gpt-4o", messages=words, stream=True):
    pass
client.responses.create(model="gpt-4o", input="the words of a prompt")
for _ in client.responses.create(model="gpt-4o", input="the words of a prompt", stream=True):
    pass
client.embeddings.create(model="text-embedding-3-small", input="the words of a prompt")
try:
    chat(model="refused", messages=words)
except openai.RateLimitError:
    pass
"""
GENAI_OPENAI = """
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor as GenAi
GenAi().instrument()
"""
OPENLLMETRY = """
from opentelemetry.instrumentation.openai import OpenAIInstrumentor as OpenLlmetry
OpenLlmetry().instrument()
"""
OPENINFERENCE = """
from openinference.instrumentation.openai import OpenAIInstrumentor as OpenInference
OpenInference().instrument()
"""
OPENLIT = """
import openlit
openlit.init(disable_metrics=True)
"""
OPENLIT_END = """
from opentelemetry import trace
trace.get_tracer_provider().force_flush()
"""
LOGFIRE = """
import logfire
logfire.configure(send_to_logfire=False, console=False)
logfire.instrument_openai()
"""
LOGFIRE_END = """
logfire.force_flush()
"""
ANTHROPIC = """
import os
import anthropic

client = anthropic.Anthropic(api_key="x", base_url=os.environ["LLM_URL"], max_retries=0)
words = [{"role": "user", "content": "the words of a prompt"}]
asked = {"model": "claude-sonnet-4-5", "max_tokens": 100, "messages": words}
client.messages.create(**asked)
with client.messages.stream(**asked) as stream:
    for _ in stream:
        pass
for _ in client.messages.create(**asked, stream=True):
    pass
"""
PYDANTIC_AI = """
import asyncio
import os
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

Agent.instrument_all()
server = OpenAIProvider(base_url=os.environ["LLM_URL"] + "/v1", api_key="x")
agent = Agent(OpenAIChatModel("gpt-4o", provider=server), name="planner")

async def work():
    await agent.run("the words of a prompt")
    async with agent.run_stream("the words of a prompt") as result:
        async for _ in result.stream_text():
            pass

asyncio.run(work())
"""
OPENAI_AGENTS = """
import asyncio
import os
from agents import Agent, OpenAIResponsesModel, Runner, set_trace_processors
set_trace_processors([])
from openai import AsyncOpenAI
from opentelemetry.instrumentation.openai_agents import OpenAIAgentsInstrumentor

OpenAIAgentsInstrumentor().instrument()

async def work():
    client = AsyncOpenAI(api_key="x", base_url=os.environ["LLM_URL"] + "/v1", max_retries=0)
    agent = Agent(name="planner", model=OpenAIResponsesModel("gpt-4o", client))
    await Runner.run(agent, "the words of a prompt")
    result = Runner.run_streamed(agent, "the words of a prompt")
    async for _ in result.stream_events():
        pass

asyncio.run(work())
"""
END = """
provider.shutdown()
"""


def run(environment: str, program: str, settings: Mapping[str, str]) -> None:
    """Run the program to its end, with the environment's packages and those settings.

    Skips the test where the packages cannot be had.
    """
    finished = subprocess.run(  # noqa: S603 - our own program
        [python(environment), "-W", "ignore", "-c", program],
        env={**operator_environment(), **settings},
        capture_output=True,
        text=True,
        timeout=RUN_LIMIT_S,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr[-2000:]


def python(environment: str) -> Path:
    """Return the interpreter of the environment, made at the first use and kept."""
    folder = HOME / environment
    python = folder / "bin" / "python"
    wanted = "\n".join((*PACKAGES[environment], EXPORTER, sys.version))
    note = folder / "installed.txt"
    if note.exists() and note.read_text(encoding="utf-8") == wanted:
        return python
    venv.create(folder, with_pip=True, clear=True)
    command = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--retries=1"]
    pip = subprocess.run(  # noqa: S603 - our own list of packages
        [*command, EXPORTER, *PACKAGES[environment]],
        capture_output=True,
        text=True,
        timeout=INSTALL_LIMIT_S,
        check=False,
    )
    if pip.returncode:
        reason = (pip.stderr.strip() or "pip said nothing").splitlines()[-1]
        pytest.skip(f"pip cannot install {', '.join(PACKAGES[environment])}: {reason}")
    note.write_text(wanted, encoding="utf-8")
    return python
