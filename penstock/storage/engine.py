"""The database as the control plane sees it: SQLAlchemy Core on an asynchronous driver.

The log has a connection of its own in the writer process (``storage.logs``); this one is for everything that people
and programs change by hand, a few times a second at most.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, event, exc
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from penstock.storage.database import PRAGMAS, file_of
from penstock.storage.errors import StoreUnavailable

Handle = AsyncConnection  # for those who may not import the driver

READERS = 4  # that read at once; more wait
PATIENCE = 5.0  # seconds one waits for its turn; SQLite waits as long again for a lock that others hold
QUEUE = 200  # writers that may wait; more are refused at once


class Database:
    """``url`` as in ``storage.database.file_of``. ``close`` it before the loop ends.

    Writers take turns in the order in which they came, on a connection of their own, so that a lock that somebody
    holds on the file never keeps readers from reading.
    """

    def __init__(self, url: str) -> None:
        self._readers = _engine(url, READERS, "BEGIN")
        # A transaction that will write locks at once: one that turned to writing later could only fail.
        self._writer = _engine(url, 1, "BEGIN IMMEDIATE")
        self._turn = asyncio.Lock()
        self._waiting = 0

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[Handle]:
        """One consistent view. Raises StoreUnavailable."""
        async with _transaction(self._readers) as connection:
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[Handle]:
        """One transaction: all or nothing, one at a time. Raises StoreUnavailable."""
        await self._take_turn()
        try:
            async with _transaction(self._writer) as connection:
                yield connection
        finally:
            self._turn.release()

    async def close(self) -> None:
        await self._readers.dispose()
        await self._writer.dispose()

    async def _take_turn(self) -> None:
        if self._waiting >= QUEUE:
            raise StoreUnavailable("Too many changes are waiting to be written; try again.")
        self._waiting += 1
        try:
            async with asyncio.timeout(PATIENCE):
                await self._turn.acquire()
        except TimeoutError:
            raise StoreUnavailable("The changes before this one could not be written in time; try again.") from None
        finally:
            self._waiting -= 1


def _engine(url: str, size: int, begin: str) -> AsyncEngine:
    # The file is never made here: one that is gone is a store that is away, and not a new and empty one.
    url = f"sqlite+aiosqlite:///file:{quote(str(file_of(url).absolute()))}?mode=rw&uri=true"
    engine = create_async_engine(url, pool_size=size, max_overflow=0, pool_timeout=PATIENCE)

    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine.sync_engine, "connect", _prepare)
    event.listen(engine.sync_engine, "begin", start)
    return engine


@asynccontextmanager
async def _transaction(engine: AsyncEngine) -> AsyncGenerator[Handle]:
    try:
        async with engine.begin() as connection:
            yield connection
    except (exc.DatabaseError, exc.TimeoutError) as error:
        if isinstance(error, exc.IntegrityError | exc.ProgrammingError):
            raise  # a fault of ours, not of the store
        raise StoreUnavailable(f"The database cannot be used: {getattr(error, 'orig', error)}") from error


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are ours: BEGIN as above
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(pragma)
    cursor.close()
