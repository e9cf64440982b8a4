"""The schema of a database: how far it is, whether this version can use it, and opening it to serve."""

from contextlib import closing

from penstock.storage import opening, sqlite_file
from penstock.storage.errors import StoreRefused, StoreUnavailable
from penstock.storage.revisions import NEEDED, REVISIONS
from penstock.storage.sql import Sql

_OLDEST_SERVER = 13  # release of PostgreSQL
_REVISION = "SELECT version_num FROM alembic_version"


def revision(connection: Sql) -> str | None:
    """The revision the database is at; None: it is empty. Raises StoreRefused where it has tables and does not say."""
    rows = connection.execute(_REVISION) if connection.has_table("alembic_version") else []
    if not rows and connection.has_table("accounts"):
        raise StoreRefused(
            "The database has Penstock's tables, and its table alembic_version does not say of which revision: restore "
            "a backup."
        )
    return str(rows[0][0]) if rows else None


def pending(connection: Sql, url: str) -> tuple[str, ...]:
    """The revisions that the database has not reached.

    Raises StoreRefused if it is beyond what this version can use.
    """
    at = revision(connection)
    if at is None:
        return REVISIONS
    if at in REVISIONS:
        return REVISIONS[REVISIONS.index(at) + 1 :]
    if _compatible(connection) not in REVISIONS:
        raise StoreRefused(
            f"The database {opening.shown(url)} is at revision {at}, which this version of Penstock does not know (its "
            f"newest is {REVISIONS[-1]}): it was written by a newer version. Install that version again, or restore a "
            "backup."
        )
    return ()


def check(connection: Sql, url: str) -> None:
    """Raises StoreRefused if this version cannot use the database as it is."""
    missing = pending(connection, url)
    if NEEDED in missing:
        remedy = "run `penstock migrate`" if opening.is_shared(url) else "start the server once to bring it up"
        what = "is empty" if missing == REVISIONS else "is of an older version"
        raise StoreRefused(f"The database {opening.shown(url)} {what}: {remedy}.")


def older_processes(connection: Sql, needed: str) -> list[str]:
    """Where processes run that use this PostgreSQL database and do not know the revision ``needed``."""
    found = connection.execute(
        "SELECT DISTINCT coalesce(host(client_addr), 'this machine'), split_part(application_name, ' ', 2)"
        " FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'penstock %'"
    )
    return sorted({where for where, newest in found if newest < needed})


class Store:
    """A database to serve from, of this version. ``close`` gives up the right to be the one process that does."""

    def __init__(self, url: str, held: sqlite_file.Lock | None = None) -> None:
        self.url = url
        self._held = held

    def close(self) -> None:
        if self._held is not None:
            self._held.release()


def open_store(url: str) -> Store:
    """Checks the place and brings the schema up to date, PostgreSQL's only where there is none yet.

    Raises StoreUnavailable, also where another process serves from the same SQLite file.
    """
    if opening.is_shared(url):
        _prepare_shared(url)
        return Store(url)
    held = take(url)
    try:
        upgrade(url)
    except BaseException:
        held.release()
        raise
    return Store(f"sqlite:///{sqlite_file.file_of(url).absolute()}", held)


def take(url: str) -> sqlite_file.Lock:
    """The right to be the one server of an SQLite file. Raises StoreUnavailable."""
    file = sqlite_file.file_of(url).absolute()
    if not file.parent.is_dir():
        raise StoreUnavailable(f"The database {file} cannot be created: there is no directory {file.parent}.")
    sqlite_file.refuse_network_disk(file)
    return sqlite_file.lock(file, "server")


def upgrade(url: str, target: str = REVISIONS[-1]) -> None:
    """Brings the database to a revision, creating an SQLite file where there is none. Raises StoreUnavailable."""
    with closing(opening.connect(url)) as connection:
        missing = pending(connection, url)
    if target in missing:
        from penstock.storage.migrations import run  # noqa: PLC0415  alembic takes half a second to import

        run.upgrade(url, target)


def _prepare_shared(url: str) -> None:
    with closing(opening.connect(url)) as connection:
        _refuse_server(connection, url)
        empty = revision(connection) is None
    if empty:
        upgrade(url)
    with closing(opening.connect(url)) as connection:
        check(connection, url)


def _refuse_server(connection: Sql, url: str) -> None:
    sql = "SELECT current_setting('server_version_num')::int / 10000, current_setting('server_encoding')"
    ((release, encoding),) = connection.execute(sql)
    if release < _OLDEST_SERVER:
        raise StoreRefused(f"PostgreSQL {release} at {opening.shown(url)} is too old: {_OLDEST_SERVER} is needed.")
    if encoding != "UTF8":
        raise StoreRefused(
            f"The database {opening.shown(url)} has the encoding {encoding}: make it with ENCODING 'UTF8'."
        )


def _compatible(connection: Sql) -> str:
    """The revision that one must know to use a database that is beyond one's own."""
    rows = connection.execute("SELECT compatible FROM configuration")
    return str(rows[0][0]) if rows else ""
