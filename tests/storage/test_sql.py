"""What a connection promises, of either engine."""

import threading
from collections.abc import Iterator

import pytest

from penstock.storage import opening
from penstock.storage.errors import Duplicate, StoreRefused, TooSlow, Unwritable
from penstock.storage.sql import SQLITE, Limit, Sql, filled, marks

FOR_EVER = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT max(x) FROM n"


@pytest.fixture
def sql(url: str) -> Iterator[Sql]:
    opened = opening.connect(url)
    opened.execute("CREATE TABLE words (id INTEGER PRIMARY KEY, word TEXT, size BIGINT)")
    yield opened
    opened.close()


def words(sql: Sql) -> list[tuple[int, str]]:
    return [(number, word) for number, word in sql.execute("SELECT id, word FROM words ORDER BY id")]


def test_rows_come_as_tuples(sql: Sql):
    assert sql.execute("INSERT INTO words VALUES (?, ?, ?) RETURNING id, word", (1, "one", None)) == [(1, "one")]
    assert sql.execute("SELECT id, word, size FROM words WHERE id = ? OR word = ?", (7, "one")) == [(1, "one", None)]
    assert sql.execute("DELETE FROM words") == []


def test_many_rows_go_in_at_once(sql: Sql):
    sql.insert("words", ["id", "word"], [(n, str(n)) for n in range(2000)])
    sql.executemany("UPDATE words SET word = ? WHERE id = ?", [(f"number {n}", n) for n in range(1000)])
    assert words(sql) == [(n, f"number {n}" if n < 1000 else str(n)) for n in range(2000)]


def test_numbered_rows_bear_the_numbers_that_are_told(sql: Sql):
    with sql.transaction():
        first = sql.insert_numbered("log_names", ["name"], iter([("a",), ("b",)]))
        second = sql.insert_numbered("log_names", ["name"], [("c",)])
    assert dict(sql.execute("SELECT name, id FROM log_names")) == dict(zip("abc", [*first, *second], strict=True))
    assert first < second


def test_a_transaction_is_all_or_nothing(sql: Sql, url: str):
    other = opening.connect_reader(url)
    with sql.transaction():
        sql.execute("INSERT INTO words VALUES (1, 'one', 1)")
        assert words(other) == []
    assert words(other) == [(1, "one")]
    with pytest.raises(KeyError), sql.transaction():
        sql.execute("INSERT INTO words VALUES (2, 'two', 2)")
        raise KeyError
    for fault, values in (
        (Duplicate, (1, "again", 1)),
        (Unwritable, (3, "three", 2**63)),
        (Unwritable, (3, "\ud800", 1)),
    ):
        with pytest.raises(fault), sql.transaction():
            sql.execute("INSERT INTO words VALUES (2, 'two', 2)")
            sql.execute("INSERT INTO words VALUES (?, ?, ?)", values)
    with pytest.raises((Duplicate, Unwritable)), sql.transaction():
        sql.insert("words", ["id", "size"], [(2, 2), (1, 1), (3, 2**63)])
    assert words(sql) == words(other) == [(1, "one")]
    other.close()


def test_a_view_is_one_state(sql: Sql, url: str):
    other = opening.connect_reader(url)
    with other.view():
        assert words(other) == []
        sql.execute("INSERT INTO words VALUES (1, 'one', 1)")
        assert words(other) == []
    assert words(other) == [(1, "one")]
    with pytest.raises(ZeroDivisionError), other.view():
        raise ZeroDivisionError
    assert words(other) == [(1, "one")]
    other.close()


def test_a_reader_cannot_write(sql: Sql, url: str):
    other = opening.connect_reader(url)
    with pytest.raises(StoreRefused):
        other.execute("INSERT INTO words VALUES (1, 'one', 1)")
    assert words(other) == []
    other.close()


def test_tables_are_there_or_not(sql: Sql):
    assert sql.has_table("words")
    assert not sql.has_table("deeds")
    with pytest.raises(StoreRefused, match="deeds"):
        sql.execute("SELECT 1 FROM deeds")


def test_gateways_are_locked_by_one_at_a_time(sql: Sql, url: str):
    if sql.dialect is SQLITE:
        return  # whoever writes is alone
    other, order = opening.connect(url), list[str]()

    def second() -> None:
        with other.transaction():
            other.lock_gateways([70, 6, 5])
            order.append("second")

    thread = threading.Thread(target=second)
    with sql.transaction():
        sql.lock_gateways([5, 9])
        thread.start()
        while not sql.execute("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"):
            assert thread.is_alive()
        order.append("first")
    thread.join()
    other.close()
    assert order == ["first", "second"]


def test_what_has_no_time_left_is_cut_short_by_any_thread(sql: Sql):
    limit = Limit()
    sql.limit(limit)
    timer = threading.Timer(0.05, limit.end)
    timer.start()
    with pytest.raises(TooSlow), sql.view():
        sql.execute(FOR_EVER)
    timer.join()
    sql.limit(Limit())
    assert words(sql) == []


def test_a_limit_that_passes_ends_what_runs(sql: Sql):
    sql.limit(Limit(until=0.0))
    with pytest.raises(TooSlow):
        sql.execute(FOR_EVER)
    sql.limit(Limit())
    assert words(sql) == []


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 1000])
def test_lists_of_many_lengths_have_few_texts(count: int):
    made = filled(list(range(count)))
    assert (set(made), len(made).bit_count(), len(made) < 2 * count) == (set(range(count)), 1, True)
    assert marks(3) == "(?, ?, ?)"
