"""When two events are one model call."""

import pytest

from shared.events.envelope import judge
from shared.events.identity import response_key
from tests.factories import event
from tests.fakes import START

LONG = "chatcmpl-D3x9Yb1kq8Wm2TzR5uVn7JcLpQ0sA"
SHORT = "resp-1"


def key(provider: str, response_id: str | None) -> str | None:
    (found,), refused = judge([event(provider=provider, response_id=response_id)], START)
    assert not refused
    return response_key(found)


@pytest.mark.parametrize(
    "provider", ["OpenAI", " openai ", "azure", "azure.ai.openai", "AzureOpenAI", "azure_openai"]
)
@pytest.mark.parametrize("response_id", [LONG, SHORT])
def test_spellings_of_a_provider_and_openai_on_azure_are_one(
    provider: str, response_id: str
) -> None:
    assert key(provider, response_id) == key("openai", response_id)


@pytest.mark.parametrize("provider", ["groq", "litellm", "aws.bedrock", "nobody-knows-this"])
def test_a_long_id_is_one_call_the_one_who_answered(provider: str) -> None:
    assert key(provider, LONG) == key("openai", LONG)
    assert key(provider, SHORT) != key("openai", SHORT)


def test_other_ids_are_other_calls() -> None:
    assert key("openai", LONG) != key("openai", LONG[:-1] + "B")
    assert key("openai", SHORT) != key("openai", "resp-2")


def test_without_an_id_that_says_calls_apart_there_is_no_key() -> None:
    assert key("openai", None) is None
    assert key("Ollama", "chatcmpl-543") is None
