from typing import Any

import pytest

from penstock.core import ids
from penstock.storage import opening
from penstock.storage.errors import StoreUnavailable
from penstock.storage.log.edit import edit
from penstock.storage.log.filters import Filter, Test, Value
from penstock.storage.log.reader import LogReader
from penstock.storage.log.table import LogTable
from penstock.storage.sql import SQLITE, Sql
from tests.kit.logsink import a_gateway, a_record


def found(connection: Sql, column: str, operator: Any, value: Value) -> list[str]:
    where = Filter((Test(column, operator, (value,)),))
    return [row.id for row in LogReader(connection).list_rows(1, where)]


@pytest.mark.parametrize(("column", "least", "most"), [("feedback", -1, 1), ("score", 0, 100_000)])
def test_what_was_said_of_a_row_is_found_in_every_zone(connection: Sql, column: str, least: int, most: int):
    records = [a_record() for _ in range(12)]
    LogTable(connection, zone_rows=4).write(records)
    low, high, *_ = [records[place] for place in (1, 10)]
    assert edit(connection, 1, low.id, {column: least})
    assert edit(connection, 1, high.id, {column: most})
    assert found(connection, column, "eq", least) == [ids.text(low.id)]
    assert found(connection, column, "gt", least) == [ids.text(high.id)]
    assert found(connection, column, "gte", least) == [ids.text(high.id), ids.text(low.id)]
    assert edit(connection, 1, low.id, {column: most})
    assert found(connection, column, "eq", most) == [ids.text(high.id), ids.text(low.id)]
    assert edit(connection, 1, low.id, {column: None})
    assert found(connection, column, "gte", least) == [ids.text(high.id)]


def test_metadata_take_the_place_of_what_was_there(connection: Sql):
    record = a_record(metadata='{"user":"u1"}')
    LogTable(connection).write([record])
    for told in ('{"user":"u2","trial":true}', None):
        assert edit(connection, 1, record.id, {"metadata": told, "feedback": 1})
        row = LogReader(connection).get(1, record.id)
        assert row is not None
        assert (row.metadata, row.feedback) == (told, 1)


def test_only_the_row_of_that_gateway_changes(connection: Sql):
    beta = a_gateway(connection, "beta")
    record = a_record()
    LogTable(connection).write([record])
    assert not edit(connection, beta, record.id, {"feedback": 1})
    assert not edit(connection, 1, ids.new(), {"feedback": 1})
    assert found(connection, "feedback", "eq", 1) == []


def test_a_batch_that_comes_again_does_not_undo_it(connection: Sql):
    record, table = a_record(), LogTable(connection, sender=b"sender")
    table.write([record])
    edit(connection, 1, record.id, {"feedback": -1, "metadata": None})
    table.write([record, a_record()])
    row = LogReader(connection).get(1, record.id)
    assert row is not None
    assert (row.feedback, row.metadata) == (-1, None)


def test_while_the_database_is_locked_nothing_changes(connection: Sql, url: str):
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
            edit(connection, 1, record.id, {"feedback": 1})
    other.close()
    assert found(connection, "feedback", "eq", 1) == []
    assert edit(connection, 1, record.id, {"feedback": 1})
