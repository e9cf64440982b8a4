from pathlib import Path

import pytest

from penstock.storage import sqlite
from penstock.storage.errors import StoreRefused, StoreUnavailable


def test_the_database_is_private_and_in_wal_mode(tmp_path: Path):
    connection = sqlite.connect(tmp_path / "x.db")
    connection.execute("CREATE TABLE t (x)")
    assert connection.execute("PRAGMA journal_mode") == [("wal",)]
    assert connection.execute("PRAGMA foreign_keys") == [(1,)]
    assert {file.stat().st_mode & 0o777 for file in tmp_path.glob("x.db*")} == {0o600}
    connection.close()


def test_a_reader_sees_what_is_written_beside_it_and_cannot_write(tmp_path: Path):
    writer = sqlite.connect(tmp_path / "x.db")
    writer.execute("CREATE TABLE t (x)")
    reader = sqlite.connect_reader(tmp_path / "x.db")
    writer.execute("INSERT INTO t VALUES (1)")
    assert reader.execute("SELECT x FROM t") == [(1,)]
    with pytest.raises(StoreRefused, match="readonly"):
        reader.execute("INSERT INTO t VALUES (2)")
    reader.close()
    writer.close()


def test_a_reader_does_not_create_a_database(tmp_path: Path):
    with pytest.raises(StoreUnavailable, match="There is no database"):
        sqlite.connect_reader(tmp_path / "x.db")
    assert not list(tmp_path.iterdir())


def test_a_directory_that_cannot_be_written_is_a_clear_error(tmp_path: Path):
    with pytest.raises(StoreUnavailable, match="Cannot open the database"):
        sqlite.connect(tmp_path / "missing" / "x.db")


def test_a_file_that_is_no_database_stays_one_until_somebody_mends_it(tmp_path: Path):
    (tmp_path / "x.db").write_bytes(b"no database at all, " * 100)
    with pytest.raises(StoreUnavailable, match="not a database"):
        sqlite.connect(tmp_path / "x.db")
    reader = sqlite.connect_reader(tmp_path / "x.db")
    with pytest.raises(StoreRefused, match=r"x\.db.*not a database"):
        reader.execute("SELECT 1 FROM t")
    reader.close()


def test_a_lock_may_pass_and_a_missing_table_does_not(tmp_path: Path):
    one, other = (sqlite.connect(tmp_path / "x.db") for _ in range(2))
    other.execute("PRAGMA busy_timeout=0")
    with one.transaction():
        with pytest.raises(StoreUnavailable, match="locked") as refused:
            other.executemany("CREATE TABLE t (x)", [()])
        assert not isinstance(refused.value, StoreRefused)
    with pytest.raises(StoreRefused, match="no such table"):
        other.execute("SELECT 1 FROM t")
    one.close()
    other.close()
