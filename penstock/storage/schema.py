"""The revisions of the schema, and bringing a database to the newest one."""

import sqlite3
from contextlib import closing
from pathlib import Path

from penstock.storage import database
from penstock.storage.errors import StoreUnavailable

# Every migration in migrations/versions, oldest first.
REVISIONS = ("0001", "0002")


def revision(connection: sqlite3.Connection) -> str | None:
    """The revision the database is at; None: it is empty."""
    found = connection.execute("SELECT name FROM sqlite_master WHERE type='table' AND name='alembic_version'")
    if found.fetchone() is None:
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def check(connection: sqlite3.Connection, file: Path) -> bool:
    """True if the database is at the newest revision, False if it is older.

    Raises StoreUnavailable if it is of a revision that this version does not know.
    """
    try:
        at = revision(connection)
    except sqlite3.Error as error:
        raise StoreUnavailable(f"Cannot read the database {file}: {error}") from error
    if at is not None and at not in REVISIONS:
        raise StoreUnavailable(
            f"The database {file} is at revision {at}, which this version of Penstock does not know (its newest is "
            f"{REVISIONS[-1]}): it was written by a newer version. Install that version again, or restore a backup."
        )
    return at == REVISIONS[-1]


def upgrade(file: Path) -> None:
    """Brings the database to the newest revision, creating it where there is none."""
    with closing(database.connect(file)) as connection:
        newest = check(connection, file)
    if not newest:
        from penstock.storage.migrations import run  # noqa: PLC0415  alembic takes half a second to import

        try:
            run.upgrade(file)
        except run.DatabaseError as error:
            raise StoreUnavailable(f"Cannot bring the database {file} up to date: {error}") from error


class Store:
    """An SQLite database that this process may write to. ``close`` gives it up."""

    def __init__(self, file: Path, held: database.Lock) -> None:
        self.file = file
        self.url = f"sqlite:///{file}"
        self._held = held

    def close(self) -> None:
        self._held.release()


def open_store(url: str) -> Store:
    """Checks the place, takes the server's lock and brings the schema up to date. Raises StoreUnavailable."""
    file = database.file_of(url).absolute()
    if not file.parent.is_dir():
        raise StoreUnavailable(f"The database {file} cannot be created: there is no directory {file.parent}.")
    database.refuse_network_disk(file)
    held = database.lock(file, "server")
    try:
        upgrade(file)
    except BaseException:
        held.release()
        raise
    return Store(file, held)
