"""config/prices.toml: what it may say, and that what was released stays as it was."""

import re
from datetime import date
from pathlib import Path

import pytest

from shared.errors import Misconfigured
from shared.pricing.lock import lock_of, rewritten, unreleased
from shared.pricing.price import load
from tests.pricing import GPT_4O, entry, starting

SHIPPED = Path(__file__).parents[2] / "config" / "prices.toml"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("\n[[price]\n", "line 2", id="no toml"),
        pytest.param("prices = []", "line 1, prices is not known", id="unknown table"),
        pytest.param(entry("price", **GPT_4O), "at least one rate", id="no rate"),
        pytest.param(entry("price", provider="azure", input=1), "`model`", id="no model"),
        pytest.param(entry("price", **GPT_4O, deployment="x", input=1), "alone", id="two subjects"),
        pytest.param(entry("price", input=1), "`deployment`", id="no subject"),
        pytest.param(entry("price", **GPT_4O, input=-1), "input", id="negative"),
        pytest.param(entry("price", **GPT_4O, input="cheap"), "input", id="no number"),
        pytest.param(entry("price", **GPT_4O, input=1, inptu=1), "inptu", id="unknown field"),
        pytest.param(entry("price", **GPT_4O, input=1, source=""), "source", id="no source"),
        pytest.param(
            entry("price", **GPT_4O, input=1, to=date(2026, 1, 1)), "later day", id="ends first"
        ),
        pytest.param(entry("price", **GPT_4O, input=1) * 2, "overlaps", id="same day"),
        pytest.param(
            entry("price", **GPT_4O, input=1, to=date(2026, 8, 1))
            + entry("price", **GPT_4O, input=1, **starting(date(2026, 7, 31))),
            "both hold on 2026-07-31",
            id="begins before the other's end",
        ),
        pytest.param(
            entry("price", **GPT_4O, input=1, corrects=True), "corrects no", id="corrects nothing"
        ),
        pytest.param(entry("deployment", name="x", model="m", sku="cheap"), "cheap", id="sku"),
        pytest.param(entry("sku", name="x"), "factor", id="no factor"),
        pytest.param('trusted_providers = "all"', "trusted_providers", id="no list"),
        pytest.param("price = 3", "[[price]] 1", id="no table"),
    ],
)
def test_a_wrong_book_is_refused_with_the_place_and_the_remedy(text: str, said: str) -> None:
    with pytest.raises(Misconfigured) as refusal:
        load(text)

    assert said in str(refusal.value)
    assert "docs/prices.md" in str(refusal.value)


def test_every_problem_of_a_book_is_reported_at_once_with_its_line() -> None:
    book = entry("price", **GPT_4O) + entry("price", deployment="x", input=-1)

    with pytest.raises(
        Misconfigured, match=r"line 1, \[\[price\]\] 1.*line 11, \[\[price\]\] 2: input"
    ):
        load(book)


RELEASED = (
    "trusted_providers = []\n"
    + entry("price", **GPT_4O, input=1)
    + entry("price", **GPT_4O, **starting(date(2026, 6, 1)), input=2)
    + entry("deployment", name="chat", model="gpt-4o")
)


def test_appending_and_commenting_rewrites_no_history() -> None:
    appended = RELEASED + "# why\n" + entry("price", **GPT_4O, input=3, corrects=True)

    assert rewritten(lock_of(RELEASED), appended) == []
    assert rewritten(lock_of(RELEASED), RELEASED.replace("[]", '["openrouter"]')) == []
    assert rewritten("", RELEASED) == []
    assert unreleased(lock_of(RELEASED), appended) == 1
    assert lock_of(appended) != lock_of(RELEASED)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        pytest.param(
            ("input = 1", "input = 1.5"), "[[price]] 1 azure/gpt-4o from 2026-01-01", id="a rate"
        ),
        pytest.param(
            ("source", "to = 2026-09-01\nsource"),
            "[[price]] 1 azure/gpt-4o from 2026-01-01",
            id="an end",
        ),
        pytest.param(
            (entry("price", **GPT_4O, input=1), ""),
            "[[price]] 1 azure/gpt-4o from 2026-01-01",
            id="an entry dropped",
        ),
        pytest.param(
            (
                entry("price", **GPT_4O, input=1),
                entry("price", **GPT_4O, **starting(date(2026, 6, 1)), input=2),
            ),
            "[[price]] 1 azure/gpt-4o from 2026-01-01",
            id="an entry moved",
        ),
        pytest.param(('"chat"', '"talk"'), "[[deployment]] 1 gpt-4o/chat", id="a deployment"),
    ],
)
def test_an_edit_of_a_released_entry_is_reported(change: tuple[str, str], place: str) -> None:
    problems = rewritten(lock_of(RELEASED), RELEASED.replace(*change, 1))

    assert any(place in problem and "append" in problem for problem in problems)


def test_the_shipped_book_is_valid_and_trusts_no_one() -> None:
    text = SHIPPED.read_text()

    assert load(text)
    assert "\ntrusted_providers = []\n" in text


def test_every_entry_of_the_shipped_book_is_released_and_as_it_was() -> None:
    assert SHIPPED.with_suffix(".lock").read_text() == lock_of(SHIPPED.read_text()), (
        "Append to config/prices.toml, edit nothing; then `bin/ops check --release`."
    )


def test_the_examples_in_the_shipped_book_are_valid() -> None:
    top, _ = SHIPPED.read_text().split("# --- Released entries")
    lines = [line.removeprefix("# ") for line in top.splitlines()]

    examples = "\n".join(line for line in lines if re.match(r"\[\[|\w+ = ", line))

    assert load(examples)
    assert examples.count("[[") == 4
