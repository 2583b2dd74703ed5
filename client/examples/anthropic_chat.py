"""An agent on Anthropic's SDK: a plain call, a stream of events, and the SDK's stream helper.

pip install agentmeter-client anthropic, then set AGENTMETER_ENDPOINT, AGENTMETER_KEY,
ANTHROPIC_API_KEY. Cached tokens are in the totals: Anthropic's own count leaves them out.
"""

from __future__ import annotations

from typing import Any

from agentmeter_client import Meter

MODEL = "claude-sonnet-4-5"


def ask(client: Any, meter: Meter, text: str) -> str:
    """Wait for the whole answer."""
    with meter.llm_call("anthropic", MODEL) as call:
        message = call.read(client.messages.create(**_request(text)))
    return "".join(part.text for part in message.content)


def ask_events(client: Any, meter: Meter, text: str) -> str:
    """Take the answer as a stream of events."""
    pieces: list[str] = []
    with meter.llm_call("anthropic", MODEL) as call:
        for event in call.stream(client.messages.create(**_request(text), stream=True)):
            if event.type == "content_block_delta":
                pieces.append(event.delta.text)
    return "".join(pieces)


def ask_stream(client: Any, meter: Meter, text: str) -> str:
    """Take the answer through the SDK's helper, whose last message has the usage."""
    with (
        meter.llm_call("anthropic", MODEL) as call,
        client.messages.stream(**_request(text)) as stream,
    ):
        pieces = list(stream.text_stream)
        call.read(stream.get_final_message())
    return "".join(pieces)


def _request(text: str) -> dict[str, Any]:
    return {
        "model": MODEL,
        "max_tokens": 1024,
        "messages": [{"role": "user", "content": text}],
    }


def main() -> None:
    """Ask in three ways."""
    from anthropic import Anthropic

    with Meter() as meter, meter.attribution(team_id="writing", conversation_id="example"):
        for way in (ask, ask_events, ask_stream):
            way(Anthropic(), meter, "Say hello.")


if __name__ == "__main__":
    main()
