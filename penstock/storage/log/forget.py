"""Taking all that belongs to one value of metadata out of the log for good, from its files too."""

from collections.abc import Iterator, Sequence

from penstock.storage.log import blocks
from penstock.storage.log.erase import erase
from penstock.storage.log.measures import DAY, HOUR, MINUTE
from penstock.storage.log.metadata import indexed
from penstock.storage.log.names import stored
from penstock.storage.sql import SQLITE, Sql, filled, marks

ROWS = 1000  # ids in one question
BLOCKS = 200  # looked through in one step
_ASKED = 256  # values of one question
_CHUNKS = {MINUTE: DAY, HOUR: 30 * DAY, DAY: 700 * DAY}  # minutes of roll-ups that are looked through in one step
_OF_VALUE = "FROM log_metadata WHERE gateway = ? AND key = ? AND value = ?"
TABLES = ("logs", "log_bodies", "log_metadata", "log_rollups", "log_names")  # that may hold what is forgotten


def thorough(connection: Sql) -> None:
    """From now on what this connection takes out of an SQLite file is overwritten there."""
    if connection.dialect is SQLITE:
        connection.execute("PRAGMA secure_delete=ON")


def count(connection: Sql, number: int, key: str, value: str) -> int:
    """A gateway's rows that have this value under this key."""
    return connection.execute(f"SELECT count(*) {_OF_VALUE}", _named(number, key, value))[0][0]


def forget(connection: Sql, number: int, key: str, value: str) -> Iterator[int]:
    """Takes those rows out, with their bodies and all else of them; each step is a transaction, and tells its rows."""
    sql = f"SELECT id {_OF_VALUE} ORDER BY id LIMIT ?"
    while log_ids := [log_id for (log_id,) in connection.execute(sql, (*_named(number, key, value), ROWS))]:
        while log_ids:
            rows, log_ids = erase(connection, number, log_ids)
            yield rows


def roll_ups(connection: Sql, number: int, key: str, value: str) -> int:
    """Takes the value's own roll-ups out; those of all calls together stay. Returns how many there were."""
    sql = "SELECT name, id FROM log_names WHERE name IN (?, ?)"
    of: dict[str, int] = dict(connection.execute(sql, (stored(key), stored(value))))
    if not {stored(key), stored(value)} <= of.keys():
        return 0
    gone = 0
    for span, chunk in _CHUNKS.items():
        place = (number, span, of[stored(key)])
        ends = "SELECT min(start), max(start) FROM log_rollups WHERE gateway = ? AND span = ? AND key = ?"
        ((first, last),) = connection.execute(ends, place)
        while first is not None and first <= last:
            sql = (
                "DELETE FROM log_rollups WHERE gateway = ? AND span = ? AND key = ? AND start >= ? AND start < ?"
                " AND value = ? RETURNING start"
            )
            with connection.transaction():
                connection.lock_gateways([number])
                gone += len(connection.execute(sql, (*place, first, first + chunk, of[stored(value)])))
            first += chunk
    return gone


def tidy(connection: Sql, numbers: Sequence[int]) -> Iterator[int]:
    """Takes details and bodies of rows that are gone out of blocks in which others are left. Steps tell blocks seen.

    Whoever takes out a gateway's oldest rows leaves those.
    """
    at, wanted = 0, set(numbers)
    sql = "SELECT id, gateway, ids FROM log_bodies WHERE id > ? ORDER BY id LIMIT ?"
    while found := connection.execute(sql, (at, BLOCKS)):
        at = found[-1][0]
        for block, number, column in found:
            if number in wanted and _gone(connection, number, blocks.ids(column)):
                _rewrite(connection, number, block)
        yield len(found)


def _rewrite(connection: Sql, number: int, block: int) -> None:
    with connection.transaction():
        connection.lock_gateways([number])
        for columns in connection.execute("SELECT ids, details, bodies FROM log_bodies WHERE id = ?", (block,)):
            column, details, bodies = columns
            left = blocks.without(column, details, bodies, _gone(connection, number, blocks.ids(column)))
            if left is None:
                connection.execute("DELETE FROM log_bodies WHERE id = ?", (block,))
            else:
                sql = "UPDATE log_bodies SET ids = ?, details = ?, bodies = ? WHERE id = ?"
                connection.execute(sql, (*left, block))


def _gone(connection: Sql, number: int, log_ids: list[bytes]) -> set[bytes]:
    """Those of the ids that no row has."""
    gone = set(log_ids)
    for at in range(0, len(log_ids), _ASKED):
        some = filled(log_ids[at : at + _ASKED])
        sql = f"SELECT id FROM logs WHERE gateway = ? AND id IN {marks(len(some))}"  # noqa: S608
        gone -= {log_id for (log_id,) in connection.execute(sql, (number, *some))}
    return gone


def flush(connection: Sql) -> bool:
    """Empties the write-ahead log of an SQLite file, which has pages as they were. False: somebody is using it."""
    if connection.dialect is not SQLITE:
        return True
    ((busy, *_),) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return not busy


def _named(number: int, key: str, value: str) -> tuple[int, str, str]:
    return number, stored(key), indexed(value)
