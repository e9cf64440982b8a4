"""Taking single rows out of the log, wherever they lie: with their details and bodies, which others share a block with.

After each transaction the log is whole: rows, blocks, zones and index agree.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from penstock.storage.log import blocks, metadata
from penstock.storage.log.columns import COUNTED, RANGED, term
from penstock.storage.log.zones import COUNTS, ENDS, NOTHING
from penstock.storage.sql import Row, Sql, filled, marks

ROWS = 1000  # of a transaction, at most
BYTES = 8 * 1024 * 1024  # of the blocks that it changes; one larger block may be among them
ZONES = 100  # that it counts anew
_ASKED = 256  # values of one question
_END = b"\xff" * 17  # after every id
_FIRST = "SELECT first FROM log_zones WHERE gateway = ? AND first <= ? ORDER BY first DESC LIMIT 1"
_NEXT = "SELECT first FROM log_zones WHERE gateway = ? AND first > ? ORDER BY first LIMIT 1"
_TOLD = ", ".join(
    [
        "count(*)",
        *(f"coalesce(sum(l.{column.name}), 0)" for column in COUNTED),
        *(
            f"coalesce({side}({term(column)}), {nothing})"
            for column in RANGED
            for side, nothing in (("min", NOTHING), ("max", -NOTHING))
        ),
    ]
)
_COUNT = f"SELECT {_TOLD} FROM logs l WHERE l.gateway = ? AND l.id >= ? AND l.id < ?"  # noqa: S608
_SETS = ", ".join(f"{name} = ?" for name in (*COUNTS, *ENDS))
_SET = f"UPDATE log_zones SET {_SETS} WHERE gateway = ? AND first = ?"  # noqa: S608


def erase(connection: Sql, number: int, log_ids: Sequence[bytes]) -> tuple[int, list[bytes]]:
    """Takes out the first of those rows of a gateway, as many as one transaction may: all of them, or none.

    ``log_ids`` are in order. Returns how many rows there were, and the ids that are left for the next transaction.
    Raises StoreUnavailable.
    """
    wanted = log_ids[:ROWS]
    with connection.transaction():
        connection.lock_gateways([number])
        rows = _bounded(connection, _rows(connection, number, wanted))
        zones, rows = _zones(connection, number, rows)
        if rows:
            _cut_blocks(connection, rows)
            metadata.remove(
                connection, [line for log_id, _, told in rows for line in metadata.entries(number, log_id, told)]
            )
            for some in _some([log_id for log_id, *_ in rows]):
                connection.execute(f"DELETE FROM logs WHERE gateway = ? AND id IN {marks(len(some))}", (number, *some))  # noqa: S608
            _count(connection, number, zones)
    if not rows:
        return 0, list(log_ids[ROWS:])
    return len(rows), list(log_ids[log_ids.index(rows[-1][0]) + 1 :])


def _rows(connection: Sql, number: int, wanted: Sequence[bytes]) -> list[Row]:
    """Id, block and metadata of those that are there, in order."""
    sql = "SELECT id, block, metadata FROM logs WHERE gateway = ? AND id IN"
    return sorted(_among(connection, sql, wanted, number))


def _bounded(connection: Sql, rows: list[Row]) -> list[Row]:
    """The first of the rows, as far as their blocks together are no larger than BYTES."""
    sql = "SELECT id, length(details) + coalesce(length(bodies), 0) FROM log_bodies WHERE id IN"
    sizes = dict(_among(connection, sql, list({block for _, block, *_ in rows})))
    size = 0
    for place, (_, block, *_) in enumerate(rows):
        size += sizes.pop(block, 0)
        if place and size > BYTES:
            return rows[:place]
    return rows


def _cut_blocks(connection: Sql, rows: list[Row]) -> None:
    gone: dict[int, set[bytes]] = {}
    for log_id, block, *_ in rows:
        gone.setdefault(block, set()).add(log_id)
    empty: list[tuple[int]] = []
    sql = "SELECT id, ids, details, bodies FROM log_bodies WHERE id IN"
    for block, column, details, bodies in _among(connection, sql, list(gone)):
        left = blocks.without(column, details, bodies, gone[block])
        if left is None:
            empty.append((block,))
        else:
            connection.execute("UPDATE log_bodies SET ids = ?, details = ?, bodies = ? WHERE id = ?", (*left, block))
    connection.executemany("DELETE FROM log_bodies WHERE id = ?", empty)


def _zones(connection: Sql, number: int, rows: list[Row]) -> tuple[list[tuple[bytes, bytes]], list[Row]]:
    """The first of the rows that lie in no more than ZONES zones; where each of these begins, and the next one."""
    zones: list[tuple[bytes, bytes]] = []
    for place, (log_id, *_) in enumerate(rows):
        if zones and log_id < zones[-1][1]:
            continue
        if len(zones) == ZONES:
            return zones, rows[:place]
        ((first,),) = connection.execute(_FIRST, (number, log_id))
        after = connection.execute(_NEXT, (number, first))
        zones.append((first, after[0][0] if after else _END))
    return zones, rows


def _count(connection: Sql, number: int, zones: list[tuple[bytes, bytes]]) -> None:
    """Tells anew what is in each zone: counts and ranges. The bits of its words may say too much, and stay."""
    for first, after in zones:
        (told,) = connection.execute(_COUNT, (number, first, after))
        if told[0]:
            connection.execute(_SET, (*told, number, first))
        else:
            connection.execute("DELETE FROM log_zones WHERE gateway = ? AND first = ?", (number, first))


def _among(connection: Sql, sql: str, values: Sequence[Any], *before: Any) -> Iterable[Row]:
    """The rows of a query that ends in IN, whose list may be of any length."""
    for some in _some(values):
        yield from connection.execute(f"{sql} {marks(len(some))}", (*before, *some))


def _some(values: Sequence[Any]) -> Iterable[list[Any]]:
    for at in range(0, len(values), _ASKED):
        yield filled(values[at : at + _ASKED])
