"""Changing what people say of a row, when it is long written: its feedback, its score, its metadata."""

from collections.abc import Mapping
from typing import Any

from penstock.storage.log import metadata
from penstock.storage.log.columns import BY_NAME
from penstock.storage.sql import Sql

_ZONE = "SELECT first FROM log_zones WHERE gateway = ? AND first <= ? ORDER BY first DESC LIMIT 1"


def edit(connection: Sql, number: int, log_id: bytes, values: Mapping[str, Any]) -> bool:
    """Sets columns of a row, and widens the ranges of its zone, in one transaction. False: there is no such row.

    Raises StoreUnavailable, and then has changed nothing.
    """
    with connection.transaction():
        connection.lock_gateways([number])
        return change(connection, number, log_id, values)


def change(connection: Sql, number: int, log_id: bytes, values: Mapping[str, Any]) -> bool:
    """The same within a transaction that holds the gateway's lock."""
    found = connection.execute("SELECT metadata FROM logs WHERE gateway = ? AND id = ?", (number, log_id))
    if not found:
        return False
    sets = ", ".join(f"{name} = ?" for name in values)
    sql = f"UPDATE logs SET {sets} WHERE gateway = ? AND id = ?"  # noqa: S608
    connection.execute(sql, (*values.values(), number, log_id))
    if "metadata" in values:
        metadata.move(connection, number, log_id, found[0][0], values["metadata"])
    ranged = [name for name, value in values.items() if value is not None and BY_NAME[name].zone == "range"]
    if ranged:
        dialect = connection.dialect
        ends = [
            f"{side}_{name} = {wider}({side}_{name}, ?)"
            for name in ranged
            for side, wider in (("min", dialect.least), ("max", dialect.greatest))
        ]
        told = [values[name] for name in ranged for _ in ("min", "max")]
        sql = f"UPDATE log_zones SET {', '.join(ends)} WHERE gateway = ? AND first = ({_ZONE})"  # noqa: S608
        connection.execute(sql, (*told, number, number, log_id))
    return True
