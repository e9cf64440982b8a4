"""Taking rows out of the log: a gateway's oldest, a bounded batch at a time, on the connection that writes.

After each batch the log is whole: rows, blocks and zones agree, so that reading goes on beside it. The file does not
shrink; what is freed is written anew. Every function raises StoreUnavailable, and then has changed nothing.
"""

import sqlite3
from collections.abc import Generator, Iterable
from contextlib import contextmanager

from penstock.storage.errors import StoreUnavailable

ROWS = 1000  # of a batch, at most
BYTES = 8 * 1024 * 1024  # of the blocks that a batch takes out; one larger block may go with it
STRAYS = 10_000  # rows kept of calls to addresses that exist nowhere

_OLDEST = "SELECT id, block FROM logs WHERE gateway = ? ORDER BY id LIMIT ?"
_SIZE = "SELECT length(details) + coalesce(length(bodies), 0) FROM log_bodies WHERE id = ?"
# A block goes with the last of its rows; within a block, ids are in order.
_DEAD = """
DELETE FROM log_bodies WHERE id IN (SELECT DISTINCT block FROM logs WHERE gateway = ?1 AND id <= ?2)
AND substr(ids, -16) <= ?2
"""
_CUT = """
UPDATE log_zones SET rows = rows - gone, failures = failures - failed, hits = hits - hit
FROM (SELECT z.first AS cut, count(*) AS gone, sum(NOT l.success) AS failed, sum(l.cached) AS hit
      FROM log_zones z JOIN logs l ON l.gateway = z.gateway AND l.id BETWEEN z.first AND ?2
      WHERE z.gateway = ?1 AND z.first <= ?2 AND z.last > ?2)
WHERE gateway = ?1 AND first = cut
"""


def reap(connection: sqlite3.Connection, number: int, limit: int = ROWS) -> int:
    """Takes out at most ``limit`` of a gateway's rows, the oldest, in one transaction; 0: there are none any more."""
    with _transaction(connection):
        return _take_out(connection, number, limit)


def trim(connection: sqlite3.Connection, number: int = 0, keep: int = STRAYS, limit: int = ROWS) -> int:
    """The same for what a gateway has beyond its ``keep`` newest rows."""
    with _transaction(connection):
        sql = "SELECT coalesce(sum(rows), 0) FROM log_zones WHERE gateway = ?"
        (rows,) = connection.execute(sql, (number,)).fetchone()
        return _take_out(connection, number, min(limit, rows - keep)) if rows > keep else 0


def tombstones(connection: sqlite3.Connection, after: int) -> tuple[int, list[tuple[int, int]]]:
    """The configuration's version now, and number and time of death of each gateway deleted after version ``after``."""
    with _raising():
        (version,) = connection.execute("SELECT version FROM configuration").fetchone()
        if version == after:
            return version, []
        sql = "SELECT number, deleted_at FROM gateways WHERE version > ? AND deleted_at IS NOT NULL"
        return version, connection.execute(sql, (after,)).fetchall()


def orphans(connection: sqlite3.Connection) -> list[int]:
    """Numbers of rows whose gateway is not even a tombstone: they came after it was forgotten."""
    with _raising():
        sql = "SELECT DISTINCT gateway FROM log_zones WHERE gateway NOT IN (SELECT number FROM gateways UNION SELECT 0)"
        return [number for (number,) in connection.execute(sql)]


def forget(connection: sqlite3.Connection, numbers: Iterable[int]) -> None:
    """Takes out tombstones. Their numbers are never given again."""
    sql = "DELETE FROM gateways WHERE number = ? AND deleted_at IS NOT NULL"
    with _transaction(connection):
        connection.executemany(sql, [(number,) for number in numbers])


@contextmanager
def _raising() -> Generator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreUnavailable(str(error)) from error


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Generator[None]:
    with _raising():
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _take_out(connection: sqlite3.Connection, number: int, limit: int) -> int:
    boundary, rows = _boundary(connection, number, limit)
    if rows:
        connection.execute(_DEAD, (number, boundary))
        connection.execute("DELETE FROM log_zones WHERE gateway = ? AND last <= ?", (number, boundary))
        connection.execute(_CUT, (number, boundary))
        connection.execute("DELETE FROM logs WHERE gateway = ? AND id <= ?", (number, boundary))
    return rows


def _boundary(connection: sqlite3.Connection, number: int, limit: int) -> tuple[bytes, int]:
    """The newest id of the batch, and its rows."""
    boundary, rows, size, seen = b"", 0, 0, set[int]()
    for log_id, block in connection.execute(_OLDEST, (number, limit)):
        if block not in seen:
            seen.add(block)
            size += connection.execute(_SIZE, (block,)).fetchone()[0]
            if rows and size > BYTES:
                break
        boundary, rows = log_id, rows + 1
    return boundary, rows
