"""Tests that an index answers: what they leave of a gateway's rows is known before any row is read."""

from penstock.storage.log.columns import ID
from penstock.storage.log.filters import METADATA, Filter, Test, parsed, words
from penstock.storage.log.metadata import indexed
from penstock.storage.log.names import stored
from penstock.storage.sql import Sql, filled, marks

FEW = 4_000  # rows that are put in order by reading all of them
_KEYS = 64  # of a gateway's metadata, where a value is looked for under any
_ENDS = "id BETWEEN ? AND ?"

Span = tuple[bytes, bytes]


def few(connection: Sql, gateway: int, where: Filter, span: Span) -> list[bytes] | None:
    """The ids of all rows that can match, in no order; None: they are many, or no index tells."""
    for test in where.tests:
        if test.operator == "eq" and None not in test.values and test.values:
            found = _found(connection, gateway, test, span)
            if found is not None and len(found) <= FEW:
                return list({log_id for log_id in found if span[0] <= log_id <= span[1]})
    return None


def pair(test: Test) -> tuple[str, str] | None:
    """The key and the one value of metadata that are asked for."""
    name = test.column.removeprefix(METADATA)
    one = test.operator == "eq" and len(test.values) == 1 and test.values[0] is not None
    if not one or name == test.column or name in ("key", "value"):
        return None
    return stored(name), indexed(str(test.values[0]))


def _found(connection: Sql, gateway: int, test: Test, span: Span) -> list[bytes] | None:
    name = test.column.removeprefix(METADATA)
    if test.column == ID.name:
        return parsed(test)
    if test.column == "event_id":
        events = filled(words(test))
        sql = f"SELECT id FROM logs WHERE gateway = ? AND event_id IS NOT NULL AND event_id IN {marks(len(events))}"  # noqa: S608
        return [*_ids(connection, sql, [gateway, *events]), *parsed(test)]
    if name in (test.column, "key"):
        return None
    keys = _keys(connection, gateway) if name == "value" else [stored(name)]
    if not keys or len(keys) > _KEYS:
        return [] if not keys else None
    asked, values = filled(keys), filled([indexed(value) for value in words(test)])
    sql = (
        f"SELECT id FROM log_metadata WHERE gateway = ? AND key IN {marks(len(asked))}"  # noqa: S608
        f" AND value IN {marks(len(values))} AND {_ENDS}"
    )
    return _ids(connection, sql, [gateway, *asked, *values, *span])


def _ids(connection: Sql, sql: str, values: list[object]) -> list[bytes]:
    return [log_id for (log_id,) in connection.execute(f"{sql} LIMIT ?", [*values, FEW + 1])]


def _keys(connection: Sql, gateway: int) -> list[str]:
    """The keys that a gateway's metadata have, up to some more than ``_KEYS``: each is one descent of the tree."""
    keys: list[str] = []
    sql = "SELECT key FROM log_metadata WHERE gateway = ? AND key > ? ORDER BY key LIMIT 1"
    if connection.execute("SELECT 1 FROM log_metadata WHERE gateway = ? AND key = '' LIMIT 1", (gateway,)):
        keys.append("")
    while len(keys) <= _KEYS and (more := connection.execute(sql, (gateway, keys[-1] if keys else ""))):
        keys.append(more[0][0])
    return keys
