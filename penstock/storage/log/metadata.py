"""The metadata of rows as an index beside them: which rows of a gateway have this value under this key.

``log_metadata`` has a line for each entry of each row. It finds equal values; what is compared otherwise is read from
the rows themselves. What changes a row's metadata, or takes the row out, must change the index in the same transaction.
"""

import zlib
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from penstock.core.codec import DecodeError, decoder, encode
from penstock.storage.log.names import stored
from penstock.storage.sql import Sql

LIMIT = 200  # bytes of a value; PostgreSQL's index has no room for the longest
_KEPT = 64  # characters of a longer one
_COLUMNS = ("gateway", "key", "value", "id")
_read = decoder(dict[str, str | bool | int | float]).decode

Entry = tuple[int, str, str, bytes]  # a line of the index: gateway, key, value, id


@lru_cache(1024)
def pairs(metadata: str | None) -> tuple[tuple[str, str], ...]:
    """Keys and values of a row's metadata, as the index has them."""
    try:
        return tuple((stored(key), indexed(value)) for key, value in _read(metadata).items()) if metadata else ()
    except DecodeError:
        return ()  # no object of single values: it was not written by a call


def indexed(value: str | float | bool) -> str:  # noqa: FBT001  a value, not an option
    """A value as the index has it: text as it is, others as JSON; a long one by its beginning and a hash."""
    text = stored(value if isinstance(value, str) else encode(value).decode())
    if len(text) <= _KEPT or len(raw := text.encode()) <= LIMIT:
        return text
    return f"{text[:_KEPT]}…{blake2b(raw, digest_size=16).hexdigest()}"


def bits(metadata: Iterable[str | None]) -> int:
    """For a zone: a bit for each of the keys."""
    return sum({bit(key) for one in set(metadata) for key, _ in pairs(one)})


def bit(key: str) -> int:
    """The bit of a key."""
    return 1 << zlib.crc32(key.encode()) % 63


def entries(gateway: int, log_id: bytes, metadata: str | None) -> list[Entry]:
    """The lines of a row."""
    return [(gateway, key, value, log_id) for key, value in pairs(metadata)]


def add(connection: Sql, lines: list[Entry]) -> None:
    """Writes the lines of new rows."""
    if lines:
        connection.insert("log_metadata", _COLUMNS, lines)


def remove(connection: Sql, lines: list[Entry]) -> None:
    """Takes out the lines of rows that go."""
    connection.executemany("DELETE FROM log_metadata WHERE gateway = ? AND key = ? AND value = ? AND id = ?", lines)


def move(connection: Sql, gateway: int, log_id: bytes, before: str | None, after: str | None) -> None:
    """Changes the index, and the zone's bits, where a row's metadata change. Within ``lock_gateways``."""
    old, new = set(pairs(before)), set(pairs(after))
    remove(connection, [(gateway, *pair, log_id) for pair in old - new])
    add(connection, [(gateway, *pair, log_id) for pair in new - old])
    if new:
        zone = "(SELECT first FROM log_zones WHERE gateway = ? AND first <= ? ORDER BY first DESC LIMIT 1)"
        sql = f"UPDATE log_zones SET metadata_keys = metadata_keys | ? WHERE gateway = ? AND first = {zone}"  # noqa: S608
        values: list[Any] = [bits([after]), gateway, gateway, log_id]
        connection.execute(sql, values)


def remove_oldest(connection: Sql, gateway: int, last: bytes) -> None:
    """Takes out the lines of all of a gateway's rows up to an id."""
    sql = "SELECT DISTINCT metadata FROM logs WHERE gateway = ? AND id <= ? AND metadata IS NOT NULL"
    found = {pair for (metadata,) in connection.execute(sql, (gateway, last)) for pair in pairs(metadata)}
    sql = "DELETE FROM log_metadata WHERE gateway = ? AND key = ? AND value = ? AND id <= ?"
    connection.executemany(sql, [(gateway, *pair, last) for pair in sorted(found)])
