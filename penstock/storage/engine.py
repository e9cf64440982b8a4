"""The database as the control plane sees it: SQLAlchemy Core on an asynchronous driver.

The log has connections of its own (``storage.log``); this one is for everything that people and programs change by
hand, a few times a second at most.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote

from sqlalchemy import Connection, event, exc
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from penstock.storage import opening, postgres_errors
from penstock.storage.errors import StoreUnavailable
from penstock.storage.log.names import stored
from penstock.storage.sql import POSTGRES, SQLITE, Row, Statements, inserting, numbered
from penstock.storage.sqlite import PRAGMAS
from penstock.storage.sqlite_file import file_of

Handle = AsyncConnection  # for those who may not import the driver
T = TypeVar("T")

READERS = 4  # that read at once; more wait
PATIENCE = 5.0  # seconds one waits for its turn, and for each answer; SQLite waits as long again for others' locks
QUEUE = 200  # writers that may wait; more are refused at once


class _Statements:
    """``storage.sql.Statements`` on a connection of SQLAlchemy's."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.dialect = SQLITE if connection.dialect.name == "sqlite" else POSTGRES

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        done = self._connection.exec_driver_sql(self._spelt(sql), tuple(values))
        return [tuple(row) for row in done] if done.returns_rows else []

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        if many := [tuple(row) for row in rows]:
            self._connection.exec_driver_sql(self._spelt(sql), many)

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        self.executemany(inserting(table, columns), rows)

    def _spelt(self, sql: str) -> str:
        return sql if self.dialect is SQLITE else numbered(sql)


async def within(connection: Handle, work: Callable[[Statements], T]) -> T:
    """What ``work`` returns, done in the transaction of the handle: for what the log's writer does as well."""
    return await connection.run_sync(lambda blocking: work(_Statements(blocking)))


class Database:
    """``url``: of SQLite or PostgreSQL. ``close`` it before the loop ends.

    Writers take turns in the order in which they came, on a connection of their own, so that a lock that somebody
    holds on the file never keeps readers from reading. Those of several processes take turns by the row of the
    configuration, which each locks first.
    """

    def __init__(self, url: str) -> None:
        kind = _postgres if opening.is_shared(url) else _sqlite
        self._readers = kind(url, READERS, writing=False)
        self._writer = kind(url, 1, writing=True)
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


def _sqlite(url: str, size: int, *, writing: bool) -> AsyncEngine:
    # The file is never made here: one that is gone is a store that is away, and not a new and empty one.
    url = f"sqlite+aiosqlite:///file:{quote(str(file_of(url).absolute()))}?mode=rw&uri=true"
    engine = create_async_engine(url, pool_size=size, max_overflow=0, pool_timeout=PATIENCE)
    event.listen(engine.sync_engine, "connect", _prepare)
    # A transaction that will write locks at once: one that turned to writing later could only fail.
    _begin_with(engine, "BEGIN IMMEDIATE" if writing else "BEGIN")
    return engine


def _postgres(url: str, size: int, *, writing: bool) -> AsyncEngine:
    from penstock.storage.postgres import open_connection  # noqa: PLC0415  only those who use PostgreSQL load the driver

    how = partial(open_connection, url, reading=not writing, statement=PATIENCE, answer=PATIENCE + 1)
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=how,
        pool_size=size,
        max_overflow=0,
        pool_timeout=PATIENCE,
        pool_pre_ping=True,
        isolation_level="READ COMMITTED" if writing else "REPEATABLE READ",
    )
    event.listen(engine.sync_engine, "handle_error", _gone, retval=True)
    event.listen(engine.sync_engine, "before_cursor_execute", _without_nul, retval=True)
    if writing:
        _begin_with(engine, "SELECT version FROM configuration FOR UPDATE")
    return engine


def _begin_with(engine: AsyncEngine, sql: str) -> None:
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(sql)

    event.listen(engine.sync_engine, "begin", start)


@asynccontextmanager
async def _transaction(engine: AsyncEngine) -> AsyncGenerator[Handle]:
    try:
        async with AsyncExitStack() as stack:
            try:
                connection = await stack.enter_async_context(engine.connect())
            except (OSError, TimeoutError) as error:  # of the look whether a kept connection still lives
                raise _unreachable(error) from error
            async with connection.begin():
                yield connection
    except (exc.DBAPIError, exc.TimeoutError) as error:
        reason = getattr(error, "orig", error)
        ours = isinstance(error, exc.IntegrityError | exc.ProgrammingError)
        if ours and not postgres_errors.is_of_the_tables(postgres_errors.sqlstate(reason)):
            raise  # a fault of the program, not of the store
        raise StoreUnavailable(f"The database cannot be used: {reason.__cause__ or reason}") from error


def _gone(context: Any) -> StoreUnavailable | None:
    """What the system raises, and not the driver: the connection is given up."""
    error = context.original_exception
    if not isinstance(error, OSError | TimeoutError):
        return None
    context.is_disconnect = True
    return _unreachable(error)


def _unreachable(error: OSError) -> StoreUnavailable:
    return StoreUnavailable(f"The database cannot be reached: {str(error) or 'it does not answer in time'}")


def _without_nul(_: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: Any) -> tuple[str, Any]:
    """PostgreSQL's text has no NUL: what is asked with one is not there, which is no fault."""
    return statement, tuple(stored(value) if isinstance(value, str) else value for value in parameters)


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are ours: BEGIN as above
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(pragma)
    cursor.close()
