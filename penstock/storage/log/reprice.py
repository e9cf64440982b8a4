"""Correcting what calls cost: the row, its details, its zone and its roll-ups, in one transaction."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from penstock.core import codec, ids
from penstock.storage.log import blocks, edit
from penstock.storage.log.measures import OTHER, SPANS, WHOLE
from penstock.storage.log.names import stored
from penstock.storage.log.reader import LogRow
from penstock.storage.sql import Sql

_MINUTE = 60_000  # milliseconds
_WORD = "(SELECT id FROM log_names WHERE name = ?)"
_ADD = (
    "UPDATE log_rollups SET cost = cost + ?, unpriced = unpriced - ? WHERE gateway = ? AND span = ? AND start = ?"  # noqa: S608
    f" AND provider = {_WORD} AND model = {_WORD} AND outcome = {_WORD}"
    " AND status_code = ? AND success = ? AND cached = ? AND {} RETURNING calls"
)
_OF_ALL = f"key = {WHOLE} AND value = {WHOLE}"
_OF_VALUE = f"key = {_WORD} AND value = {_WORD}"


class Repriced(NamedTuple):
    """A row as it was read, what it costs, and its new details."""

    row: LogRow
    cost: int
    detail: bytes


def apply(connection: Sql, number: int, changes: Iterable[Repriced]) -> int:
    """Corrects rows of a gateway; returns how many. One that is gone, or costs something else by now, is left alone.

    Raises StoreUnavailable, and then has changed nothing.
    """
    with connection.transaction():
        connection.lock_gateways([number])
        details: dict[int, dict[bytes, bytes]] = {}
        done = 0
        for change in changes:
            log_id = ids.parse(change.row.id)
            sql = "SELECT cost, block FROM logs WHERE gateway = ? AND id = ?"
            found = connection.execute(sql, (number, log_id))
            if found and found[0][0] == change.row.cost:
                edit.change(connection, number, log_id, {"cost": change.cost})
                details.setdefault(found[0][1], {})[log_id] = change.detail
                _roll_up(connection, number, change)
                done += 1
        for block, new in details.items():
            ((column, packed),) = connection.execute("SELECT ids, details FROM log_bodies WHERE id = ?", (block,))
            told = dict(zip(blocks.ids(column), blocks.details(packed), strict=True))
            told = [new.get(log_id, detail) for log_id, detail in told.items()]
            connection.execute("UPDATE log_bodies SET details = ? WHERE id = ?", (blocks.pack_details(told), block))
    return done


def _roll_up(connection: Sql, number: int, change: Repriced) -> None:
    row, minute = change.row, change.row.created_at // _MINUTE
    more, unpriced = change.cost - (row.cost or 0), int(row.cost is None)
    of = (*map(stored, (row.provider, row.model, row.outcome)), row.status_code, int(row.success), int(row.cached))
    for span in SPANS:
        values = (more, unpriced, number, span, minute - minute % span, *of)
        connection.execute(_ADD.format(_OF_ALL), values)
        for key, value in _pairs(row.metadata):
            if not connection.execute(_ADD.format(_OF_VALUE), (*values, key, value)):
                connection.execute(_ADD.format(_OF_VALUE), (*values, key, OTHER))


def _pairs(metadata: str | None) -> Iterable[tuple[str, str]]:
    pairs: dict[str, Any] = codec.decode(metadata) if metadata else {}
    for name, value in pairs.items():
        if value is not None:
            yield stored(name), stored(value if isinstance(value, str) else codec.encode(value).decode())
