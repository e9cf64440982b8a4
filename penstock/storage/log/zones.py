"""What a run of about a thousand rows of one gateway can contain.

A query for a rare value would read millions of rows to fill a page, and an index for each thing one can filter by
would cost the writer more than the row. A zone costs a thousandth of a row, and lets the query skip every thousand
rows that cannot match (``storage.log.query`` has the conditions).
"""

from bisect import bisect_left
from collections.abc import Iterable
from functools import cache
from operator import attrgetter
from typing import Any

from penstock.model.record import LogRecord
from penstock.storage.log import metadata
from penstock.storage.log.columns import COUNTED, NAMED, RANGED, TOTAL, ZONED_WORDS, Column
from penstock.storage.log.names import stored
from penstock.storage.sql import Dialect, Sql, filled

ROWS = 1024
NOTHING = 2**62  # least of no values; its negative is the greatest
NOBODY = "\U0010ffff"  # first of no words; the last is empty

COUNTS = ("rows", *(f"{column.name}_rows" for column in COUNTED))
BITS = (*(f"{column.name}s" for column in ZONED_WORDS), "metadata_keys")
ENDS = tuple(f"{side}_{column.name}" for column in RANGED for side in ("min", "max"))
NAMES = tuple(f"{side}_{column.name}" for column in NAMED for side in ("min", "max"))
_ASKED = 64  # gateways in one question

Groups = list[tuple[int, list[LogRecord]]]  # gateways, and records of each in order of id


def bit(name: int) -> int:
    """The bit of a name's number in the columns ``BITS``."""
    return 1 << name % 63


def bits(numbers: Iterable[int]) -> int:
    """The bits of several."""
    return sum({bit(number) for number in numbers})


def add(connection: Sql, groups: Groups, names: dict[Any, Any], full: int = ROWS) -> None:
    """Counts new rows in; nobody else may count rows of these gateways meanwhile. A late row goes to its older zone.

    A zone of ``full`` rows gets a successor, but may grow by what comes late.
    """
    while groups:
        newest = {gateway: records[-1].id for gateway, records in groups}
        zones = _holding(connection, newest)
        rows: list[list[Any]] = []
        older: Groups = []
        for gateway, records in groups:
            first, last, held = zones.get(gateway, (b"", b"", 0))
            if held >= full and newest[gateway] > last:
                first = (int.from_bytes(last, "big") + 1).to_bytes(16, "big")
            start = bisect_left(records, first, key=_id)
            rows.append([gateway, first, newest[gateway], *_summary(records[start:], names)])
            if start:
                older.append((gateway, records[:start]))
        connection.executemany(_adding(connection.dialect), rows)
        groups = older


def _id(record: LogRecord) -> bytes:
    return record.id


def _holding(connection: Sql, newest: dict[int, bytes]) -> dict[int, tuple[bytes, bytes, int]]:
    """Start, last id and rows of the zone that each gateway's id belongs to."""
    asked, found = list(newest.items()), dict[int, tuple[bytes, bytes, int]]()
    for at in range(0, len(asked), _ASKED):
        some = filled(asked[at : at + _ASKED])
        values = [value for pair in some for value in pair]
        for gateway, *zone in connection.execute(_finding(len(some)), values):
            found[gateway] = tuple(zone)
    return found


@cache
def _finding(count: int) -> str:
    one = (
        "SELECT * FROM (SELECT gateway, first, last, rows FROM log_zones"
        " WHERE gateway = ? AND first <= ? ORDER BY first DESC LIMIT 1) z"
    )
    return " UNION ALL ".join([one] * count)


@cache
def _adding(dialect: Dialect) -> str:
    columns = ["gateway", "first", "last", *COUNTS, *BITS, *ENDS, *NAMES]
    sums = [f"{name} = log_zones.{name} + excluded.{name}" for name in COUNTS]
    either = [f"{name} = log_zones.{name} | excluded.{name}" for name in BITS]
    ends = [
        f"{name} = {dialect.least if name.startswith('min') else dialect.greatest}(log_zones.{name}, excluded.{name})"
        for name in (*ENDS, *NAMES)
    ]
    last = f"last = {dialect.greatest}(log_zones.last, excluded.last)"
    return (
        f"INSERT INTO log_zones ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608
        f" ON CONFLICT (gateway, first) DO UPDATE SET {', '.join([last, *sums, *either, *ends])}"
    )


def _summary(records: list[LogRecord], names: dict[Any, Any]) -> list[Any]:
    summary: list[Any] = [len(records)]
    summary += [sum(map(attrgetter(column.name), records)) for column in COUNTED]
    summary += [bits({names[word] for word in set(map(attrgetter(c.name), records))} - {None}) for c in ZONED_WORDS]
    summary.append(metadata.bits(map(attrgetter("metadata"), records)))
    for column in RANGED:
        values = _values(column, records)
        summary += (min(values, default=NOTHING), max(values, default=-NOTHING))
    for column in NAMED:
        words = {stored(word) for word in set(map(attrgetter(column.name), records)) if word is not None}
        summary += (min(words, default=NOBODY), max(words, default=""))
    return summary


def _values(column: Column, records: list[LogRecord]) -> list[int]:
    if column.later:
        return []
    if column is TOTAL:
        return [r.tokens_in + r.tokens_out for r in records if r.tokens_in is not None and r.tokens_out is not None]
    return [value for value in map(attrgetter(column.name), records) if value is not None]
