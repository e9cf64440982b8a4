"""The log as the control plane asks it: from a loop, beside the writer."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from penstock.core import ids
from penstock.storage import database, log_reap, schema
from penstock.storage.errors import StoreUnavailable, TooSlow
from penstock.storage.log_query import LogFilter
from penstock.storage.log_rows import LogReader
from penstock.storage.log_store import SEATS, LogStore
from penstock.storage.logs import LogTable
from penstock.testing.logsink import a_gateway, a_record

# Conditions that no zone can rule out: every row is read.
HARD = LogFilter(response_content_type="none/such")


@pytest.fixture
def connection(tmp_path: Path):
    schema.upgrade(tmp_path / "x.db")
    connection = database.connect(tmp_path / "x.db")
    assert a_gateway(connection) == 1
    yield connection
    connection.close()


@pytest.fixture
async def store(tmp_path: Path, connection: sqlite3.Connection) -> AsyncIterator[LogStore]:
    store = LogStore(f"sqlite:///{tmp_path / 'x.db'}")
    yield store
    await store.close()


async def test_what_was_written_can_be_asked_for(store: LogStore, connection: sqlite3.Connection):
    records = [a_record() for _ in range(30)]
    LogTable(connection).write(records)
    newest_first = [ids.text(record.id) for record in records][::-1]
    assert [row.id for row in await store.page(1, limit=10, offset=5)] == newest_first[5:15]
    assert [row.id for row in await store.page(1, limit=3, ascending=True)] == newest_first[:-4:-1]
    assert (await store.summary(1, LogFilter(provider="openai"))).count == 30
    row = await store.get(1, records[7].id)
    assert row is not None
    assert row.id == ids.text(records[7].id)
    assert await store.bodies(1, records[7].id) == (records[7].request, records[7].response)
    assert await store.get(2, records[7].id) is None


async def test_more_questions_than_seats(store: LogStore, connection: sqlite3.Connection):
    LogTable(connection).write([a_record() for _ in range(100)])
    answers = await asyncio.gather(*[store.page(1, limit=n) for n in range(1, 10 * SEATS)])
    assert [len(rows) for rows in answers] == list(range(1, 10 * SEATS))


async def test_a_question_that_takes_too_long_is_given_up(tmp_path: Path, connection: sqlite3.Connection):
    LogTable(connection).write([a_record(request=None, response=None) for _ in range(5000)])
    store = LogStore(f"sqlite:///{tmp_path / 'x.db'}", seconds=0.0)
    for _ in range(2 * SEATS):
        with pytest.raises(TooSlow):
            await store.page(1, HARD)
        with pytest.raises(TooSlow):
            await store.summary(1, LogFilter(model="gpt-4o-mini"))
    assert len(await store.page(1, limit=5)) == 5
    await store.close()


async def test_a_question_that_nobody_waits_for_is_cut_short(tmp_path: Path, connection: sqlite3.Connection):
    store = LogStore(f"sqlite:///{tmp_path / 'x.db'}", seconds=3600.0)
    running = threading.Event()

    def for_ever(reader: LogReader) -> Any:
        running.set()
        return reader._connection.execute(
            "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT max(x) FROM n"
        )

    asked = [asyncio.ensure_future(store._ask(for_ever)) for _ in range(SEATS)]
    await asyncio.to_thread(running.wait)
    for one in asked:
        one.cancel()
    await asyncio.gather(*asked, return_exceptions=True)
    assert await store.page(1) == []
    await store.close()


async def test_closing_cuts_short_what_runs(tmp_path: Path, connection: sqlite3.Connection):
    store = LogStore(f"sqlite:///{tmp_path / 'x.db'}", seconds=3600.0)
    running = threading.Event()

    def for_ever(reader: LogReader) -> Any:
        running.set()
        return reader._connection.execute(
            "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT max(x) FROM n"
        )

    asked = asyncio.ensure_future(store._ask(for_ever))
    await asyncio.to_thread(running.wait)
    await store.close()
    with pytest.raises(TooSlow):
        await asked


async def test_without_a_database_it_says_so(tmp_path: Path):
    store = LogStore(f"sqlite:///{tmp_path / 'none.db'}")
    with pytest.raises(StoreUnavailable, match="There is no database"):
        await store.page(1)
    await store.close()


async def test_a_damaged_database_is_a_clear_error(tmp_path: Path):
    (tmp_path / "x.db").write_bytes(b"not a database at all" * 100)
    store = LogStore(f"sqlite:///{tmp_path / 'x.db'}")
    with pytest.raises(StoreUnavailable, match="not a database"):
        await store.page(1)
    await store.close()


async def test_rows_may_be_reaped_between_the_queries_of_a_question(connection: sqlite3.Connection, tmp_path: Path):
    table = LogTable(connection)
    for _ in range(40):
        table.write([a_record() for _ in range(25)])
    stop = threading.Event()
    reading = asyncio.get_running_loop().run_in_executor(None, _read_until, tmp_path / "x.db", stop)
    while log_reap.reap(connection, 1, 3):
        await asyncio.sleep(0)
    stop.set()
    assert await reading > 0


def _read_until(file: Path, stop: threading.Event) -> int:
    reader, seen = LogReader(database.connect_reader(file)), 0
    while not stop.is_set():
        seen += 1 + len(reader.list_rows(1, limit=10)) + len(reader.newest(10))
    reader.close()
    return seen


async def test_many_readers_at_once_each_read_what_is_theirs(store: LogStore, connection: sqlite3.Connection):
    """A decompressor that threads share corrupts memory: wrong rows at first, then the end of the process."""
    numbers = [1, *(a_gateway(connection, f"g{at}") for at in range(2, 5))]
    table = LogTable(connection)
    for number in numbers:
        detail = b'{"method":"%b"}' % (str(number).encode() * 200)
        table.write([a_record(gateway=number, detail=detail) for _ in range(300)])

    async def read(number: int) -> None:
        for _ in range(40):
            rows = await store.page(number, limit=50)
            assert {bytes(row.detail) for row in rows} == {b'{"method":"%b"}' % (str(number).encode() * 200)}

    await asyncio.gather(*(read(number) for number in numbers * 2))
