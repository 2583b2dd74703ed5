"""What every storage of texts promises."""

from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path

import pytest

from shared.adapters.config.price_book import Texts
from shared.adapters.sqlite import connect as connect_sqlite
from shared.adapters.sqlite_texts import SqliteTexts
from shared.adapters.storage_tables import connect as connect_tables
from shared.adapters.tables_texts import TableTexts
from tests.contract.azurite import Azurite

OpenTexts = Callable[[], Texts]
LONG = "".join(f'[[price]] # {n} "ü"\n' for n in range(20_000))


@pytest.fixture(params=["sqlite", pytest.param("azurite", marks=pytest.mark.azurite)])
def open_texts(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[OpenTexts, None, None]:
    """Opens one empty storage of each kind, as often as a test asks."""
    if request.param == "sqlite":
        with closing(connect_sqlite(tmp_path / "state.db")) as database:
            yield lambda: SqliteTexts(database)
    else:
        emulator: Azurite = request.getfixturevalue("azurite")
        with closing(connect_tables(emulator.account())) as service:
            yield lambda: TableTexts(service)


def test_a_text_is_there_for_every_instance_and_the_last_one_counts(open_texts: OpenTexts) -> None:
    texts = open_texts()
    assert texts.read("prices.toml") is None
    texts.write("prices.toml", "first")
    texts.write("prices.toml", LONG)
    texts.write("other.toml", "")
    assert open_texts().read("prices.toml") == LONG
    assert open_texts().read("other.toml") == ""
