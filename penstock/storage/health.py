"""What a database says of itself, for those who look at it from outside. Each raises StoreUnavailable."""

from penstock.storage import schema
from penstock.storage.sql import POSTGRES, SQLITE, Sql


class _Undo(Exception):
    """Ends a transaction that was to show only that it could be made."""


def version(connection: Sql) -> str:
    """Name and release of the engine."""
    if connection.dialect is POSTGRES:
        ((text,),) = connection.execute("SELECT current_setting('server_version')")
        return f"PostgreSQL {str(text).partition(' ')[0]}"
    ((text,),) = connection.execute("SELECT sqlite_version()")
    return f"SQLite {text}"


def try_to_write(connection: Sql) -> None:
    """What is written is taken back. A lock on SQLite's file is waited for two seconds."""
    if connection.dialect is SQLITE:
        connection.execute("PRAGMA busy_timeout=2000")
    empty = schema.revision(connection) is None
    sql = "CREATE TABLE penstock_trial (id integer)" if empty else "UPDATE configuration SET version = version"
    try:
        with connection.transaction():
            connection.execute(sql)
            raise _Undo
    except _Undo:
        return


def clock(connection: Sql) -> float:
    """Seconds since the epoch by PostgreSQL's clock."""
    ((seconds,),) = connection.execute("SELECT extract(epoch FROM clock_timestamp())")
    return float(seconds)


KEY_CHECK = ("configuration", "key_check")  # where that word stands (core.sealing)


def key_check(connection: Sql) -> str | None:
    """The word that is sealed with the master key; None: no server has started yet."""
    if schema.revision(connection) is None:
        return None
    rows = connection.execute("SELECT key_check FROM configuration")
    return rows[0][0] if rows else None
