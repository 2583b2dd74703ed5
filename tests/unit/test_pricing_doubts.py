"""What a price leaves open is named: sellers, moving names, fees, kinds of use, cut-off calls."""

from decimal import Decimal

import pytest

from shared.pricing.price import load
from tests.priced import MILLION, cost
from tests.pricing import entry

ENTRIES = entry("price", provider="azure", model="grok-4", input=3, output=15)


@pytest.mark.parametrize(
    ("provider", "model", "missing"),
    [
        pytest.param("openai", "gpt-image-1", "image_input_tokens", id="images to read"),
        pytest.param("google", "gemini-embedding-2", "video_input_tokens", id="video to read"),
        pytest.param("mistral", "voxtral-small-2507", "audio_hours", id="hours of audio"),
        pytest.param("openai", "gpt-realtime", "audio_output_tokens", id="speech, not counted"),
        pytest.param("openai", "gpt-4o-audio-preview", "audio_input_tokens", id="speech, ours"),
        pytest.param("openai", "gpt-4o-search-preview", "web_searches", id="always searches"),
        pytest.param("openai", "o4-mini-deep-research", "web_searches", id="deep research"),
        pytest.param("perplexity", "sonar-pro", "search_context_size", id="fee by context"),
        pytest.param("perplexity", "sonar-deep-research", "citation_tokens", id="citations"),
        pytest.param("vertex_ai", "claude-opus-4-5@20251101", "region", id="region of vertex"),
        pytest.param("aws", "anthropic.claude-opus-4-5-20251101-v1:0", "region", id="bedrock"),
        pytest.param("openrouter", "deepseek/deepseek-v3.2", "route", id="route of a reseller"),
        pytest.param("unknown", "gpt-4o", "provider", id="seller guessed from the model"),
    ],
)
def test_what_no_count_says_is_named(provider: str, model: str, missing: str) -> None:
    found = cost(provider=provider, model=model, input_tokens=1000, output_tokens=100)

    assert found.status == "estimated"
    assert missing in found.missing


@pytest.mark.parametrize(
    ("given", "usd"),
    [
        pytest.param(
            {"model": "gpt-4o-search-preview", "input_tokens": 1000, "web_searches": 1},
            "0.0275",
            id="search counted",
        ),
        pytest.param(
            {"model": "gpt-4o-transcribe", "input_tokens": MILLION, "audio_input_tokens": MILLION},
            "2.5",
            id="audio of a transcribing model",
        ),
        pytest.param(
            {
                "model": "gpt-realtime",
                "input_tokens": 1000,
                "output_tokens": 100,
                "audio_input_tokens": 0,
                "audio_output_tokens": 0,
            },
            "0.0056",
            id="speech counted",
        ),
        pytest.param(
            {
                "provider": "google",
                "model": "gemini-2.5-pro",
                "input_tokens": 1000,
                "web_searches": 1,
            },
            "0.03625",
            id="one search by prompt",
        ),
        pytest.param(
            {"provider": "aws", "model": "global.anthropic.claude-haiku-4-5-20251001-v1:0"},
            "6",
            id="a profile tells the region",
        ),
    ],
)
def test_what_is_counted_is_in_no_doubt(given: dict[str, object], usd: str) -> None:
    found = cost(**given)

    assert (found.usd, found.missing) == (Decimal(usd), ())


def test_searches_paid_by_the_prompt_are_doubted_from_two_on() -> None:
    gemini = {"provider": "google", "model": "gemini-2.5-pro", "input_tokens": 1000}

    assert cost(**gemini, web_searches=2).missing == ("search_prompts",)
    assert cost(**gemini, web_searches=2, count=2).missing == ()


def test_a_price_of_your_own_ends_a_doubt() -> None:
    doubt = entry("doubt", provider="perplexity", model="sonar*", part="search_context_size")
    settled = doubt + 'unless = ["request"]\n'
    own = entry("price", provider="perplexity", model="sonar-pro", request=6)

    assert cost(load(settled), provider="perplexity", model="sonar-pro").missing != ()
    assert cost(load(settled + own), provider="perplexity", model="sonar-pro").missing == ()


@pytest.mark.parametrize(
    ("tokens", "status", "missing"),
    [
        pytest.param(1_000_000, "known", (), id="as many as any window holds"),
        pytest.param(1_000_001, "estimated", ("input_tokens",), id="above the window"),
        pytest.param(10_000_001, "unknown", ("input_tokens",), id="far above it"),
        pytest.param(10**12, "unknown", ("input_tokens",), id="two and a half million dollars"),
    ],
)
def test_counts_are_bound_by_the_context_window(
    tokens: int, status: str, missing: tuple[str, ...]
) -> None:
    found = cost(input_tokens=tokens, output_tokens=1)

    assert (found.status, found.missing) == (status, missing)
    assert (found.usd is None) == (status == "unknown")


def test_a_wide_window_and_many_calls_hold_more() -> None:
    assert cost(provider="x-ai", model="grok-4-fast", input_tokens=2_000_000).status == "known"
    assert cost(input_tokens=5_000_000, output_tokens=1, count=5).status == "known"


@pytest.mark.parametrize(
    ("status", "error_type"),
    [
        *((status, None) for status in ("499", "408", "504", "524", "timeout", "Timed_Out")),
        *((status, None) for status in ("cancelled", "aborted", "client_disconnected")),
        ("error", "asyncio.exceptions.CancelledError"),
        ("error", "openai.APITimeoutError"),
        ("error", "DEADLINE_EXCEEDED"),
        ("error", "AbortError"),
        ("error", "httpx.RemoteProtocolError"),
    ],
)
def test_a_call_that_was_given_up_may_be_billed(status: str, error_type: str | None) -> None:
    unstated = cost(usage=None, status=status, error_type=error_type)
    given_up = cost(status=status, error_type=error_type)

    assert (unstated.usd, unstated.status, unstated.missing) == (None, "unknown", ("usage",))
    assert (given_up.usd, given_up.status, given_up.missing) == (
        cost().usd,
        "estimated",
        ("output_tokens",),
    )


@pytest.mark.parametrize(
    ("status", "error_type"),
    [("error", "ConnectTimeout"), ("error", "RateLimitError"), ("429", None), ("401", None)],
)
def test_a_call_that_was_refused_is_not_billed(status: str, error_type: str | None) -> None:
    found = cost(usage=None, status=status, error_type=error_type)

    assert (found.usd, found.status) == (0, "estimated")


def test_a_failed_call_that_was_answered_may_be_billed() -> None:
    assert cost(usage=None, status="error", response_id="resp_1").status == "unknown"


def test_the_senders_doubts_reach_the_cost() -> None:
    found = cost(doubts=["total_tokens"])

    assert (found.usd, found.status, found.missing) == (cost().usd, "estimated", ("total_tokens",))
    assert cost(usage=None, doubts=["input_tokens"]).missing == ("input_tokens", "usage")


@pytest.mark.parametrize(
    ("stated", "status"),
    [("12.5", "known"), ("12.4", "known"), ("12.0", "estimated"), ("25", "estimated")],
)
def test_another_stated_cost_is_a_doubt(stated: str, status: str) -> None:
    found = cost(cost_usd=stated)

    assert (found.usd, found.status) == (Decimal("12.5"), status)


def test_reserved_capacity_has_no_doubts() -> None:
    text = entry("deployment", name="chat", model="grok-4", sku="provisioned")
    found = cost(load(text), provider="azure", model="chat", status="timeout", input_tokens=10**9)

    assert (found.usd, found.status) == (0, "overridden")


@pytest.mark.parametrize(
    "text",
    [
        entry("doubt", provider="openai", model="x", part="a", where="nothing"),
        entry("doubt", provider="openai", model="x", part="a") + 'unless = ["nothing"]\n',
        entry("alias", provider="openai", name="x-latest"),
        entry("fee", provider="azure", model="x"),
    ],
)
def test_a_wrong_entry_is_named(text: str) -> None:
    with pytest.raises(Exception, match=r"line \d+, \[\["):
        load(text)
