"""Newer list prices, fetched from a server on loopback; whatever it does, prices go on."""

import dataclasses
import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any, cast

import genai_prices.data_snapshot
import pytest
from genai_prices.data import providers
from genai_prices.types import ModelPrice

from shared.adapters.config import price_list
from shared.adapters.config.price_list import AFTER_FAILURE, PriceList
from shared.errors import RetryLater
from shared.pricing.listed import Listing
from shared.pricing.overrides import Overrides
from shared.pricing.price import Prices
from tests.fakes import START, FakeClock
from tests.loopback import Behaviour, Loopback, Reply, loopback
from tests.pricing import call

DAY = timedelta(days=1)
LISTED = Decimal("12.5")
DEARER = Decimal(25)
Edit = Callable[[dict[str, Any]], None]


def raw(value: Any) -> Any:
    """Write the package's own data as its published file has it."""
    if isinstance(value, ModelPrice):
        return {name: raw(rate) for name, rate in vars(value).items() if rate is not None}
    if dataclasses.is_dataclass(value):
        fields = ((name.rstrip("_"), part) for name, part in vars(value).items())
        return {n: raw(p) for n, p in fields if p is not None and n != "extractors"}
    if isinstance(value, list):
        return [raw(item) for item in cast(list[Any], value)]
    if isinstance(value, dict):
        return {name: raw(item) for name, item in cast(dict[str, Any], value).items()}
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, date | time) else value


def published(edit: Edit = lambda models: None) -> bytes:
    """Return a file with every model of the package; `edit` gets OpenAI's by their ids."""
    data = raw(providers)
    openai = next(provider for provider in data if provider["id"] == "openai")
    models = {model["id"]: model for model in openai["models"]}
    edit(models)
    openai["models"] = list(models.values())
    return json.dumps(data).encode()


def next_edition(models: dict[str, Any]) -> None:
    models["gpt-4o"]["prices"] = {"input_mtok": "5", "output_mtok": "20"}
    models["gpt-9"] = {
        "id": "gpt-9",
        "match": {"equals": "gpt-9"},
        "prices": {"input_mtok": "1", "output_mtok": "2"},
    }
    del models["gpt-4"]


SAME, NEXT = published(), published(next_edition)


class Site:
    """A price list and the server that it is fetched from; answers are given in turn."""

    def __init__(self, server: Loopback, answers: list[Behaviour]) -> None:
        self.server = server
        self.answers = answers
        self.clock = FakeClock()
        self.prices = PriceList(f"{server.url}/data.json?sig=secret", DAY, self.clock)

    def usd(self, model: str = "gpt-4o") -> Decimal | None:
        return Prices(Overrides(), self.prices()).price(call(model=model), START).usd


@contextmanager
def site(*answers: Behaviour) -> Generator[Site]:
    left = list(answers)
    with loopback(lambda request: left.pop(0)) as server:
        yield Site(server, left)


def test_without_a_url_the_installed_list_counts() -> None:
    prices = PriceList("", DAY, FakeClock())

    assert prices() is prices()
    assert prices.check() == f"{Listing().name}, as installed"


def test_the_file_says_what_the_package_does(caplog: pytest.LogCaptureFixture) -> None:
    with site(Reply(body=SAME)) as found:
        assert found.usd() == LISTED

    assert found.prices().models() == Listing().models()
    assert "no difference" in caplog.text


def test_a_newer_list_counts_and_its_changes_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    with site(Reply(body=NEXT)) as found:
        assert found.usd() == DEARER
        assert found.usd("gpt-9") == 3
        assert found.usd("gpt-4") is None

    assert "1 added (openai/gpt-9); 1 removed (openai/gpt-4)" in caplog.text
    assert "1 with another price (openai/gpt-4o)" in caplog.text


def test_its_date_is_in_the_source_of_every_cost_and_its_age_in_health() -> None:
    with site(Reply(body=NEXT)) as found:
        cost = Prices(Overrides(), found.prices()).price(call(), START)
        found.clock.advance(hours=3)

        assert "list price, genai-prices as of 2026-11-23 12:30 UTC" in cost.source
        assert found.prices.check() == "genai-prices as of 2026-11-23 12:30 UTC, fetched 3.0 h ago"


def test_it_is_fetched_when_due_and_the_same_file_changes_nothing() -> None:
    with site(Reply(body=SAME), Reply(body=SAME), Reply(body=NEXT)) as found:
        first = found.prices()
        found.clock.advance(hours=23)
        assert found.prices() is first
        assert len(found.server.received) == 1

        found.clock.advance(hours=1)
        assert found.prices() is first
        assert found.prices.check().endswith("fetched 0.0 h ago")

        found.clock.advance(days=1)
        assert found.usd() == DEARER
        assert len(found.server.received) == 3


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Reply(500), id="error"),
        pytest.param(Reply(404), id="gone"),
        pytest.param(Reply(302, b"", {"Location": "/elsewhere"}), id="moved"),
        pytest.param("hang up", id="hang up"),
        pytest.param(Reply(body=b"<html>"), id="no json"),
        pytest.param(Reply(body=b'{"a": 1}'), id="no list"),
        pytest.param(Reply(body=b"[]"), id="no models"),
        pytest.param(Reply(body=b"[1, 2]"), id="no providers"),
        pytest.param(Reply(body=NEXT[:-100]), id="cut off"),
        pytest.param(
            Reply(body=NEXT.replace(b'"equals": "gpt-9"', b'"regex": "(gpt-9"')), id="no pattern"
        ),
        pytest.param(
            Reply(body=NEXT.replace(b'"input_mtok": "5"', b'"input_mtok": "x"')), id="no number"
        ),
    ],
)
def test_after_a_failure_the_last_list_goes_on_and_health_says_why(answer: Behaviour) -> None:
    with site(answer, Reply(body=NEXT)) as found:
        assert found.usd() == LISTED
        with pytest.raises(
            RetryLater, match=r"as installed\. No newer list from 127.0.0.1"
        ) as said:
            found.prices.check()
        assert "PRICES_REFRESH_URL" in str(said.value)
        assert "secret" not in str(said.value)
        assert found.usd() == LISTED
        assert len(found.server.received) == 1

        found.clock.advance(seconds=AFTER_FAILURE.total_seconds())
        assert found.usd() == DEARER
        assert "fetched" in found.prices.check()


def test_a_server_that_sends_too_much_or_nothing_holds_no_one_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(price_list, "READ_S", 0.2)
    monkeypatch.setattr(price_list, "MOST_BYTES", 100_000)
    with site("silence", Reply(body=b" " * 120_000)) as found:
        assert found.usd() == LISTED
        found.clock.advance(days=1)
        assert found.usd() == LISTED
        with pytest.raises(RetryLater, match="over 100000 bytes"):
            found.prices.check()


def test_nothing_process_wide_of_the_price_list_is_touched() -> None:
    before = vars(genai_prices.data_snapshot)["_custom_snapshot"]
    with site(Reply(body=NEXT)) as found:
        assert found.usd() == DEARER

    assert vars(genai_prices.data_snapshot)["_custom_snapshot"] is before
    assert Prices(Overrides(), Listing()).price(call(), START).usd == LISTED
