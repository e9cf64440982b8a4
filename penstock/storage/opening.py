"""A connection to the database of a URL, whichever engine it is of."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from penstock.storage import sqlite, sqlite_file
from penstock.storage.sql import Sql

LONG = 24 * 3600.0  # seconds that writing a table anew may take


def is_shared(url: str) -> bool:
    """Whether several processes may write to it: PostgreSQL."""
    return url.startswith(("postgresql://", "postgres://"))


def url_in(data_dir: Path) -> str:
    """The URL of the database in a data directory, where no other is named."""
    return f"sqlite:///{(data_dir / sqlite_file.FILE).absolute()}"


def connect(url: str) -> Sql:
    """A connection that writes; an SQLite file is created. Raises StoreUnavailable.

    One to PostgreSQL is opened by its first statement.
    """
    if is_shared(url):
        from penstock.storage.postgres import PostgresConnection  # noqa: PLC0415  the driver takes 60 ms to import

        return PostgresConnection(url)
    return sqlite.connect(sqlite_file.file_of(url))


def connect_reader(url: str, *, patient: bool = False) -> Sql:
    """A connection that can only read; ``patient``: for questions to all of a large database.

    Raises StoreUnavailable, also where there is no file.
    """
    if is_shared(url):
        from penstock.storage.postgres import STATEMENT, PostgresConnection  # noqa: PLC0415  see connect

        return PostgresConnection(url, reading=True, statement=LONG if patient else STATEMENT)
    return sqlite.connect_reader(sqlite_file.file_of(url))


def vacuum(url: str, tables: Sequence[str]) -> None:
    """Writes the database anew, without what is free in it: an SQLite file as a whole, of PostgreSQL these tables.

    They cannot be used meanwhile. Raises StoreUnavailable.
    """
    if not is_shared(url):
        with closing(connect(url)) as connection:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return
    from penstock.storage.postgres import PostgresConnection  # noqa: PLC0415  see connect

    with closing(PostgresConnection(url, statement=LONG)) as connection:
        for table in tables:
            connection.execute(f"VACUUM (FULL) {table}")


def shown(url: str) -> str:
    """What to call the database: its file, or where it is, without user and password."""
    if not is_shared(url):
        return str(sqlite_file.file_of(url))
    where = url.partition("://")[2].partition("?")[0]
    return where.rpartition("@")[2]
