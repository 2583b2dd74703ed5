"""An agent that asks OpenAI question after question, and reports what that takes.

pip install agentmeter-client openai, then set AGENTMETER_ENDPOINT, AGENTMETER_KEY, OPENAI_API_KEY.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from agentmeter_client import Meter

MODEL = "gpt-4o-mini"


def answer(client: Any, meter: Meter, question: str) -> str:
    """Ask once; usage is read from the response."""
    with meter.llm_call("openai", MODEL) as call:
        response = call.read(
            client.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": question}]
            )
        )
    return response.choices[0].message.content


def streamed(client: Any, meter: Meter, question: str) -> Iterator[str]:
    """Ask once and yield the answer in pieces; OpenAI sends usage only if asked to."""
    with meter.llm_call("openai", MODEL) as call:
        chunks = client.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": question}],
            stream=True,
            stream_options={"include_usage": True},
        )
        for chunk in call.stream(chunks):
            if chunk.choices:
                yield chunk.choices[0].delta.content or ""


def work(client: Any, meter: Meter, questions: Iterable[str]) -> list[str]:
    """Answer every question as one mission; what fails is counted, and the next one is asked."""
    answers: list[str] = []
    with meter.mission(team_id="research"), meter.agent_operation("researcher", "answer"):
        for question in questions:
            try:
                answers.append(answer(client, meter, question))
            except OSError as exc:
                meter.error("researcher", exc)
        answers.append("".join(streamed(client, meter, "What did we learn?")))
    return answers


def main() -> None:
    """Ask two questions."""
    from openai import OpenAI

    with Meter() as meter:
        work(OpenAI(), meter, ["What is a token?", "What does one cost?"])


if __name__ == "__main__":
    main()
