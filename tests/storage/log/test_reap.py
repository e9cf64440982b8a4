import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.core import ids
from penstock.model.record import LogRecord
from penstock.storage import opening
from penstock.storage.errors import StoreUnavailable
from penstock.storage.log import reap
from penstock.storage.log.filters import Filter, Test
from penstock.storage.log.reader import LogReader
from penstock.storage.log.table import LogTable
from penstock.storage.sql import SQLITE, Sql
from tests.kit.logsink import a_gateway, a_record, delete_gateway


def left(connection: Sql, number: int) -> list[int]:
    """Rows of a gateway, lines of their metadata, its blocks, its zones, and the rows they count."""
    tables = ("logs", "log_metadata", "log_bodies", "log_zones")
    counts = [connection.execute(f"SELECT count(*) FROM {t} WHERE gateway = ?", (number,))[0][0] for t in tables]
    rows = connection.execute("SELECT coalesce(sum(rows), 0) FROM log_zones WHERE gateway = ?", (number,))
    return [*counts, *rows[0]]


def names(records: list[LogRecord]) -> list[str]:
    return [ids.text(record.id) for record in records]


FATES = st.tuples(st.integers(0, 20), st.booleans(), st.booleans())  # when, success, cached


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.lists(FATES, max_size=40),
    after=st.lists(FATES, max_size=20),
    batch=st.integers(1, 15),
    limits=st.lists(st.integers(1, 20), min_size=1, max_size=5),
)
def test_the_oldest_go_and_what_is_left_is_whole(
    lasting: Sql,
    before: list[tuple[int, bool, bool]],
    after: list[tuple[int, bool, bool]],
    batch: int,
    limits: list[int],
):
    connection = lasting
    for table in ("logs", "log_metadata", "log_bodies", "log_zones"):
        connection.execute(f"DELETE FROM {table}")
    records = [made(number, *fate) for number, fate in enumerate(before + after)]
    table, there = LogTable(connection, zone_rows=5), list[LogRecord]()
    for at in range(0, len(before), batch):
        table.write(records[at : min(at + batch, len(before))])
    there = sorted(records[: len(before)], key=lambda record: record.id)
    for limit in limits:
        assert reap.reap(connection, 1, limit) == min(limit, len(there))
        del there[:limit]
        check(connection, there)
    table.write(records[len(before) :])  # some of them older than what is gone
    there = sorted([*there, *records[len(before) :]], key=lambda record: record.id)
    check(connection, there)
    while reap.reap(connection, 1, 7):
        pass
    assert left(connection, 1) == [0, 0, 0, 0, 0]


def made(number: int, moment: int, success: bool, cached: bool) -> LogRecord:
    log_id = moment.to_bytes(6, "big") + number.to_bytes(10, "big")
    return a_record(id=log_id, created_at=moment, success=success, cached=cached, request=b"%d" % number)


def check(connection: Sql, there: list[LogRecord]) -> None:
    reader, newest_first = LogReader(connection), there[::-1]
    assert names(newest_first) == [row.id for row in reader.list_rows(1, limit=100)]
    assert reader.summary(1).count == len(there)
    kept = connection.execute("SELECT id FROM log_metadata WHERE gateway = 1 ORDER BY id")
    assert kept == [(record.id,) for record in there]
    for flag in (True, False):
        for where, same in (
            (Filter((Test("success", "eq", (flag,)),)), [r for r in newest_first if r.success is flag]),
            (Filter((Test("cached", "eq", (flag,)),)), [r for r in newest_first if r.cached is flag]),
        ):
            assert [row.id for row in reader.list_rows(1, where, limit=100)] == names(same)
    for record in there:
        assert reader.bodies(1, record.id) == (record.request, record.response)


def test_other_gateways_keep_what_they_have(connection: Sql):
    other = a_gateway(connection, "beta")
    LogTable(connection).write([a_record(gateway=number) for number in (1, other, 0) for _ in range(50)])
    before = left(connection, other), left(connection, 0)
    while reap.reap(connection, 1, 20):
        pass
    assert left(connection, 1) == [0, 0, 0, 0, 0]
    assert (left(connection, other), left(connection, 0)) == before


def test_a_batch_is_bounded_by_bytes_too(connection: Sql):
    LogTable(connection).write([a_record(request=os.urandom(3_000_000)) for _ in range(5)])
    batches = list(iter(lambda: reap.reap(connection, 1), 0))
    assert batches == [2, 2, 1]


def test_a_body_larger_than_a_batch_goes_too(connection: Sql):
    LogTable(connection).write([a_record(request=os.urandom(reap.BYTES + 1)) for _ in range(2)])
    assert list(iter(lambda: reap.reap(connection, 1), 0)) == [1, 1]


def test_trim_keeps_the_newest(connection: Sql):
    records = [a_record(gateway=0) for _ in range(100)]
    LogTable(connection).write(records)
    assert list(iter(lambda: reap.trim(connection, keep=35, limit=20), 0)) == [20, 20, 20, 5]
    assert [row.id for row in LogReader(connection).newest(100)] == names(records[:-36:-1])


def test_tombstones_are_told_once(connection: Sql):
    beta = a_gateway(connection, "beta")
    version, found = reap.tombstones(connection, -1)
    assert found == []
    delete_gateway(connection, beta, 77)
    newer, found = reap.tombstones(connection, version)
    assert found == [(beta, 77)]
    assert reap.tombstones(connection, newer) == (newer, [])


def test_only_tombstones_are_forgotten_and_no_number_comes_again(connection: Sql):
    beta = a_gateway(connection, "beta")
    delete_gateway(connection, beta)
    reap.forget(connection, [1, beta])
    assert connection.execute("SELECT number FROM gateways") == [(1,)]
    assert a_gateway(connection, "beta") == beta + 1


def test_orphans_are_rows_without_even_a_tombstone(connection: Sql):
    beta = a_gateway(connection, "beta")
    delete_gateway(connection, beta)
    LogTable(connection).write([a_record(gateway=number) for number in (0, 1, beta, 33)])
    assert reap.orphans(connection) == [33]


def test_while_the_database_is_locked_nothing_changes(connection: Sql, url: str):
    LogTable(connection).write([a_record()])
    other = opening.connect(url)
    with other.transaction():
        if connection.dialect is SQLITE:
            connection.execute("PRAGMA busy_timeout=0")
        else:
            connection.execute("SET lock_timeout = 1")
            other.lock_gateways([1])
        with pytest.raises(StoreUnavailable, match="lock"):
            reap.reap(connection, 1)
    other.close()
    assert left(connection, 1) == [1, 1, 1, 1, 1]
    assert reap.reap(connection, 1) == 1
