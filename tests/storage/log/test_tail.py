import threading

from penstock.core import ids
from penstock.storage import opening
from penstock.storage.log.reader import LogReader
from penstock.storage.log.table import LogTable
from penstock.storage.log.tail import Tail
from penstock.storage.sql import Sql
from tests.kit.logsink import a_gateway, a_record


def told(rows):
    return [row.id for row in rows]


def names(records):
    return [ids.text(record.id) for record in records]


def test_what_arrives_late_is_still_news(connection: Sql):
    table, reader = LogTable(connection), LogReader(connection)
    long, short = a_record(), a_record()
    table.write([short])
    tails = {name: Tail(reader, name) for name in (None, "default", "beta")}
    table.write([long])  # its call began first and ended last
    assert {name: told(tail.arrived()) for name, tail in tails.items()} == {
        None: names([long]),
        "default": names([long]),
        "beta": [],
    }
    assert told(reader.newest(5)) == names([short, long])
    assert told(reader.newest(1, "default")) == names([short])


def test_every_row_is_told_once(connection: Sql):
    table, reader = LogTable(connection), LogReader(connection)
    old = [a_record() for _ in range(50)]
    table.write(old)
    tail = Tail(reader)
    between = [a_record() for _ in range(3)]
    table.write(between)
    assert told(tail.newest(10)) == names([*old, *between][:-11:-1])
    assert tail.arrived() == []
    for count in (1, 40, 2):
        new = [a_record() for _ in range(count)]
        table.write(new)
        assert told(tail.arrived()) == names(new[::-1])
        assert tail.arrived() == []


def test_what_another_writer_began_before_and_ended_after_is_told(shared: str):
    """A writer numbers its blocks when it begins to write, and shows them when it has ended."""
    mine, other, holder = (opening.connect(shared) for _ in range(3))
    assert [a_gateway(mine, name) for name in ("alpha", "beta")] == [1, 2]
    LogTable(mine).write([a_record()])  # the words are known
    tail = Tail(LogReader(mine))
    slow, quick = a_record(gateway=1), a_record(gateway=2)
    writer = threading.Thread(target=LogTable(other).write, args=([slow],))
    with holder.transaction():
        holder.lock_gateways([1])
        writer.start()
        waiting = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        while not mine.execute(waiting):
            assert writer.is_alive()
        LogTable(mine).write([quick])
        assert told(tail.arrived()) == names([quick])
    writer.join()
    assert told(tail.arrived()) == names([slow])
    assert tail.arrived() == []
    for connection in (mine, other, holder):
        connection.close()
