"""What the entries of config/prices.toml do to the price of a call, and when."""

from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache

import pytest

from shared.events.types import LlmCall
from shared.pricing.cost import Cost
from shared.pricing.price import load
from tests.pricing import GPT_4O, entry, starting

JUNE = datetime(2026, 6, 15, 12, tzinfo=UTC)

loaded = cache(load)
"""One book prices many days, as it does in a process that runs for weeks."""


def price(book: str, at: datetime = JUNE, /, **given: object) -> Cost:
    """What a million tokens each way cost on azure's gpt-4o, but for what is given."""
    usage = {"input_tokens": 1_000_000, "output_tokens": 1_000_000}
    standard = {"provider": "azure", "model": "gpt-4o", "status": "success", "usage": usage}
    return loaded(book).price(LlmCall.model_validate(standard | given), at)


def test_an_override_replaces_the_rates_that_it_names() -> None:
    found = price(entry("price", **GPT_4O, input=2.25))

    assert (found.usd, found.status) == (Decimal("12.25"), "overridden")
    assert "a note" in found.source


def test_an_override_counts_under_every_spelling_of_its_subject() -> None:
    book = entry("price", provider="azure_openai", model="GPT-4o", input=1, output=1)

    assert price(book, provider="azure.ai.openai", model="azure/gpt-4o").usd == 2
    assert price(book, model="mine", response_model="gpt-4o-2024-08-06").usd == 2
    assert price(book, provider="openai").status == "known"


def test_an_override_of_one_dated_name_leaves_the_others() -> None:
    book = entry("price", provider="azure", model="gpt-4o-2024-08-06", input=1, output=1)

    assert price(book, model="gpt-4o-2024-08-06").usd == 2
    assert price(book, model="gpt-4o-2024-11-20").status == "known"


def test_an_override_of_the_requested_name_wins_over_the_list_s_price_of_the_served() -> None:
    book = entry("price", provider="azure", model="our-tuned", input=1, output=1)

    assert price(book, model="our-tuned", response_model="gpt-4o-2024-08-06").usd == 2


def test_an_override_gives_a_price_to_a_model_that_no_one_lists() -> None:
    book = entry("price", provider="vllm", model="our-llama", input=0.1, output=0.3)

    found = price(book, provider="vLLM", model="our-llama")

    assert (found.usd, found.status) == (Decimal("0.4"), "overridden")


def test_what_an_override_leaves_out_and_the_list_too_is_named() -> None:
    book = entry("price", provider="vllm", model="our-llama", input=1, output=1)
    usage = {"input_tokens": 1_000_000, "cache_read_tokens": 500_000}

    found = price(book, provider="vllm", model="our-llama", usage=usage)

    assert (found.usd, found.status) == (1, "estimated")
    assert found.missing == ("cache_read_tokens",)


def test_what_the_operator_gives_away_is_free_and_not_unknown() -> None:
    book = entry("price", provider="vllm", model="our-llama", input=0, output=0)

    found = price(book, provider="vllm", model="our-llama")

    assert (found.usd, found.status) == (0, "overridden")


def test_an_override_holds_from_its_day_until_the_next_begins() -> None:
    book = entry("price", **GPT_4O, input=1, output=1)
    book += entry("price", **GPT_4O, **starting(date(2026, 6, 1)), input=2, output=2)

    def at(*moment: int) -> Cost:
        return price(book, datetime(*moment, tzinfo=UTC))

    assert at(2025, 12, 31, 23, 59, 59).status == "known"
    assert at(2026, 1, 1).usd == 2
    assert at(2026, 5, 31, 23, 59, 59).usd == 2
    assert at(2026, 6, 1).usd == 4


def test_an_override_with_an_end_gives_way_to_what_held_before() -> None:
    book = entry("price", **GPT_4O, input=2, output=2)
    sale = {**starting(date(2026, 6, 1)), "to": date(2026, 7, 1)}
    book += entry("price", **GPT_4O, **sale, input=1, output=1)

    assert price(book).usd == 2
    assert price(book, datetime(2026, 7, 1, tzinfo=UTC)).usd == 4


def test_an_override_for_long_calls_is_judged_by_one_call() -> None:
    book = entry("price", **GPT_4O, input=1, output=1)
    book += entry("price", **GPT_4O, over_input_tokens=200_000, input=3)
    usage = {"input_tokens": 400_000}

    assert price(book, usage=usage, count=2).usd == Decimal("0.4")
    assert price(book, usage=usage).usd == Decimal("1.2")


def test_an_override_for_a_tier_leaves_the_others() -> None:
    book = entry("price", **GPT_4O, service_tier="Batch", input=1, output=4)

    assert price(book, service_tier="batch").usd == 5
    assert price(book).status == "known"
    assert price(book, service_tier="flex").missing == ("service_tier",)


@pytest.mark.parametrize(
    ("sku", "expected"),
    [
        ("global", "12.5"),
        ("GlobalStandard", "12.5"),
        ("data-zone", "13.75"),
        ("DataZoneStandard", "13.75"),
        ("regional", "13.75"),
        ("Standard", "13.75"),
        ("global-batch", "6.25"),
        ("DataZoneBatch", "6.875"),
    ],
)
def test_a_deployment_costs_what_its_sku_does(sku: str, expected: str) -> None:
    found = price(entry("deployment", name="chat", model="gpt-4o", sku=sku), model="chat")

    assert (found.usd, found.status) == (Decimal(expected), "known")
    assert "deployment chat" in found.source


def test_the_sku_s_factor_spares_what_is_no_token() -> None:
    usage = {"input_tokens": 1_000_000, "web_searches": 100}
    book = entry("deployment", name="chat", model="gpt-4o", sku="data-zone")

    assert price(book, model="chat", usage=usage).usd == Decimal("3.75")


def test_the_sku_s_factor_is_dated_and_may_be_changed() -> None:
    book = entry("deployment", name="chat", model="gpt-4o", sku="data-zone")
    book += entry("sku", name="data-zone", factor=1.2, **starting(date(2026, 6, 1)))

    assert price(book, datetime(2026, 5, 31, tzinfo=UTC), model="chat").usd == Decimal("13.75")
    assert price(book, model="chat").usd == 15


def test_a_sku_of_one_s_own_holds_before_its_first_day() -> None:
    """A deployment may be older than the entry for what it is billed by."""
    book = entry("deployment", name="chat", model="gpt-4o", sku="partner")
    book += entry("sku", name="partner", factor=0.5, **starting(date(2026, 9, 1)))

    assert price(book, model="chat").usd == Decimal("6.25")


def test_tokens_of_provisioned_capacity_cost_nothing_and_the_source_says_why() -> None:
    book = entry("deployment", name="chat", model="gpt-4o", sku="provisioned")

    used, silent = price(book, model="chat"), price(book, model="chat", usage=None)

    assert (used.usd, used.status) == (0, "overridden")
    assert (silent.usd, silent.status) == (0, "overridden")
    assert "provisioned" in used.source


def test_a_batch_deployment_answers_for_the_batch_tier() -> None:
    book = entry("deployment", name="chat", model="gpt-4o", sku="global-batch")

    assert price(book, model="chat", service_tier="batch").status == "known"
    assert price(book, model="chat", service_tier="priority").status == "estimated"


def test_the_deployment_map_wins_over_what_the_call_says() -> None:
    book = entry("deployment", name="Chat", model="gpt-4o-mini")

    found = price(book, deployment="chat", model="gpt-4o", response_model="gpt-4")

    assert found.usd == Decimal("0.75")


@pytest.mark.parametrize(
    ("book", "given"),
    [
        pytest.param(
            entry("price", **GPT_4O, **starting(date(2026, 6, 1)), input=1, output=1),
            {"model": "gpt-4o-2024-08-06"},
            id="the list's name of the model",
        ),
        pytest.param(
            entry("price", deployment="chat", **starting(date(2026, 6, 1)), input=1, output=1),
            {"deployment": "chat"},
            id="the deployment",
        ),
        pytest.param(
            entry("deployment", name="chat", provider="vllm", model="llama")
            + entry("price", provider="vllm", model="llama", input=9, output=9)
            + entry(
                "price",
                provider="vllm",
                model="llama",
                **starting(date(2026, 6, 1)),
                input=1,
                output=1,
            ),
            {"deployment": "chat"},
            id="what the deployment runs",
        ),
    ],
)
def test_an_entry_counts_from_its_day_in_a_process_that_priced_before(
    book: str, given: dict[str, object]
) -> None:
    before = price(book, datetime(2026, 5, 31, 23, 59, tzinfo=UTC), **given)

    assert before.usd != 2
    assert price(book, datetime(2026, 6, 1, tzinfo=UTC), **given).usd == 2


def test_a_deployment_may_change_its_model() -> None:
    book = entry("deployment", name="chat", model="gpt-4")
    book += entry("deployment", name="chat", model="gpt-4o", **starting(date(2026, 6, 1)))

    assert price(book, datetime(2026, 5, 31, tzinfo=UTC), model="chat").usd == 90
    assert price(book, model="chat").usd == Decimal("12.5")


def test_a_deployment_s_own_price_is_final() -> None:
    book = entry("deployment", name="chat", model="gpt-4o", sku="data-zone")
    book += entry("price", deployment="chat", input=1, output=1)

    assert price(book, model="chat").usd == 2


def test_an_override_of_the_model_is_multiplied_by_the_sku() -> None:
    book = entry("deployment", name="chat", model="gpt-4o", sku="data-zone")
    book += entry("price", **GPT_4O, input=1, output=1)

    found = price(book, model="chat")

    assert (found.usd, found.status) == (Decimal("2.2"), "overridden")
    assert "1.1" in found.source


def test_a_correction_takes_the_place_of_the_wrong_entry() -> None:
    book = entry("price", **GPT_4O, input=1, output=1, to=date(2026, 9, 1))
    book += entry("price", **GPT_4O, input=2, output=2, to=date(2026, 6, 1), corrects=True)
    book += entry("price", **GPT_4O, **starting(date(2026, 6, 1)), input=3, output=3)

    assert price(book, datetime(2026, 5, 31, tzinfo=UTC)).usd == 4
    assert price(book).usd == 6
