"""A wrong configuration: the last known good edition goes on, here and in later processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.adapters.config.last_good import LastRight
from shared.errors import Misconfigured, RetryLater
from shared.storage.rows import Database
from shared.storage.sqlite import connect
from shared.storage.texts import RowTexts


class File:
    """A file that holds a number, by a process that reads it."""

    def __init__(self, database: Database, text: str) -> None:
        self._texts = RowTexts(database.table("texts"))
        self.text = text
        self.parsed = 0
        self.process = self.start()

    def start(self) -> LastRight[int]:
        return LastRight("n.toml", lambda: self.text, self.parse, self._texts)

    def parse(self, text: str) -> int:
        self.parsed += 1
        if not text.isdecimal():
            raise Misconfigured(f"n.toml: {text} is no number. Write one.")
        return int(text)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = connect(tmp_path / "state.db")
    yield made
    made.close()


def test_a_right_edition_is_in_force_at_once_and_parsed_once(database: Database) -> None:
    file = File(database, "1")
    assert [file.process.get() for _ in range(3)] == [1, 1, 1]
    file.text = "2"
    assert (file.process.check(), file.parsed) == (2, 2)


def test_the_last_known_good_one_stays_and_is_named(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    file = File(database, "1")
    file.process.get()
    file.text = "one"
    assert [file.process.get() for _ in range(3)] == [1, 1, 1]
    with pytest.raises(Misconfigured, match=r"one is no number.*last known good one goes on"):
        file.process.check()
    assert caplog.text.count("one is no number") == 1
    file.text = "3"
    assert file.process.check() == 3


def test_a_process_that_starts_with_a_wrong_one_goes_on_by_the_last_right_one(
    database: Database,
) -> None:
    file = File(database, "1")
    file.process.get()
    file.text = "one"
    started = file.start()
    assert started.get() == 1
    with pytest.raises(Misconfigured):
        started.check()


def test_what_was_never_right_says_what_is_wrong(database: Database) -> None:
    file = File(database, "one")
    for ask in (file.process.get, file.process.check):
        with pytest.raises(Misconfigured, match="one is no number"):
            ask()
    file.text = "1"
    assert file.process.get() == 1


def test_a_storage_that_does_not_answer_stops_nothing_that_is_right(database: Database) -> None:
    class Down:
        def read(self, name: str) -> str | None:
            raise RetryLater("HTTP 503")

        def write(self, name: str, text: str) -> None:
            raise RetryLater("HTTP 503")

    file = File(database, "1")
    process = LastRight("n.toml", lambda: file.text, file.parse, Down())
    assert process.get() == 1
    file.text = "one"
    assert process.get() == 1
