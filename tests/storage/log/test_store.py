"""The log as the control plane asks it: from a loop, beside the writer."""

import asyncio
import threading
from collections.abc import AsyncIterator, Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from penstock.core import ids
from penstock.storage import opening
from penstock.storage.errors import StoreUnavailable, TooSlow
from penstock.storage.log import reap
from penstock.storage.log.filters import Filter, Test
from penstock.storage.log.listing import Asked
from penstock.storage.log.reader import LogReader
from penstock.storage.log.store import SEATS, LogStore
from penstock.storage.log.table import LogTable
from penstock.storage.sql import SQLITE, Sql
from tests.kit.databases import await_server
from tests.kit.logsink import a_gateway, a_record
from tests.kit.services import Server

FOR_EVER = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT max(x) FROM n"


@pytest.fixture
async def store(url: str) -> AsyncIterator[LogStore]:
    store = LogStore(url)
    yield store
    await store.close()


async def test_what_was_written_can_be_asked_for(store: LogStore, connection: Sql):
    records = [a_record() for _ in range(30)]
    LogTable(connection).write(records)
    newest_first = [ids.text(record.id) for record in records][::-1]
    assert [row.id for row in (await store.page(1, Asked(limit=10, offset=5))).rows] == newest_first[5:15]
    assert [row.id for row in (await store.page(1, Asked(limit=3, ascending=True))).rows] == newest_first[:-4:-1]
    assert (await store.summary(1, Filter((Test("provider", "eq", ("openai",)),)))).count == 30
    row = await store.get(1, records[7].id)
    assert row is not None
    assert row.id == ids.text(records[7].id)
    assert await store.bodies(1, records[7].id) == (records[7].request, records[7].response)
    assert await store.get(2, records[7].id) is None


async def test_more_questions_than_seats(store: LogStore, connection: Sql):
    LogTable(connection).write([a_record() for _ in range(100)])
    answers = await asyncio.gather(*[store.page(1, Asked(limit=n)) for n in range(1, 10 * SEATS)])
    assert [len(page.rows) for page in answers] == list(range(1, 10 * SEATS))


async def test_a_question_that_takes_too_long_is_given_up(url: str, connection: Sql):
    LogTable(connection).write([a_record() for _ in range(50)])
    store = LogStore(url, seconds=0.3)
    with hindered(connection):
        for _ in range(SEATS + 1):
            with pytest.raises(TooSlow):
                await store.summary(1)
    assert len((await store.page(1, Asked(limit=5))).rows) == 5
    await store.close()


async def test_a_question_that_waits_for_somebodys_lock_is_no_question_that_takes_too_long(url: str, connection: Sql):
    store = LogStore(url)
    if connection.dialect is not SQLITE:  # there, readers wait for nobody
        with hindered(connection), pytest.raises(StoreUnavailable, match="lock timeout"):
            await store.summary(1)
    assert (await store.summary(1)).count == 0
    await store.close()


@contextmanager
def hindered(connection: Sql) -> Generator[None]:
    """A question to the zones takes for ever."""
    if connection.dialect is SQLITE:
        connection.execute("ALTER TABLE log_zones RENAME TO real_zones")
        connection.execute(f"CREATE VIEW log_zones AS SELECT * FROM real_zones, ({FOR_EVER})")
        yield
        connection.execute("DROP VIEW log_zones")
        connection.execute("ALTER TABLE real_zones RENAME TO log_zones")
    else:
        with connection.transaction():
            connection.execute("LOCK TABLE log_zones")
            yield


@pytest.mark.parametrize("how", ["nobody waits", "the store is closed"])
async def test_what_runs_is_cut_short_when(how: str, url: str, connection: Sql):
    store = LogStore(url, seconds=3600.0)
    running = threading.Event()

    def for_ever(reader: LogReader) -> Any:
        running.set()
        return reader._connection.execute(FOR_EVER)

    asked = [asyncio.ensure_future(store._ask(for_ever)) for _ in range(SEATS)]
    await asyncio.to_thread(running.wait)
    if how == "nobody waits":
        for one in asked:
            one.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
        assert (await store.page(1)).rows == []
        await store.close()
    else:
        await store.close()
        assert {type(answer) for answer in await asyncio.gather(*asked, return_exceptions=True)} == {TooSlow}


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


async def test_rows_may_be_reaped_between_the_queries_of_a_question(connection: Sql, url: str):
    table = LogTable(connection)
    for _ in range(40):
        table.write([a_record() for _ in range(25)])
    stop = threading.Event()
    reading = asyncio.get_running_loop().run_in_executor(None, _read_until, url, stop)
    try:
        while reap.reap(connection, 1, 7):
            await asyncio.sleep(0)
    finally:
        stop.set()
    assert await reading > 0


def _read_until(url: str, stop: threading.Event) -> int:
    reader, seen = LogReader(opening.connect_reader(url)), 0
    while not stop.is_set():
        seen += 1 + len(reader.list_rows(1, limit=10)) + len(reader.newest(10))
    reader.close()
    return seen


async def test_many_readers_at_once_each_read_what_is_theirs(store: LogStore, connection: Sql):
    """A decompressor that threads share corrupts memory: wrong rows at first, then the end of the process."""
    numbers = [1, *(a_gateway(connection, f"g{at}") for at in range(2, 5))]
    table = LogTable(connection)
    for number in numbers:
        detail = b'{"method":"%b"}' % (str(number).encode() * 200)
        table.write([a_record(gateway=number, detail=detail) for _ in range(300)])

    async def read(number: int) -> None:
        for _ in range(40):
            rows = (await store.page(number, Asked(limit=50))).rows
            assert {bytes(row.detail) for row in rows} == {b'{"method":"%b"}' % (str(number).encode() * 200)}

    await asyncio.gather(*(read(number) for number in numbers * 2))


async def test_while_postgresql_is_away_it_says_so_and_goes_on_when_it_is_back(away: tuple[str, Server]):
    url, server = away
    with closing(opening.connect(url)) as connection:
        a_gateway(connection)
        records = [a_record() for _ in range(30)]
        LogTable(connection).write(records)
    store = LogStore(url)
    assert len((await store.page(1, Asked(limit=7))).rows) == 7
    server.stop()
    for _ in range(2 * SEATS):
        with pytest.raises(StoreUnavailable):
            await store.page(1)
    server.start()
    await_server(server.url)
    for _ in range(2 * SEATS):
        assert len((await store.page(1, Asked(limit=7))).rows) == 7
    await store.close()
