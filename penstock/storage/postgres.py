"""PostgreSQL by the interface of ``storage.sql``: asyncpg, on an event loop that runs while a statement does.

A connection that the server ended is opened again at the next statement. Every wait has a limit: for a connection
``CONNECT`` seconds, for a statement ``STATEMENT``.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, TypeVar, cast

import asyncpg  # pyright: ignore[reportMissingTypeStubs]

from penstock.storage import postgres_errors
from penstock.storage.errors import StoreUnavailable, TooSlow
from penstock.storage.revisions import REVISIONS
from penstock.storage.sql import POSTGRES, Limit, Row, numbered

CONNECT = 5.0
STATEMENT = 30.0
LOCK = "2000"  # milliseconds that a reader waits for one: that is no sign of a question that asks too much
GATEWAYS = 7_052_000  # first number of the advisory locks of gateways' zones; the second is one of
NAME = "penstock"
NAMES = 7_052_003  # the advisory lock of the words that rows use
STRIPES = 64  # locks: a transaction that held one for each of a thousand gateways could exhaust the server's table
_UNDO = 2.0  # seconds a broken transaction has to be undone; then its connection is given up

# All that is asked of the log goes by primary keys, zone after zone, and stops when its page is full. Where a log is
# large, or new and without statistics, a plan that begins with reading a table may look cheaper, and is not.
_BY_KEY = {
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    **{f"enable_{way}": "off" for way in ("seqscan", "bitmapscan", "material", "hashjoin", "mergejoin", "sort")},
}
_READING = {
    "default_transaction_read_only": "on",
    "lock_timeout": LOCK,
    "plan_cache_mode": "force_custom_plan",  # one plan fits no two filters
}

_Connection = Any  # asyncpg has no types
_connect: Callable[..., Awaitable[_Connection]] = cast("Any", asyncpg).connect
_T = TypeVar("_T")


async def open_connection(
    url: str, *, reading: bool, statement: float, answer: float | None = None, by_key: bool = False
) -> _Connection:
    """A connection of asyncpg. Raises StoreUnavailable.

    The server ends what goes on for longer than ``statement`` seconds, also when nobody is there any more to wait for
    it; whoever has waited ``answer`` seconds for the server gets TimeoutError.
    """
    settings = {
        "application_name": f"{NAME} {REVISIONS[-1]}",  # so that older processes can be told from newer ones
        "statement_timeout": f"{statement * 1000:.0f}",
        "idle_in_transaction_session_timeout": "60000",  # whoever stopped within one must not lock others out for ever
    }
    settings |= (_READING if reading else {}) | (_BY_KEY if by_key else {})
    try:
        return await _connect(
            url, timeout=CONNECT, command_timeout=answer, server_settings=settings, max_cached_statement_lifetime=0
        )
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError) as error:
        raise postgres_errors.unconnected(error) from error


class PostgresConnection:
    """``reading``: it cannot write. Opened by the first statement."""

    dialect = POSTGRES

    def __init__(self, url: str, *, reading: bool = False, statement: float = STATEMENT) -> None:
        self.opened = 0  # times that it was: what belongs to a session, such as a lock, is gone with the last
        self._url = url
        self._reading = reading
        self._statement = statement
        # Ends what runs also on Ctrl-C: what asyncpg has begun and is never finished can crash the process at its end.
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._loop = self._runner.get_loop()
        self._connection: _Connection = None
        self._within = False  # a transaction
        self._limit = Limit()
        self._task: asyncio.Task[Any] | None = None

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        return self._again(lambda connection, left: _fetch(connection, numbered(sql), values, left))

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        self._do(lambda connection, left: connection.executemany(numbered(sql), rows, timeout=left))

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        self._do(
            lambda connection, left: connection.copy_records_to_table(
                table, records=rows, columns=columns, timeout=left
            )
        )

    def insert_numbered(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[int]:
        rows = list(rows)
        sql = "SELECT nextval(pg_get_serial_sequence(?, 'id')) FROM generate_series(1, ?)"
        numbers = [number for (number,) in self.execute(sql, (table, len(rows)))]
        self.insert(table, ["id", *columns], [(number, *row) for number, row in zip(numbers, rows, strict=True)])
        return numbers

    @contextmanager
    def transaction(self) -> Generator[None]:
        self._begin("BEGIN ISOLATION LEVEL READ COMMITTED")
        try:
            yield
            self._do(lambda connection, left: connection.execute("COMMIT", timeout=left))
            self._within = False
        except BaseException:
            self._undo()
            raise

    @contextmanager
    def view(self) -> Generator[None]:
        self._begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            yield
        finally:
            self._undo()

    def lock_gateways(self, numbers: Iterable[int]) -> None:
        """In one order for everybody, so that nobody waits in a circle."""
        stripes = sorted({number % STRIPES for number in numbers})
        self.execute("SELECT pg_advisory_xact_lock(?, stripe) FROM unnest(?::int[]) stripe", (GATEWAYS, stripes))

    def lock_names(self, *, alone: bool) -> None:
        lock = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
        self.execute(f"SELECT {lock}(?)", (NAMES,))

    def has_table(self, name: str) -> bool:
        return self.execute("SELECT to_regclass(?) IS NOT NULL", (name,)) == [(True,)]

    def limit(self, limit: Limit) -> None:
        self._limit = limit
        limit.ended = self._interrupt

    def close(self) -> None:
        if self._connection is not None:
            with suppress(Exception):  # whatever it is, the connection is of no use any more
                self._run(self._connection.close(timeout=_UNDO))
            self._drop()
        _aside(self._runner.close)

    def _begin(self, sql: str) -> None:
        self._again(lambda connection, left: connection.execute(sql, timeout=left))
        self._within = True

    def _undo(self) -> None:
        """Nothing of the transaction stays."""
        self._within = False
        if self._connection is not None:
            try:
                self._run(self._connection.execute("ROLLBACK", timeout=_UNDO))
            except Exception:  # noqa: BLE001  whatever it is, without its connection the transaction ends too
                self._drop()

    def _again(self, work: Callable[[_Connection, float], Awaitable[_T]]) -> _T:
        """Once more on a new connection where the old one turns out to have gone while nobody used it."""
        used = self._connection is not None and not self._within
        try:
            return self._do(work)
        except StoreUnavailable:
            if not used or self._connection is not None:
                raise
            return self._do(work)

    def _do(self, work: Callable[[_Connection, float], Awaitable[_T]]) -> _T:
        try:
            return self._run(self._work(work))
        except asyncio.CancelledError:
            if self._limit.passed():  # by the limit, from another thread
                raise TooSlow from None
            raise KeyboardInterrupt from None  # as it began: the runner takes that for a cancellation of somebody else
        except (StoreUnavailable, TooSlow):
            raise
        except TimeoutError:
            if self._limit.passed():
                raise TooSlow from None
            self._drop()
            raise StoreUnavailable("The database does not answer in time.") from None
        except Exception as error:
            if self._connection is not None and self._connection.is_closed():
                self._drop()
            raise postgres_errors.told(error) from error

    def _run(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        return _aside(lambda: self._runner.run(coroutine))

    async def _work(self, work: Callable[[_Connection, float], Awaitable[_T]]) -> _T:
        self._task = asyncio.current_task()
        if self._limit.passed():
            raise TooSlow
        if self._connection is None:
            if self._within:
                raise StoreUnavailable("The connection to the database was lost.")
            self._connection = await open_connection(
                self._url, reading=self._reading, statement=self._statement, by_key=True
            )
            self.opened += 1
        return await work(self._connection, min(self._statement, self._limit.until - time.monotonic()))

    def _interrupt(self) -> None:
        with suppress(RuntimeError):  # it is closed already
            self._loop.call_soon_threadsafe(self._cut_short)

    def _cut_short(self) -> None:
        if self._limit.passed() and self._task is not None:
            self._task.cancel()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


def _aside(work: Callable[[], _T]) -> _T:
    """A thread runs one loop at a time: where one runs, this thread waits for another."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return work()
    with ThreadPoolExecutor(1, "postgres") as thread:
        return thread.submit(work).result()


async def _fetch(connection: _Connection, sql: str, values: Sequence[Any], left: float) -> list[Row]:
    return [tuple(row) for row in await connection.fetch(sql, *values, timeout=left)]
