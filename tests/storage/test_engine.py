"""The database as the control plane has it: real files, and others who write to them."""

import asyncio
import shutil
import threading

import pytest
from sqlalchemy import text

from penstock.storage import configuration, database, schema
from penstock.storage.engine import QUEUE, Database
from penstock.storage.errors import StoreUnavailable
from penstock.storage.log_rows import LogReader
from penstock.storage.logs import LogTable
from penstock.testing.client import until
from penstock.testing.logsink import a_gateway, a_record


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    file = tmp_path_factory.mktemp("empty") / "penstock.db"
    schema.upgrade(file)
    return file


@pytest.fixture
def file(empty, tmp_path):
    return shutil.copyfile(empty, tmp_path / "penstock.db")


@pytest.fixture
async def store(file):
    made = Database(f"sqlite:///{file}")
    yield made
    await made.close()


async def version(store):
    async with store.reading() as connection:
        return await configuration.version(connection)


async def raised(store):
    async with store.writing() as connection:
        return await configuration.raise_version(connection)


async def test_two_writers_take_turns(store):
    """The second begins when the first has ended, and sees what it wrote."""
    said = []
    first_writes, go_on = asyncio.Event(), asyncio.Event()

    async def first():
        async with store.writing() as connection:
            said.append(("first", await configuration.raise_version(connection)))
            first_writes.set()
            await go_on.wait()
            said.append(("first ends", await configuration.version(connection)))

    async def second():
        await first_writes.wait()
        async with store.writing() as connection:
            said.append(("second", await configuration.raise_version(connection)))

    before = await version(store)
    tasks = [asyncio.ensure_future(first()), asyncio.ensure_future(second())]
    await first_writes.wait()
    assert await version(store) == before  # and readers wait for neither
    go_on.set()
    await asyncio.gather(*tasks)
    assert said == [("first", before + 1), ("first ends", before + 1), ("second", before + 2)]


async def test_none_of_many_changes_side_by_side_is_lost(file):
    """Read, reckon and write in one transaction, in two processes' worth of connections."""
    stores = [Database(f"sqlite:///{file}") for _ in range(2)]

    async def change(store):
        async with store.writing() as connection:
            seen = await configuration.version(connection)
            await asyncio.sleep(0)
            await connection.execute(text("UPDATE configuration SET version = :v"), {"v": seen + 1})

    before = await version(stores[0])
    await asyncio.gather(*(change(stores[turn % 2]) for turn in range(60)))
    assert await version(stores[1]) == before + 60
    for store in stores:
        await store.close()


async def test_a_reader_has_one_consistent_view(store):
    async with store.reading() as connection:
        seen = await configuration.version(connection)
        assert await raised(store) == seen + 1
        assert await configuration.version(connection) == seen
    assert await version(store) == seen + 1


async def test_a_failure_undoes_everything_and_is_passed_on(store):
    before = await version(store)
    with pytest.raises(ZeroDivisionError):
        async with store.writing() as connection:
            await configuration.raise_version(connection)
            raise ZeroDivisionError
    assert await version(store) == before
    assert await raised(store) == before + 1  # and nobody is kept waiting


async def test_a_caller_who_gives_up_undoes_everything(store):
    before = await version(store)
    begun = asyncio.Event()

    async def change():
        async with store.writing() as connection:
            await configuration.raise_version(connection)
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.ensure_future(change())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await version(store) == before
    assert await raised(store) == before + 1


async def test_what_was_committed_is_there_for_the_next_connection(file, store):
    made = await raised(store)
    await store.close()
    other = Database(f"sqlite:///{file}")
    assert await version(other) == made
    await other.close()


async def test_a_database_that_somebody_keeps_locked_is_said_to_be_unavailable(file, store):
    before = await version(store)
    holder = database.connect(file)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        await raised(store)
    assert await version(store) == before  # it can still be read
    holder.execute("ROLLBACK")
    holder.close()
    assert await raised(store) == before + 1


@pytest.mark.parametrize("name", ["missing.db", "missing/penstock.db"])
async def test_a_database_that_is_not_there_is_said_to_be_unavailable(tmp_path, name):
    store = Database(f"sqlite:///{tmp_path / name}")
    before = set(threading.enumerate())
    for transaction in (store.reading, store.writing):
        with pytest.raises(StoreUnavailable):
            async with transaction() as connection:
                await configuration.version(connection)
    await store.close()
    await until(lambda: set(threading.enumerate()) <= before)  # the driver's thread still speaks to this loop


async def test_it_works_beside_the_log_writer_who_writes_all_the_time(file, store):
    connection = database.connect(file)
    number = a_gateway(connection)
    connection.close()
    stop, rounds = threading.Event(), []

    def write():
        mine = database.connect(file)
        table = LogTable(mine)
        while not stop.is_set():
            table.write([a_record(gateway=number) for _ in range(200)])
            rounds.append(1)
        mine.close()

    before = await version(store)
    writer = threading.Thread(target=write)
    writer.start()
    try:
        for turn in range(40):
            assert await raised(store) == before + turn + 1
            assert await version(store) == before + turn + 1
    finally:
        stop.set()
        await asyncio.to_thread(writer.join)
    reader = database.connect_reader(file)
    assert LogReader(reader).summary(number).count == 200 * len(rounds)
    reader.close()


async def test_a_lock_that_another_process_holds_keeps_no_reader_waiting(store, file):
    await version(store)
    held = database.connect(file)
    held.execute("BEGIN IMMEDIATE")
    writers = [asyncio.ensure_future(raised(store)) for _ in range(20)]
    await asyncio.sleep(0)
    assert [await version(store) for _ in range(20)] == [1] * 20
    assert not any(writer.done() for writer in writers)
    held.execute("ROLLBACK")
    assert await asyncio.gather(*writers) == list(range(2, 22)), "in the order in which they came"
    held.close()


async def test_as_many_writers_wait_as_may_and_no_more(store):
    entered, go_on = asyncio.Event(), asyncio.Event()

    async def slow():
        async with store.writing():
            entered.set()
            await go_on.wait()

    first = asyncio.ensure_future(slow())
    await entered.wait()
    waiting = [asyncio.ensure_future(raised(store)) for _ in range(QUEUE)]
    await asyncio.sleep(0)
    with pytest.raises(StoreUnavailable, match="Too many"):
        await raised(store)
    go_on.set()
    await first
    assert len(await asyncio.gather(*waiting)) == QUEUE
    assert await raised(store) == QUEUE + 2
