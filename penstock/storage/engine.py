"""The database as the control plane sees it: SQLAlchemy Core on an asynchronous driver.

The log has a connection of its own in the writer process (``storage.logs``); this one is for everything that people
and programs change by hand, a few times a second at most.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Connection, event, exc
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from penstock.storage.database import PRAGMAS
from penstock.storage.errors import StoreUnavailable

Handle = AsyncConnection  # for those who may not import the driver


class Database:
    """``url`` as in ``storage.database.file_of``. ``close`` it before the loop ends."""

    def __init__(self, url: str) -> None:
        self._engine = create_async_engine(url.replace("sqlite:", "sqlite+aiosqlite:", 1), pool_size=4, max_overflow=4)
        event.listen(self._engine.sync_engine, "connect", _prepare)
        event.listen(self._engine.sync_engine, "begin", _begin)

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[Handle]:
        """One consistent view. Raises StoreUnavailable."""
        async with self._transaction(write=False) as connection:
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[Handle]:
        """One transaction: all or nothing, one at a time. Raises StoreUnavailable."""
        async with self._transaction(write=True) as connection:
            yield connection

    async def close(self) -> None:
        await self._engine.dispose()

    @asynccontextmanager
    async def _transaction(self, *, write: bool) -> AsyncGenerator[Handle]:
        try:
            async with self._engine.connect() as connection:
                await connection.execution_options(penstock_write=write)
                async with connection.begin():
                    yield connection
        except exc.OperationalError as error:
            raise StoreUnavailable(f"The database cannot be used: {error.orig}") from error


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are ours: BEGIN as below
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin(connection: Connection) -> None:
    """A transaction that will write takes its turn at once: one that turned to writing later could only fail."""
    write = connection.get_execution_options().get("penstock_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
