"""The database as the control plane has it: real files, and others who write to them."""

import asyncio
import socket
import threading
from contextlib import closing, contextmanager

import psutil
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from penstock.storage import accounts, configuration, gateways, opening
from penstock.storage.announcements import Announcements
from penstock.storage.engine import QUEUE, Database
from penstock.storage.errors import StoreUnavailable
from penstock.storage.log.reader import LogReader
from penstock.storage.log.table import LogTable
from tests.kit.client import until
from tests.kit.databases import await_server
from tests.kit.logsink import a_gateway, a_record


@pytest.fixture
async def store(url):
    made = Database(url)
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


async def test_none_of_many_changes_side_by_side_is_lost(url):
    """Read, reckon and write in one transaction, in two processes' worth of connections."""
    stores = [Database(url) for _ in range(2)]

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


async def test_what_was_committed_is_there_for_the_next_connection(url, store):
    made = await raised(store)
    await store.close()
    other = Database(url)
    assert await version(other) == made
    await other.close()


async def test_a_database_that_somebody_keeps_locked_is_said_to_be_unavailable(url, store):
    before = await version(store)
    with closing(opening.connect(url)) as holder, holder.transaction():
        accounts.hold(holder)
        with pytest.raises(StoreUnavailable, match="cannot be used"):
            await raised(store)
        assert await version(store) == before  # it can still be read
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


async def test_it_works_beside_the_log_writer_who_writes_all_the_time(url, store):
    with closing(opening.connect(url)) as connection:
        number = a_gateway(connection)
    stop, rounds = threading.Event(), []

    def write():
        with closing(opening.connect(url)) as mine:
            table = LogTable(mine)
            while not stop.is_set():
                table.write([a_record(gateway=number) for _ in range(200)])
                rounds.append(1)

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
    with closing(opening.connect_reader(url)) as reader:
        assert LogReader(reader).summary(number).count == 200 * len(rounds)


async def test_a_lock_that_another_process_holds_keeps_no_reader_waiting(store, url):
    await version(store)
    with closing(opening.connect(url)) as held:
        with held.transaction():
            accounts.hold(held)
            writers = [asyncio.ensure_future(raised(store)) for _ in range(20)]
            await asyncio.sleep(0)
            assert [await version(store) for _ in range(20)] == [1] * 20
            assert not any(writer.done() for writer in writers)
        assert await asyncio.gather(*writers) == list(range(2, 22)), "in the order in which they came"


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


# PostgreSQL


@contextmanager
def standing_still(server):
    """Its processes take connections and answer nothing."""
    process = psutil.Process(server.pid)
    family = [process, *process.children(recursive=True)]
    for member in family:
        member.suspend()
    try:
        yield
    finally:
        for member in family:
            member.resume()


async def test_what_cannot_be_reached_or_is_not_there_is_said_to_be_unavailable(shared):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    address = shared.rpartition("/")[0]
    for url in (f"{address}/none", f"postgresql://penstock@127.0.0.1:{port}/none"):
        store = Database(url)
        for transaction in (store.reading, store.writing):
            with pytest.raises(StoreUnavailable):
                async with transaction() as connection:
                    await configuration.version(connection)
        await store.close()


async def test_a_server_that_goes_and_comes_back_needs_no_restart_of_ours(away):
    url, server = away
    store = Database(url)
    before = await raised(store)
    assert await asyncio.gather(*(version(store) for _ in range(4))) == [before] * 4
    with pytest.raises(StoreUnavailable):
        async with store.reading() as connection:
            await configuration.version(connection)
            server.stop()
            await configuration.version(connection)
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            await version(store)
        with pytest.raises(StoreUnavailable):
            await raised(store)
    server.start()
    await_server(server.url)
    assert await asyncio.gather(*(version(store) for _ in range(4))) == [before] * 4
    assert await raised(store) == before + 1
    await store.close()


async def test_a_server_that_does_not_answer_is_waited_for_and_no_longer(away):
    """It is there, and its processes stand still."""
    url, server = away
    store = Database(url)
    before = await version(store)
    with standing_still(server):
        async with asyncio.timeout(30):
            for attempt in (version, raised):
                with pytest.raises(StoreUnavailable):
                    await attempt(store)
    assert await raised(store) == before + 1
    await store.close()


async def test_a_connection_that_the_server_ends_is_replaced(shared):
    store = Database(shared)
    before = await raised(store)
    with closing(opening.connect(shared)) as other:
        for _ in range(2):
            await asyncio.gather(*(version(store) for _ in range(4)))
            sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            other.execute(f"{sql} AND pid != pg_backend_pid()")
            assert await asyncio.gather(*(version(store) for _ in range(4))) == [before] * 4
            before = await raised(store)
    await store.close()


async def test_a_change_is_announced_when_it_is_committed_and_not_before(shared):
    store, heard = Database(shared), asyncio.Queue()
    listening = asyncio.ensure_future(Announcements(shared).listen(lambda: heard.put_nowait(None)))
    await heard.get()
    async with store.writing() as connection:
        await configuration.raise_version(connection)
        await asyncio.sleep(0.05)
        assert heard.empty()
    await heard.get()
    with pytest.raises(ZeroDivisionError):
        async with store.writing() as connection:
            await configuration.raise_version(connection)
            raise ZeroDivisionError
    await asyncio.sleep(0.05)
    assert heard.empty()
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await store.close()


async def test_what_is_asked_with_a_nul_is_not_there(url, store):
    async with store.reading() as connection:
        assert await gateways.get(connection, "a" * 32, "x\0") is None
        assert await gateways.page(connection, "a" * 32, search="\0", limit=5, offset=0) == ([], 0)


async def test_tables_that_may_not_be_used_are_the_stores_fault_and_wrong_sql_is_ours(shared):
    store = Database(shared)
    with pytest.raises(ProgrammingError):
        async with store.reading() as connection:
            await connection.execute(text("SELECT 1 FROM (SELECT 2"))
    with closing(opening.connect(shared)) as other:
        other.execute("ALTER TABLE gateways RENAME TO elsewhere")
        with pytest.raises(StoreUnavailable, match="gateways"):
            async with store.reading() as connection:
                await gateways.get(connection, "a" * 32, "x")
        other.execute("ALTER TABLE elsewhere RENAME TO gateways")
    async with store.reading() as connection:
        assert await gateways.get(connection, "a" * 32, "x") is None
    await store.close()
