"""A price book goes on by its last right edition, and says what is wrong with the file."""

import logging
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from shared.adapters.config.price_book import LOOK_EVERY, PriceBook
from shared.errors import Misconfigured, RetryLater
from shared.metrics.prometheus import TEXT
from shared.pricing.listed import Listing
from shared.storage.memory import MemoryDatabase
from shared.storage.sqlite import connect
from shared.storage.stores import stores_of
from shared.storage.texts import RowTexts
from shared.usecases.explaining.report import Report
from tests.fakes import START, FakeClock
from tests.pricing import GPT_4O, call, entry

LISTED = Decimal("12.5")
OWN = Decimal(3)
RIGHT = entry("price", **GPT_4O, input=1, output=2)
WRONG = entry("price", **GPT_4O, input=-1)
THE_LIST = Listing()


class NoStorage:
    """Answers nothing."""

    def read(self, name: str) -> str | None:
        raise RetryLater("no answer")

    def write(self, name: str, text: str) -> None:
        raise RetryLater("no answer")


class Shop:
    """A prices.toml, a storage and a clock; a process is a new book over them."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "prices.toml"
        self.clock = FakeClock()
        self.texts = RowTexts(connect(folder / "state.db").table("texts"))

    def release(self, text: str) -> None:
        self.file.write_text(text)
        self.clock.advance(seconds=LOOK_EVERY.total_seconds())

    def start(self, listing: Callable[[], Listing] = lambda: THE_LIST) -> PriceBook:
        return PriceBook(self.file, self.texts, self.clock, listing)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = Shop(tmp_path)
    made.release(RIGHT)
    return made


def price(book: PriceBook) -> Decimal | None:
    return book.price(call(provider="azure"), START).usd


def test_a_changed_file_counts_after_some_seconds(shop: Shop) -> None:
    book = shop.start()
    assert price(book) == OWN

    shop.file.write_text("")
    assert price(book) == OWN

    shop.clock.advance(seconds=LOOK_EVERY.total_seconds())
    assert price(book) == LISTED


def test_what_was_in_force_goes_on_when_the_file_becomes_wrong(shop: Shop) -> None:
    book = shop.start()
    assert price(book) == OWN

    shop.release(WRONG)

    assert price(book) == OWN
    with pytest.raises(Misconfigured, match=r"line 6, \[\[price\]\] 1.*what was in force goes on"):
        book.check()
    shop.release(RIGHT + "# mended")
    assert book.check().startswith("1 own prices over genai-prices")


def test_a_new_process_with_a_wrong_file_goes_on_by_the_last_right_one(shop: Shop) -> None:
    shop.start().check()
    shop.release(WRONG)

    book = shop.start()

    assert price(book) == OWN
    with pytest.raises(Misconfigured, match="its last known good edition goes on"):
        book.check()


@pytest.mark.parametrize("text", [WRONG, "\xff is no TOML", None])
def test_without_any_right_edition_the_list_prices(tmp_path: Path, text: str | None) -> None:
    shop = Shop(tmp_path)
    if text:
        shop.release(text)

    book = shop.start()

    assert price(book) == LISTED
    with pytest.raises(Misconfigured, match="priced by the list alone"):
        book.check()


def test_pricing_needs_no_storage(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    book = PriceBook(shop.file, NoStorage(), shop.clock, lambda: THE_LIST)
    assert price(book) == OWN
    assert "was not kept" in caplog.text

    shop.release(WRONG)
    later = PriceBook(shop.file, NoStorage(), shop.clock, lambda: THE_LIST)
    assert price(later) == LISTED


def test_a_wrong_file_is_logged_once(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    shop.release(WRONG)
    book = shop.start()

    for _ in range(3):
        price(book)
        shop.clock.advance(minutes=1)

    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_another_list_counts_from_the_next_look(shop: Shop) -> None:
    listings = [THE_LIST]
    book = shop.start(lambda: listings[-1])
    assert book.check().endswith(THE_LIST.name)

    listings.append(Listing([], "an empty list"))
    shop.clock.advance(seconds=LOOK_EVERY.total_seconds())

    assert price(book) == OWN
    assert book.price(call(), START).status == "unknown"
    assert book.check().endswith("an empty list")


def test_health_and_a_metric_name_the_wrong_file(shop: Shop) -> None:
    shop.release(WRONG)
    config = {"rules": lambda: "nine rules", "prices.toml": shop.start().check}
    kept = stores_of(MemoryDatabase())
    report = Report(kept.series, kept.alerts, kept.set_aside, lambda: (), config, START)

    checks = {check.name: check for check in report.health(START)}

    assert checks["rules"].ok
    assert not checks["prices.toml"].ok
    assert "line 6, [[price]] 1: input" in checks["prices.toml"].detail
    assert "ops check" in checks["prices.toml"].remedy
    lines = report.metrics(START + timedelta(days=1), TEXT).splitlines()
    assert 'agentmeter_config_problems{file="prices.toml"} 1' in lines
    assert 'agentmeter_config_problems{file="rules"} 0' in lines
