"""Writing the log: one transaction a batch (docs/storage.md describes the layout).

Several writers of one PostgreSQL database may do so at once, for the same gateways: only while they count rows into
zones, at the end of the transaction, do they wait for one another.
"""

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

from penstock.core import ids
from penstock.model.record import LogRecord
from penstock.storage.errors import Duplicate, StoreUnavailable, Unwritable
from penstock.storage.log import blocks, metadata, zones
from penstock.storage.log.columns import KEYS, WORDS, WRITTEN
from penstock.storage.log.names import Names, NewWord
from penstock.storage.log.rollups import Rolled, Rollups
from penstock.storage.log.senders import Moved, Position
from penstock.storage.sql import Sql

_BLOCK = ("gateway", "ids", "details", "bodies")
_TRIES = 4  # a word is taken out at most once in minutes
_owner = attrgetter("gateway")
_order = attrgetter("gateway", "id")


class LogTable:
    """The log of one database, for one of its writers.

    ``sender``: whoever numbers the records (``storage.log.senders``); None: each is given once.
    """

    def __init__(self, connection: Sql, zone_rows: int = zones.ROWS, sender: bytes | None = None) -> None:
        self._connection = connection
        self._zone_rows = zone_rows
        self._names = Names(connection)
        self._rollups = Rollups(connection, self._names)
        self._position = None if sender is None else Position(connection, sender)

    def write(self, records: Sequence[LogRecord | None], start: int = 0) -> None:
        """Writes a batch in one transaction: all or nothing. ``start``: position of the first; None holds a place.

        What a gateway's owner does not want stored is taken out of the records first. What was written before is left
        out. Raises StoreUnavailable (the same again may succeed, StoreRefused: once somebody has mended it) or
        Unwritable (some record's value fits no column, or its id is there already).
        """
        try:
            _redact(records)
            for _ in range(_TRIES):
                try:
                    self._write([record for record in records if record is not None], start, start + len(records))
                except Moved:
                    assert self._position is not None
                    written = self._position.reached(start) - start
                    records, start = records[written:], start + written
                else:
                    return
        except (Duplicate, OverflowError, TypeError, ValueError) as error:
            raise Unwritable(repr(error)) from error
        raise StoreUnavailable("another writer of the same sender writes")

    def close(self) -> None:
        self._connection.close()

    def _write(self, records: list[LogRecord], start: int, end: int) -> None:
        if not records:
            return
        rolled = self._rollups.sorted(records)
        logged = sorted([record for record in records if record.logged], key=_order)
        groups = [(gateway, list(group)) for gateway, group in groupby(logged, _owner)]
        counted = self._rollups.words(rolled)
        words = _words(logged) | counted
        for _ in range(_TRIES):
            try:
                self._rollups.mark(counted)
                self._insert(groups, rolled, words, (start, end))
            except NewWord:  # or one that was taken out meanwhile
                self._names.learn(words)
            else:
                return
        raise StoreUnavailable("the words of the log are taken out as fast as they are learnt")

    def _insert(self, groups: zones.Groups, rolled: Rolled, words: set[str | None], moved: tuple[int, int]) -> None:
        connection, names = self._connection, self._names
        split = [(gateway, block) for gateway, group in groups for block in blocks.split(group)]
        with connection.transaction():
            if self._position is not None:
                self._position.move(*moved)
            connection.lock_names(alone=False)
            names.confirm(words)
            packed = ((gateway, *blocks.pack(block)) for gateway, block in split)
            numbers = connection.insert_numbered("log_bodies", _BLOCK, packed)
            rows = [
                _row(record, gateway, number, names)
                for number, (gateway, block) in zip(numbers, split, strict=True)
                for record in block
            ]
            connection.insert("logs", WRITTEN, rows)
            metadata.add(connection, [line for _, group in groups for record in group for line in _entries(record)])
            connection.lock_gateways({gateway for gateway, _ in groups} | {key[0] for key in rolled})
            zones.add(connection, groups, names, self._zone_rows)
            self._rollups.add(rolled)


def _redact(records: Sequence[LogRecord | None]) -> None:
    if private := [record for record in records if record is not None and record.redact]:
        from penstock.storage.log.redact import redact  # noqa: PLC0415  it brings ten megabytes

        for record in private:
            redact(record)


def _words(records: list[LogRecord]) -> set[str | None]:
    return {getattr(record, column.name) for column in WORDS for record in records}


def _row(record: LogRecord, gateway: int, block: int, names: Names) -> tuple[Any, ...]:
    row: list[Any] = [gateway, record.id, block, *_values(record)]
    for place in _NUMBERED:
        row[place] = names[row[place]]
    if row[_EVENT] == ids.text(record.id):
        row[_EVENT] = None
    if record.charge is not None:
        row[_CHARGE] = record.charge[1]
    return tuple(row)


def _entries(record: LogRecord) -> list[metadata.Entry]:
    return metadata.entries(record.gateway, record.id, record.metadata) if record.metadata else []


_values = attrgetter(*WRITTEN[len(KEYS) :])
_NUMBERED = [WRITTEN.index(column.name) for column in WORDS]
_EVENT, _CHARGE = WRITTEN.index("event_id"), WRITTEN.index("charge")
