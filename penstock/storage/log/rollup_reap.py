"""Taking roll-ups out: those of deleted gateways, and the old ones, a bounded batch at a time.

Every function raises StoreUnavailable, and then has changed nothing.
"""

from collections.abc import Iterator, Mapping

from penstock.storage.log.measures import DAY, HOUR, MINUTE
from penstock.storage.sql import Sql

ROWS = 2_000  # of a batch; those of one moment go together
FOR_EVER: Mapping[int, int] = {}
_MINUTE = 60_000  # milliseconds

# Each value of a column that the primary key begins with, by one look-up each.
_GATEWAYS = """
WITH RECURSIVE each_gateway(gateway) AS (
    SELECT min(gateway) FROM log_rollups
    UNION ALL
    SELECT (SELECT min(r.gateway) FROM log_rollups r WHERE r.gateway > e.gateway)
    FROM each_gateway e WHERE e.gateway IS NOT NULL
) SELECT gateway FROM each_gateway WHERE gateway IS NOT NULL
"""
_UNKNOWN = f"{_GATEWAYS} AND gateway NOT IN (SELECT number FROM gateways)"  # noqa: S608
_NEXT_KEY = "SELECT min(key) FROM log_rollups WHERE gateway = ? AND span = ? AND key > ?"
_OLD = "SELECT start FROM log_rollups WHERE gateway = ? AND span = ? AND key = ? AND start < ?"
_DELETE_OLD = "DELETE FROM log_rollups WHERE gateway = ? AND span = ? AND key = ? AND start <= ?"
_BOUNDARY = "SELECT span, key, start FROM log_rollups WHERE gateway = ? ORDER BY span, key, start LIMIT 1 OFFSET ?"
_ALL = (DAY + 1, 0, 0)
_UP_TO = "DELETE FROM log_rollups WHERE gateway = ? AND (span, key, start) <= (?, ?, ?)"


def days_of(minutes: int, hours: int, days: int) -> dict[int, int]:
    """Days that roll-ups are kept, by their spans; a longer span is kept as long as a shorter one, at least."""
    hours = max(minutes, hours)
    return {MINUTE: minutes, HOUR: hours, DAY: max(hours, days)}


def reap(connection: Sql, gateway: int, limit: int = ROWS) -> bool:
    """Takes out about ``limit`` roll-ups of a gateway; returns whether there was one."""
    with connection.transaction():
        connection.lock_gateways([gateway])
        found = connection.execute(_BOUNDARY, (gateway, limit))
        if not found and not has(connection, gateway):
            return False
        connection.execute(_UP_TO, (gateway, *(found[0] if found else _ALL)))
    return True


def has(connection: Sql, gateway: int) -> bool:
    return bool(connection.execute("SELECT 1 FROM log_rollups WHERE gateway = ? LIMIT 1", (gateway,)))


def orphans(connection: Sql) -> list[int]:
    """Numbers of gateways that have roll-ups and are not even a tombstone."""
    return [number for (number,) in connection.execute(_UNKNOWN)]


def expire(connection: Sql, days: Mapping[int, int], now: int) -> Iterator[None]:
    """Takes out what is older than its span is kept; each step is a batch. ``now``: milliseconds since the epoch."""
    for (gateway,) in connection.execute(_GATEWAYS):
        for span, kept in days.items():
            before = now // _MINUTE - kept * DAY
            ((key,),) = connection.execute(_NEXT_KEY, (gateway, span, -1))
            while key is not None:
                while _expire(connection, (gateway, span, key), before):
                    yield
                ((key,),) = connection.execute(_NEXT_KEY, (gateway, span, key))
        yield


def _expire(connection: Sql, place: tuple[int, int, int], before: int) -> bool:
    """A batch; returns whether there was anything."""
    some = f"SELECT max(start) FROM ({_OLD} ORDER BY start LIMIT {ROWS}) old"  # noqa: S608
    ((boundary,),) = connection.execute(some, (*place, before))
    if boundary is not None:
        connection.execute(_DELETE_OLD, (*place, boundary))
    return boundary is not None
