"""The index of metadata has what the rows say; that filters find it is the law of ``test_reader``."""

from hypothesis import given
from hypothesis import strategies as st

from penstock.core.codec import encode
from penstock.model.record import LogRecord
from penstock.storage.log import metadata
from penstock.storage.log.filters import Filter, Test
from penstock.storage.log.reader import LogReader
from penstock.storage.log.table import LogTable
from penstock.storage.sql import Sql
from tests.kit.logsink import a_record


def lines(connection: Sql, record: LogRecord) -> set[tuple[str, str]]:
    sql = "SELECT key, value FROM log_metadata WHERE gateway = ? AND id = ?"
    return {(key, value) for key, value in connection.execute(sql, (record.gateway, record.id))}


def test_a_row_has_a_line_for_each_entry(connection: Sql):
    told = a_record(metadata='{"user":"ann","count":3,"ratio":1.50,"live":true,"nul":"a\\u0000b"}')
    silent = a_record(metadata=None)
    LogTable(connection).write([told, silent])
    shown = {("user", "ann"), ("count", "3"), ("ratio", "1.5"), ("live", "true"), ("nul", "a\ufffdb")}
    assert lines(connection, told) == shown
    assert lines(connection, silent) == set()


def test_a_row_that_comes_again_has_its_lines_once(connection: Sql):
    record = a_record()
    for _ in range(2):
        LogTable(connection, sender=b"sender").write([record])
    assert lines(connection, record) == {("user", "u1")}


def test_the_longest_keys_and_values_fit_the_index(connection: Sql):
    wide = {f"{number}" + "漢" * 127: "漢" * 1023 + f"{number}" for number in range(5)}
    record = a_record(metadata=encode(wide).decode())
    LogTable(connection).write([record])
    assert len(lines(connection, record)) == 5
    for key, value in wide.items():
        where = Filter((Test(f"metadata.{key}", "eq", (value,)),))
        assert len(LogReader(connection).list_rows(1, where)) == 1
    where = Filter((Test(f"metadata.{next(iter(wide))}", "eq", ("漢" * 1023 + "x",)),))
    assert LogReader(connection).list_rows(1, where) == []


def test_an_edit_moves_the_lines_and_the_zone_learns_the_keys(connection: Sql):
    other, record = a_record(), a_record(metadata='{"user":"ann","team":"a"}')
    LogTable(connection).write([other, record])
    after = '{"user":"ann","city":"b"}'
    with connection.transaction():
        connection.lock_gateways([1])
        connection.execute("UPDATE logs SET metadata = ? WHERE id = ?", (after, record.id))
        metadata.move(connection, 1, record.id, record.metadata, after)
    assert lines(connection, record) == {("user", "ann"), ("city", "b")}
    assert lines(connection, other) == {("user", "u1")}
    reader = LogReader(connection)
    for operator in ("eq", "contains"):
        assert len(reader.list_rows(1, Filter((Test("metadata.city", operator, ("b",)),)))) == 1
        assert reader.list_rows(1, Filter((Test("metadata.team", operator, ("a",)),))) == []
    with connection.transaction():
        metadata.move(connection, 1, record.id, after, None)
    assert lines(connection, record) == set()


@given(st.text(max_size=300), st.text(max_size=300))
def test_different_values_stay_different(one: str, other: str):
    kept = metadata.indexed(one), metadata.indexed(other)
    assert (kept[0] == kept[1]) == (one.replace("\0", "\ufffd") == other.replace("\0", "\ufffd"))
    assert all(len(text.encode()) <= metadata.LIMIT + 100 for text in kept)
