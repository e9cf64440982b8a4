import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

import pytest

from penstock.backends.logpipe import LogPipe
from penstock.core import ids
from penstock.core.tasks import Tasks
from penstock.model.record import LogRecord
from penstock.storage import opening, schema
from penstock.storage.errors import StoreUnavailable
from penstock.storage.log.reader import LogReader
from tests.kit.databases import EITHER, database_of, postgres_on
from tests.kit.logsink import a_record, with_gateway
from tests.kit.services import postgres

LIMIT = 30.0


@pytest.fixture(params=EITHER)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[schema.Store]:
    with database_of(request.param, tmp_path) as url:
        store = schema.open_store(with_gateway(url))
        yield store
        store.close()


@contextmanager
def locked(store: schema.Store) -> Iterator[None]:
    """Nobody else can write to the log."""
    with closing(opening.connect(store.url)) as connection, connection.transaction():
        if opening.is_shared(store.url):
            connection.execute("LOCK TABLE logs")
        yield


@asynccontextmanager
async def piped(store: schema.Store, *, max_bytes: int = 2**26, max_rows: int = 100_000) -> AsyncIterator[LogPipe]:
    tasks = Tasks()
    pipe = LogPipe(tasks, store.url, max_bytes=max_bytes, max_rows=max_rows)
    await pipe.start()
    try:
        yield pipe
    finally:
        await pipe.stop(LIMIT)
        await tasks.stop()


def stored(store: schema.Store) -> set[str]:
    with closing(opening.connect_reader(store.url)) as connection:
        return {row.id for row in LogReader(connection).newest(1_000_000)}


def bodies(store: schema.Store, record: LogRecord) -> tuple[bytes | None, bytes | None]:
    with closing(opening.connect_reader(store.url)) as connection:
        return LogReader(connection).bodies(record.gateway, record.id)


def names(records: list[LogRecord]) -> set[str]:
    return {ids.text(record.id) for record in records}


async def test_settled_means_written(store: schema.Store):
    async with piped(store) as pipe:
        await pipe.settled()
        for count in (1, 200, 3):
            records = [a_record() for _ in range(count)]
            for record in records:
                pipe.offer(record)
            assert pipe.pending() == count
            await asyncio.wait_for(pipe.settled(), LIMIT)
            assert pipe.pending() == 0
            assert names(records) <= stored(store)
        assert pipe.written_rows == 204


async def test_stop_writes_what_was_offered_and_the_writer_ends(store: schema.Store):
    records = [a_record() for _ in range(5000)]
    async with piped(store) as pipe:
        for record in records:
            pipe.offer(record)
        writer = pipe.writer_pid
        assert writer is not None
    assert stored(store) == names(records)
    with pytest.raises(ProcessLookupError):
        os.kill(writer, 0)


async def test_what_is_offered_before_the_start_is_written(store: schema.Store):
    pipe = LogPipe(Tasks(), store.url)
    record = a_record()
    pipe.offer(record)
    await pipe.start()
    await pipe.stop(LIMIT)
    assert stored(store) == names([record])


async def test_bodies_larger_than_the_socket_arrive_whole(store: schema.Store):
    records = [a_record(request=os.urandom(3_000_000), response=os.urandom(2_000_000)) for _ in range(5)]
    async with piped(store) as pipe:
        for record in records:
            pipe.offer(record)
        await asyncio.wait_for(pipe.settled(), LIMIT)
        for record in records:
            assert bodies(store, record) == (record.request, record.response)


async def test_beyond_the_byte_bound_new_records_lose_their_bodies(store: schema.Store):
    async with piped(store, max_bytes=50_000) as pipe:
        records = [a_record(request=b"q" * 20_000, response=None) for _ in range(6)]
        for record in records:
            pipe.offer(record)
        await asyncio.wait_for(pipe.settled(), LIMIT)
        assert (pipe.dropped_bodies, pipe.dropped_rows, pipe.written_rows) == (4, 0, 6)
        again = a_record(request=b"q" * 20_000)  # room again
        pipe.offer(again)
        await asyncio.wait_for(pipe.settled(), LIMIT)
        assert pipe.dropped_bodies == 4
        kept = [bodies(store, record)[0] is not None for record in [*records, again]]
        assert kept == [True, True, False, False, False, False, True]


async def test_beyond_twice_the_byte_bound_rows_are_dropped(store: schema.Store):
    async with piped(store, max_bytes=1_000_000) as pipe:
        records = [a_record(request=b"q", response=None, detail=b"{%b}" % (b" " * 100_000)) for _ in range(30)]
        for record in records:
            pipe.offer(record)
        assert pipe.pending() == 19
        assert (pipe.dropped_bodies, pipe.dropped_rows) == (10, 11)
        await asyncio.wait_for(pipe.settled(), LIMIT)
        assert stored(store) == names(records[:19])
        pipe.offer(again := a_record())  # room again
        await asyncio.wait_for(pipe.settled(), LIMIT)
        assert names([again]) <= stored(store)


async def test_a_queue_without_room_for_bodies_has_room_for_rows(store: schema.Store):
    async with piped(store, max_bytes=0) as pipe:
        for _ in range(100):
            pipe.offer(a_record(request=b"q"))
        await asyncio.wait_for(pipe.settled(), LIMIT)
        assert (pipe.dropped_bodies, pipe.dropped_rows, pipe.written_rows) == (100, 0, 100)


async def test_what_is_spent_is_not_dropped_with_its_row(store: schema.Store):
    spends = (("token:t", 0, 0, 1),)
    async with piped(store, max_rows=10) as pipe:
        with locked(store):
            for _ in range(15):
                pipe.offer(a_record(spends=spends))
            pipe.offer(a_record())
            assert (pipe.dropped_rows, pipe.pending()) == (6, 15)
            for _ in range(9):
                pipe.offer(a_record(spends=spends))
            assert (pipe.dropped_rows, pipe.pending()) == (15, 20)  # as much again is the bound
        await pipe.settled()
        assert len(stored(store)) == 10
    with closing(opening.connect_reader(store.url)) as connection:
        assert connection.execute("SELECT amount FROM spent") == [(20,)]


async def test_beyond_the_row_bound_rows_are_dropped_and_counted(store: schema.Store):
    async with piped(store, max_rows=10) as pipe:
        records = [a_record() for _ in range(25)]
        for record in records:
            pipe.offer(record)
        assert pipe.pending() == 10
        await asyncio.wait_for(pipe.settled(), LIMIT)
        assert (pipe.dropped_bodies, pipe.dropped_rows, pipe.written_rows) == (0, 15, 10)
    assert stored(store) == names(records[:10])


async def test_while_the_database_is_locked_rows_wait_within_the_bounds(store: schema.Store):
    async with piped(store, max_rows=500, max_bytes=1_000_000) as pipe:
        with locked(store):
            for _ in range(20):
                for _ in range(50):
                    pipe.offer(a_record(request=b"q" * 4000))
                await asyncio.sleep(0)
            assert pipe.pending() == 500
            await asyncio.sleep(0)
            assert pipe.stalled() > 0
            assert pipe.dropped_rows == 500
            assert pipe.dropped_bodies > 0
        await asyncio.wait_for(pipe.settled(), LIMIT)
        assert pipe.stalled() == 0
        assert pipe.written_rows == 500
    assert len(stored(store)) == 500


async def test_a_writer_that_dies_is_replaced_and_nothing_is_lost_or_doubled(store: schema.Store):
    records: list[LogRecord] = []
    async with piped(store) as pipe:
        for _ in range(3):
            for _ in range(2000):
                records.append(a_record(request=os.urandom(500)))
                pipe.offer(records[-1])
            await asyncio.sleep(0.03)  # lets some of it be under way
            assert pipe.writer_pid is not None
            os.kill(pipe.writer_pid, signal.SIGKILL)
            await asyncio.wait_for(pipe.settled(), LIMIT)
        assert pipe.written_rows == len(records)
        assert pipe.dropped_rows == 0
    assert stored(store) == names(records)
    sql = "SELECT (SELECT count(*) FROM logs), (SELECT sum(length(ids)) / 16 FROM log_bodies)"
    with closing(opening.connect_reader(store.url)) as connection:
        assert connection.execute(sql) == [(6000, 6000)]


async def test_a_record_that_is_no_record_is_counted_and_hurts_no_other(store: schema.Store):
    async with piped(store) as pipe:
        pipe.offer(a_record(model="\ud800"))
        good = a_record()
        pipe.offer(good)
    assert pipe.dropped_rows == 1
    assert stored(store) == names([good])


async def test_a_store_that_cannot_be_opened_is_refused_at_the_start(tmp_path: Path):
    pipe = LogPipe(Tasks(), f"sqlite:///{tmp_path / 'none' / 'x.db'}")
    with pytest.raises(StoreUnavailable, match=r"none/x\.db"):
        await pipe.start()
    await pipe.stop(1)


async def test_stop_gives_up_after_its_limit(store: schema.Store):
    pipe = LogPipe(Tasks(), store.url)
    with locked(store):
        await pipe.start()
        pipe.offer(a_record())
        writer = pipe.writer_pid
        assert writer is not None
        await pipe.stop(0.2)
    assert pipe.pending() == 1
    with pytest.raises(ProcessLookupError):
        os.kill(writer, 0)


async def test_while_postgresql_is_away_rows_wait_within_the_bounds_and_none_of_them_is_lost():
    with postgres() as server, postgres_on(server.url) as url:
        store = schema.Store(with_gateway(url))
        async with piped(store, max_rows=2000) as pipe:
            records = [a_record() for _ in range(3000)]
            for record in records[:500]:
                pipe.offer(record)
            await asyncio.wait_for(pipe.settled(), LIMIT)
            server.stop()
            for at in range(500, 3000, 100):
                for record in records[at : at + 100]:
                    pipe.offer(record)
                await asyncio.sleep(0.001)
            assert (pipe.pending(), pipe.dropped_rows, pipe.written_rows) == (2000, 500, 500)
            writer = pipe.writer_pid
            server.start()
            await asyncio.wait_for(pipe.settled(), LIMIT)
            assert pipe.writer_pid == writer  # which has waited
        assert stored(store) == names(records[:2500])


async def test_a_writer_that_dies_while_postgresql_is_away_is_replaced_and_waits_too():
    with postgres() as server, postgres_on(server.url) as url:
        store = schema.Store(with_gateway(url))
        async with piped(store) as pipe:
            server.stop()
            records = [a_record() for _ in range(300)]
            for record in records:
                pipe.offer(record)
            before = pipe.writer_pid
            assert before is not None
            os.kill(before, signal.SIGKILL)
            async with asyncio.timeout(LIMIT):
                while pipe.writer_pid in (None, before):
                    await asyncio.sleep(0.01)
            server.start()
            await asyncio.wait_for(pipe.settled(), LIMIT)
        assert stored(store) == names(records)
