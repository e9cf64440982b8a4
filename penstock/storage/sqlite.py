"""SQLite by the interface of ``storage.sql``, as thin as can be: the log writer has 30 µs a row for all its work."""

import os
import sqlite3
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from penstock.storage.errors import Duplicate, StoreRefused, StoreUnavailable, TooSlow, Unwritable
from penstock.storage.sql import SQLITE, Limit, Row, inserting

PRAGMAS = (
    "PRAGMA busy_timeout=5000",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",  # in WAL mode: a power cut may cost the last commits, never the file
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=FAST",  # overwrites what is deleted, but in pages that are free
    "PRAGMA wal_autocheckpoint=4000",
    "PRAGMA journal_size_limit=67108864",
    "PRAGMA cache_size=-16384",
)


_UNBINDABLE = (OverflowError, TypeError, ValueError)  # a value that no column can hold, said before it is tried
_UNFIT = (sqlite3.DataError, sqlite3.ProgrammingError, sqlite3.InterfaceError, *_UNBINDABLE)
_STEPS = 20_000  # of SQLite's machine, between two looks at the limit


class SqliteConnection:
    """``file``: for what is said."""

    dialect = SQLITE

    def __init__(self, connection: sqlite3.Connection, file: Path) -> None:
        self._connection = connection
        self._file = file

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        try:
            return self._connection.execute(sql, values).fetchall()
        except (sqlite3.Error, *_UNBINDABLE) as error:
            raise self._told(error) from error

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        try:
            self._connection.executemany(sql, rows)
        except (sqlite3.Error, *_UNBINDABLE) as error:
            raise self._told(error) from error

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        self.executemany(inserting(table, columns), rows)

    def insert_numbered(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[int]:
        sql = inserting(table, columns)
        try:
            return [self._connection.execute(sql, row).lastrowid or 0 for row in rows]
        except (sqlite3.Error, *_UNBINDABLE) as error:
            raise self._told(error) from error

    @contextmanager
    def transaction(self) -> Generator[None]:
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            self._undo()
            raise

    @contextmanager
    def view(self) -> Generator[None]:
        self.execute("BEGIN")
        try:
            yield
        finally:
            self._undo()  # nothing was written

    def lock_gateways(self, numbers: Iterable[int]) -> None:
        """Whoever writes to the file is alone."""

    def lock_names(self, *, alone: bool) -> None:
        """The same."""

    def has_table(self, name: str) -> bool:
        return bool(self.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,)))

    def limit(self, limit: Limit) -> None:
        self._connection.set_progress_handler(limit.passed, _STEPS)

    def close(self) -> None:
        self._connection.close()

    def _undo(self) -> None:
        if self._connection.in_transaction:
            self.execute("ROLLBACK")

    def _told(self, error: Exception) -> Exception:
        """The error by the names of ``storage.errors``."""
        if isinstance(error, sqlite3.IntegrityError):
            return Duplicate(str(error))
        if isinstance(error, _UNFIT):
            return Unwritable(repr(error))
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
            return TooSlow()
        kind = StoreUnavailable if _may_pass(error) else StoreRefused
        return kind(f"The database {self._file} cannot be used: {error}")


def _may_pass(error: Exception) -> bool:
    """Whether it is of use to try again before somebody mends something: a damaged file or a missing table stays."""
    if not isinstance(error, sqlite3.OperationalError) or str(error).startswith(("no such ", "table ")):
        return False
    return error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_READONLY


def connect(file: Path) -> SqliteConnection:
    """A connection that writes; creates the file (mode 0600). Transactions are explicit: BEGIN IMMEDIATE … COMMIT."""
    try:
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        return SqliteConnection(_open(str(file), PRAGMAS), file)
    except (OSError, sqlite3.Error) as error:
        raise StoreUnavailable(f"Cannot open the database {file}: {error}") from error


def connect_reader(file: Path) -> SqliteConnection:
    """A connection that can only read, beside whoever writes. Raises StoreUnavailable where there is no file."""
    if not file.is_file():
        raise StoreUnavailable(
            f"There is no database at {file}: start the server once, or name another data directory."
        )
    try:
        pragmas = ("PRAGMA busy_timeout=5000", "PRAGMA query_only=ON")
        return SqliteConnection(_open(f"file:{_quoted(file)}?mode=ro", pragmas, uri=True), file)
    except sqlite3.Error as error:
        raise StoreUnavailable(f"Cannot open the database {file}: {error}") from error


def _open(name: str, pragmas: tuple[str, ...], *, uri: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(name, uri=uri, isolation_level=None)
    try:
        for pragma in pragmas:
            connection.execute(pragma)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _quoted(file: Path) -> str:
    return str(file.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
