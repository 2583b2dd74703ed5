"""What the SQLite file promises beyond the contracts of its stores."""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest

from shared.errors import Misconfigured, RetryLater
from shared.storage.rows import Insert
from shared.storage.sqlite import connect


def test_a_file_that_another_process_holds_is_tried_later(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with closing(connect(path, wait_s=0.05)) as database, closing(sqlite3.connect(path)) as other:
        rows = database.table("things")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(RetryLater, match="another process that holds the file"):
            rows.commit("p", [Insert("k", {})])
        other.rollback()
        rows.commit("p", [Insert("k", {})])


def test_an_error_halfway_undoes_the_whole_transaction(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "state.db")) as database:
        rows = database.table("things")
        with suppress(ZeroDivisionError), database.write() as sql:
            sql.execute("INSERT INTO rows_things VALUES ('p', 'k', '{}', NULL, 1)")
            _ = 1 / 0
        assert rows.get("p", "k") is None


def test_a_mistake_of_ours_is_not_taken_for_a_busy_file(tmp_path: Path) -> None:
    with (
        closing(connect(tmp_path / "state.db")) as database,
        pytest.raises(sqlite3.OperationalError, match="no such table"),
        database.read() as sql,
    ):
        sql.execute("SELECT * FROM no_such")


def test_the_folder_is_made_where_it_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "state.db"
    connect(path).close()
    assert path.exists()


def test_a_file_of_another_kind_is_refused_with_the_setting_to_fix(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_text("this is no database, and long enough to have a header of its own" * 20)
    with pytest.raises(Misconfigured, match="Correct AGENTMETER_STATE"):
        connect(path)
    with pytest.raises(Misconfigured, match="Correct AGENTMETER_STATE"):
        connect(tmp_path)


def test_every_commit_reaches_the_disk_before_a_message_is_acknowledged(tmp_path: Path) -> None:
    full = 2
    with closing(connect(tmp_path / "state.db")) as database, database.read() as sql:
        assert sql.execute("PRAGMA synchronous").fetchone() == (full,)
        assert sql.execute("PRAGMA journal_mode").fetchone() == ("wal",)
