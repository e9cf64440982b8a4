"""Taking rows, or their bodies, out of the log: a gateway's oldest, a bounded batch at a time.

After each batch the log is whole: rows, blocks and zones agree, so that reading goes on beside it. The file does not
shrink; what is freed is written anew. Every function raises StoreUnavailable, and then has changed nothing.
"""

from collections.abc import Iterable

from penstock.storage.log import metadata, rollup_reap
from penstock.storage.log.columns import COUNTED
from penstock.storage.log.keep import count
from penstock.storage.log.zones import COUNTS
from penstock.storage.sql import Row, Sql, marks
from penstock.storage.sql import filled as among

ROWS = 1000  # of a batch, at most
BYTES = 8 * 1024 * 1024  # of the blocks that a batch takes out; one larger block may go with it
ASKED = 256  # values of one question
END = b"\xff" * 16  # the last id there can be
STRAYS = 10_000  # rows kept of calls to addresses that exist nowhere

_OLDEST = """
SELECT l.id, l.block, length(b.details) + coalesce(length(b.bodies), 0)
FROM logs l JOIN log_bodies b ON b.id = l.block WHERE l.gateway = ? AND l.id <= ? ORDER BY l.id LIMIT ?
"""
_BODIES = """
SELECT l.id, l.block, coalesce(length(b.bodies), 0)
FROM logs l JOIN log_bodies b ON b.id = l.block WHERE l.gateway = ? AND l.id > ? AND l.id <= ? ORDER BY l.id LIMIT ?
"""
# A block goes with the last of its rows; within a block, ids are in order.
_DEAD = """
DELETE FROM log_bodies WHERE id IN (SELECT DISTINCT block FROM logs WHERE gateway = ? AND id <= ?)
AND substr(ids, length(ids) - 15) <= ?
"""
_SUMS = ", ".join(f"sum(l.{column.name}) AS gone_{column.name}_rows" for column in COUNTED)
_LESS = ", ".join(f"{name} = log_zones.{name} - gone_{name}" for name in COUNTS)
_CUT = f"""
UPDATE log_zones SET {_LESS}
FROM (SELECT z.first AS cut, count(*) AS gone_rows, {_SUMS}
      FROM log_zones z JOIN logs l ON l.gateway = z.gateway AND l.id BETWEEN z.first AND ?
      WHERE z.gateway = ? AND z.first <= ? AND z.last > ? GROUP BY z.first) c
WHERE gateway = ? AND first = cut
"""  # noqa: S608


def reap(connection: Sql, number: int, limit: int = ROWS, until: bytes = END) -> int:
    """Takes out at most ``limit`` of a gateway's rows, the oldest, in one transaction; 0: there are none any more.

    ``until``: the newest id that may go.
    """
    with connection.transaction():
        return _take_out(connection, number, limit, until)


def trim(connection: Sql, number: int = 0, keep: int = STRAYS, limit: int = ROWS) -> int:
    """The same for what a gateway has beyond its ``keep`` newest rows."""
    with connection.transaction():
        rows = count(connection, number)
        return _take_out(connection, number, min(limit, rows - keep), END) if rows > keep else 0


def strip(connection: Sql, number: int, after: bytes, until: bytes) -> bytes | None:
    """Takes out bodies of a gateway's rows between two ids, in one transaction; the rows stay.

    Bodies go with those that share their block: when the newest of these is old enough. Returns the id up to which all
    is done; None: there is nothing more to do.
    """
    with connection.transaction():
        connection.lock_gateways([number])
        rows = connection.execute(_BODIES, (number, after, until, ROWS))
        fit = _bounded(rows)
        stored = list({block for _, block, size in rows[:fit] if size})
        for at in range(0, len(stored), ASKED):
            some = among(stored[at : at + ASKED])
            sql = f"UPDATE log_bodies SET bodies = NULL WHERE id IN {marks(len(some))}"  # noqa: S608
            connection.execute(f"{sql} AND substr(ids, length(ids) - 15) <= ?", (*some, until))
    return rows[fit - 1][0] if rows else None


def tombstones(connection: Sql, after: int) -> tuple[int, list[tuple[int, int]]]:
    """The configuration's version now, and number and time of death of each gateway deleted after version ``after``."""
    ((version,),) = connection.execute("SELECT version FROM configuration")
    if version == after:
        return version, []
    sql = "SELECT number, deleted_at FROM gateways WHERE version > ? AND deleted_at IS NOT NULL"
    return version, [(number, died) for number, died in connection.execute(sql, (after,))]


def orphans(connection: Sql) -> list[int]:
    """Numbers of rows and roll-ups whose gateway is not even a tombstone: they came after it was forgotten."""
    sql = "SELECT DISTINCT gateway FROM log_zones WHERE gateway NOT IN (SELECT number FROM gateways UNION SELECT 0)"
    return sorted({number for (number,) in connection.execute(sql)}.union(rollup_reap.orphans(connection)))


def filled(connection: Sql, numbers: Iterable[int]) -> list[int]:
    """Those of the gateways that have rows or roll-ups."""
    wanted, found = list(numbers), list[int]()
    for at in range(0, len(wanted), ROWS):
        some = among(wanted[at : at + ROWS])
        sql = f"SELECT DISTINCT gateway FROM log_zones WHERE gateway IN {marks(len(some))}"  # noqa: S608
        found += [number for (number,) in connection.execute(sql, some)]
    return [*found, *(number for number in wanted if rollup_reap.has(connection, number))]


def forget(connection: Sql, numbers: Iterable[int]) -> None:
    """Takes out tombstones. Their numbers are never given again."""
    sql = "DELETE FROM gateways WHERE number = ? AND deleted_at IS NOT NULL"
    with connection.transaction():
        connection.executemany(sql, [(number,) for number in numbers])


def _take_out(connection: Sql, number: int, limit: int, until: bytes) -> int:
    connection.lock_gateways([number])
    found = connection.execute(_OLDEST, (number, until, limit))
    rows = _bounded(found)
    if rows:
        boundary = found[rows - 1][0]
        connection.execute(_DEAD, (number, boundary, boundary))
        connection.execute("DELETE FROM log_zones WHERE gateway = ? AND last <= ?", (number, boundary))
        connection.execute(_CUT, (boundary, number, boundary, boundary, number))
        metadata.remove_oldest(connection, number, boundary)
        connection.execute("DELETE FROM logs WHERE gateway = ? AND id <= ?", (number, boundary))
    return rows


def _bounded(found: list[Row]) -> int:
    """How many of the rows (id, block, bytes of the block) may go at once."""
    size, seen = 0, set[int]()
    for place, (_, block, more) in enumerate(found):
        if block not in seen:
            seen.add(block)
            size += more
            if place and size > BYTES:
                return place
    return len(found)
