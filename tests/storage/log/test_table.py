import pytest

from penstock.core import ids
from penstock.model.record import LogRecord
from penstock.storage.errors import Unwritable
from penstock.storage.log.reader import LogReader
from penstock.storage.log.table import LogTable
from penstock.storage.log.tail import Tail
from penstock.storage.sql import Sql
from tests.kit.logsink import ACCOUNT, a_gateway, a_record, delete_gateway


def counts(connection: Sql) -> tuple[int, int, int]:
    """Rows, places in blocks, rows in zones: always the same."""
    sql = "SELECT (SELECT count(*) FROM logs), (SELECT sum(length(ids)) / 16 FROM log_bodies), "
    return connection.execute(sql + "(SELECT sum(rows) FROM log_zones)")[0]


def test_a_record_comes_back_with_every_field(connection: Sql):
    record = a_record(
        event_id="e" * 36, step=2, custom_cost=True, cached=True, success=False, cost=None, charge=(ACCOUNT, 5)
    )
    LogTable(connection).write([record])
    row = LogReader(connection).get(1, record.id)
    assert row is not None
    kept_apart = {"id", "gateway", "request", "response", "detail"}
    not_kept = {"logged", "cache_read", "saved", "rolled", "redact", "spends", "draft"}
    for name in set(LogRecord.__struct_fields__) - kept_apart - not_kept - {"charge"}:
        assert getattr(row, name) == getattr(record, name), name
    assert (row.account, row.gateway, row.id) == (ACCOUNT, "default", ids.text(record.id))
    assert row.charge == 5
    assert bytes(row.detail) == record.detail
    assert LogReader(connection).bodies(1, record.id) == (record.request, record.response)


def test_what_is_not_known_stays_null(connection: Sql):
    fields = ("model_type", "request_type", "tokens_in", "tokens_out", "cost", "metadata", "request_content_type")
    fields += ("response_content_type", "user_agent", "request", "response")
    record = a_record(**dict.fromkeys(fields))
    LogTable(connection).write([record])
    row = LogReader(connection).get(1, record.id)
    assert row is not None
    assert {getattr(row, name) for name in fields[:-2]} == {None}
    assert row.event_id == ids.text(record.id)
    assert LogReader(connection).bodies(1, record.id) == (None, None)


def test_bodies_of_many_sizes_keep_to_their_rows(connection: Sql):
    sizes = [None, 0, 1, 5000, 200_000, 300_000, None, 7] * 12
    records = [a_record(request=None if n is None else b"q" * n, response=b"a%d" % i) for i, n in enumerate(sizes)]
    LogTable(connection).write(records)
    reader = LogReader(connection)
    for record in records:
        assert reader.bodies(1, record.id) == (record.request, record.response)


def test_what_a_sender_sends_again_is_written_once(connection: Sql):
    records = [a_record() for _ in range(80)]
    LogTable(connection, sender=b"sender").write(records[:40])
    table = LogTable(connection, sender=b"sender")  # the next writer, which does not know how far the last one came
    table.write(records[20:60], 20)
    table.write(records[20:60], 20)
    table.write([*records[50:79], None, records[79]], 50)
    LogTable(connection, sender=b"other").write([a_record()])
    assert counts(connection) == (81, 81, 81)


def test_an_id_that_is_there_already_is_refused(connection: Sql):
    table, record = LogTable(connection), a_record()
    table.write([record])
    with pytest.raises(Unwritable):
        table.write([a_record(), record])
    assert counts(connection) == (1, 1, 1)


def test_a_batch_is_written_whole_or_not_at_all(connection: Sql):
    table = LogTable(connection)
    with pytest.raises(Unwritable):
        table.write([a_record(model="new"), a_record(tokens_in=2**63)])
    assert counts(connection) == (0, None, None)
    table.write([a_record(model="new")])
    assert [row.model for row in LogReader(connection).newest(5)] == ["new"]


def test_gateways_are_kept_apart(connection: Sql):
    beta, other = a_gateway(connection, "beta"), a_gateway(connection, account="f" * 32)
    mine, theirs, same_name = a_record(), a_record(gateway=beta), a_record(gateway=other)
    LogTable(connection).write([mine, theirs, same_name])
    reader = LogReader(connection)
    assert [row.id for row in reader.list_rows(1)] == [ids.text(mine.id)]
    assert [(row.account, row.gateway, row.id) for row in reader.list_rows(other)] == [
        ("f" * 32, "default", ids.text(same_name.id))
    ]
    assert reader.get(beta, mine.id) is None
    assert reader.bodies(beta, mine.id) == (None, None)
    assert reader.list_rows(99) == []


def test_what_belongs_to_no_gateway_has_no_names(connection: Sql):
    LogTable(connection).write([a_record(gateway=0)])
    assert [(row.account, row.gateway) for row in LogReader(connection).newest(5)] == [("", "")]


def test_what_belongs_to_a_deleted_gateway_is_nowhere_to_be_seen(connection: Sql):
    table, reader = LogTable(connection), LogReader(connection)
    tails = [Tail(reader), Tail(reader, "default")]
    old = [a_record() for _ in range(40)]
    table.write(old)
    delete_gateway(connection, 1)
    again = a_gateway(connection)
    assert again == 2
    table.write([a_record()])  # of a call that began before
    new = a_record(gateway=again)
    table.write([new])
    assert reader.list_rows(1) == []
    assert reader.get(1, old[0].id) is None
    for rows in (
        reader.list_rows(again),
        reader.newest(5),
        reader.newest(5, "default"),
        *(tail.arrived() for tail in tails),
    ):
        assert [row.id for row in rows] == [ids.text(new.id)]
