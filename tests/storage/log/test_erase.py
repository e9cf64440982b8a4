import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.core import ids
from penstock.model.record import LogRecord
from penstock.storage import opening
from penstock.storage.errors import StoreUnavailable
from penstock.storage.log import blocks, reap
from penstock.storage.log.edit import edit
from penstock.storage.log.erase import erase
from penstock.storage.log.filters import Filter, Test
from penstock.storage.log.reader import LogReader
from penstock.storage.log.table import LogTable
from penstock.storage.sql import SQLITE, Sql
from tests.kit.logsink import a_gateway, a_record
from tests.storage.log.test_reap import left, names

COSTS = st.none() | st.integers(0, 9)
WRITE = st.lists(st.tuples(st.integers(0, 20), st.booleans(), COSTS), min_size=1, max_size=12)  # when, success, cost
ERASE = st.sets(st.integers(0, 40), min_size=1, max_size=15)  # places in what is there
STEPS = st.lists(st.tuples(st.just("write"), WRITE) | st.tuples(st.just("erase"), ERASE) | st.tuples(
    st.just("reap"), st.integers(1, 5)) | st.tuples(st.just("edit"), st.integers(0, 40)), max_size=8)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_after_any_writes_and_erasures_all_that_is_kept_agrees(lasting: Sql, steps: list[tuple[str, Any]]):
    connection = lasting
    for table in ("logs", "log_bodies", "log_zones", "log_metadata"):
        connection.execute(f"DELETE FROM {table}")
    table, there, number = LogTable(connection, zone_rows=5), list[LogRecord](), 0
    for deed, what in steps:
        if deed == "write":
            new = [made(number + place, *fate) for place, fate in enumerate(what)]
            number += len(new)
            table.write(new)
            there = sorted([*there, *new], key=lambda record: record.id)
        elif deed == "erase":
            gone = {record.id for place, record in enumerate(there) if place in what}
            assert erase(connection, 1, [b"\0" * 16, *sorted(gone)]) == (len(gone), [])
            there = [record for record in there if record.id not in gone]
        elif deed == "reap":
            reap.reap(connection, 1, what)
            del there[:what]
        elif there:
            edit(connection, 1, there[what % len(there)].id, {"feedback": 1})
        check(connection, there)


def made(number: int, moment: int, success: bool, cost: int | None) -> LogRecord:
    log_id = moment.to_bytes(6, "big") + number.to_bytes(10, "big")
    return a_record(id=log_id, created_at=moment, success=success, cost=cost, request=b"%d" % number)


def check(connection: Sql, there: list[LogRecord]) -> None:
    reader, newest_first = LogReader(connection), there[::-1]
    rows = reader.list_rows(1, limit=100)
    assert [row.id for row in rows] == names(newest_first)
    summary, costs = reader.summary(1), [record.cost for record in there if record.cost is not None]
    assert summary.count == len(there)
    least, most = summary.ranges["cost"]
    assert least is None or not costs or least <= min(costs)
    assert most is None or not costs or most >= max(costs)
    for where, same in (
        (Filter((Test("success", "eq", (False,)),)), [r for r in newest_first if not r.success]),
        (Filter((Test("cost", "gte", (5,)),)), [r for r in newest_first if r.cost is not None and r.cost >= 5]),
    ):
        assert [row.id for row in reader.list_rows(1, where, limit=100)] == names(same)
        assert reader.summary(1, where).count == len(same)
    lines = connection.execute("SELECT id FROM log_metadata ORDER BY id")
    assert lines == [(record.id,) for record in there]
    for record in there:
        assert reader.bodies(1, record.id) == (record.request, record.response)


def test_ranges_are_told_of_what_is_left(connection: Sql):
    records = [a_record(cost=cost, tokens_in=cost) for cost in (5, 900, 7, None, 1)]
    LogTable(connection).write(records)
    erase(connection, 1, [records[1].id, records[4].id])
    assert LogReader(connection).summary(1).ranges["cost"] == (5, 7)


def test_nothing_of_an_erased_row_is_in_a_block(connection: Sql):
    canary = os.urandom(16)
    records = [a_record(request=canary if place == 3 else b"x", detail=b'{"n":%d}' % place) for place in range(8)]
    LogTable(connection).write(records)
    erase(connection, 1, [records[3].id])
    ((column, told, bodies),) = connection.execute("SELECT ids, details, bodies FROM log_bodies")
    assert blocks.ids(column) == [record.id for record in records if record is not records[3]]
    assert blocks.details(told) == [record.detail for record in records if record is not records[3]]
    assert all(blocks.bodies(bodies, place)[0] == b"x" for place in range(7))


def test_a_block_and_a_zone_go_with_their_last_row(connection: Sql):
    records = [a_record() for _ in range(100)]
    LogTable(connection, zone_rows=30).write(records)
    beta = a_gateway(connection, "beta")
    LogTable(connection).write([a_record(gateway=beta)])
    assert erase(connection, 1, [record.id for record in records]) == (100, [])
    assert left(connection, 1) == [0, 0, 0, 0, 0]
    assert left(connection, beta) == [1, 1, 1, 1, 1]


def test_a_transaction_is_bounded_by_bytes(connection: Sql):
    records = [a_record(request=os.urandom(3_000_000)) for _ in range(5)]
    LogTable(connection).write(records)
    assert batches(connection, records) == [2, 2, 1]


def test_a_transaction_is_bounded_by_rows_and_by_zones(connection: Sql, monkeypatch: pytest.MonkeyPatch):
    records = [a_record() for _ in range(60)]
    table = LogTable(connection, zone_rows=5)
    for at in range(0, 60, 5):
        table.write(records[at : at + 5])
    monkeypatch.setattr("penstock.storage.log.erase.ROWS", 12)
    assert batches(connection, records[:20]) == [12, 8]
    monkeypatch.setattr("penstock.storage.log.erase.ZONES", 2)
    assert batches(connection, records[20:]) == [10, 10, 10, 10]
    assert left(connection, 1) == [0, 0, 0, 0, 0]


def batches(connection: Sql, records: list[LogRecord]) -> list[int]:
    found, wanted = list[int](), [record.id for record in records]
    while wanted:
        rows, wanted = erase(connection, 1, wanted)
        found.append(rows)
    return found


def test_no_number_of_a_block_comes_again(connection: Sql):
    record, table, reader = a_record(), LogTable(connection), LogReader(connection)
    table.write([record])
    before = reader.newest_block()
    erase(connection, 1, [record.id])
    table.write([a_record()])
    assert reader.newest_block() == before + 1


def test_only_rows_of_that_gateway_go(connection: Sql):
    record = a_record()
    LogTable(connection).write([record])
    assert erase(connection, a_gateway(connection, "beta"), [record.id]) == (0, [])
    assert [row.id for row in LogReader(connection).list_rows(1)] == [ids.text(record.id)]


def test_while_the_database_is_locked_nothing_goes(connection: Sql, url: str):
    record = a_record()
    LogTable(connection).write([record])
    other = opening.connect(url)
    with other.transaction():
        if connection.dialect is SQLITE:
            connection.execute("PRAGMA busy_timeout=0")
        else:
            connection.execute("SET lock_timeout = 1")
            other.lock_gateways([1])
        with pytest.raises(StoreUnavailable, match="lock"):
            erase(connection, 1, [record.id])
    other.close()
    assert left(connection, 1) == [1, 1, 1, 1, 1]
    assert erase(connection, 1, [record.id]) == (1, [])
