"""Writing the log: one transaction a batch (docs/storage.md describes the layout).

Several writers of one PostgreSQL database may do so at once, for the same gateways: only while they count rows into
zones, at the end of the transaction, do they wait for one another.
"""

from itertools import groupby
from operator import attrgetter
from typing import Any

from penstock.core import ids
from penstock.model.record import LogRecord
from penstock.storage.errors import Duplicate, StoreUnavailable, Unwritable
from penstock.storage.log import blocks, metadata, zones
from penstock.storage.log.columns import KEYS, WORDS, WRITTEN
from penstock.storage.log.names import Names, NewWord
from penstock.storage.sql import Sql, filled, marks

_BLOCK = ("gateway", "ids", "details", "bodies")
_ASKED = 256  # ids in one question
_TRIES = 3  # a word is taken out at most once in minutes
_owner = attrgetter("gateway")
_order = attrgetter("gateway", "id")


class LogTable:
    """The log of one database, for one of its writers."""

    def __init__(self, connection: Sql, zone_rows: int = zones.ROWS) -> None:
        self._connection = connection
        self._zone_rows = zone_rows
        self._names = Names(connection)

    def write(self, records: list[LogRecord]) -> None:
        """Writes a batch in one transaction: all or nothing.

        Records that are already there, or twice in the batch, are written once. Raises StoreUnavailable (the same
        again may succeed, StoreRefused: once somebody has mended it) or Unwritable (some record's value fits no
        column).
        """
        try:
            try:
                self._write(records)
            except Duplicate:  # a batch comes again when its writer died before it could say "written"
                self._write(self._unknown(records))
        except (Duplicate, OverflowError, TypeError, ValueError) as error:
            raise Unwritable(repr(error)) from error

    def close(self) -> None:
        self._connection.close()

    def _write(self, records: list[LogRecord]) -> None:
        records = [record for record in records if record.logged]
        if not records:
            return
        groups = [(gateway, list(group)) for gateway, group in groupby(sorted(records, key=_order), _owner)]
        words = _words(records)
        for _ in range(_TRIES):
            try:
                self._insert(groups, words)
            except NewWord:  # or one that was taken out meanwhile
                self._names.learn(words)
            else:
                return
        raise StoreUnavailable("the words of the log are taken out as fast as they are learnt")

    def _insert(self, groups: zones.Groups, words: set[str | None]) -> None:
        connection, names = self._connection, self._names
        split = [(gateway, block) for gateway, group in groups for block in blocks.split(group)]
        with connection.transaction():
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
            connection.lock_gateways([gateway for gateway, _ in groups])
            zones.add(connection, groups, names, self._zone_rows)

    def _unknown(self, records: list[LogRecord]) -> list[LogRecord]:
        """Those that are not there yet, each once."""
        new = {(record.gateway, record.id): record for record in records}
        for gateway, group in groupby(sorted(new), lambda key: key[0]):
            keys = [log_id for _, log_id in group]
            for at in range(0, len(keys), _ASKED):
                values = filled(keys[at : at + _ASKED])
                sql = f"SELECT id FROM logs WHERE gateway = ? AND id IN {marks(len(values))}"  # noqa: S608
                for (log_id,) in self._connection.execute(sql, (gateway, *values)):
                    del new[gateway, log_id]
        return list(new.values())


def _words(records: list[LogRecord]) -> set[str | None]:
    return {getattr(record, column.name) for column in WORDS for record in records}


def _row(record: LogRecord, gateway: int, block: int, names: Names) -> tuple[Any, ...]:
    row: list[Any] = [gateway, record.id, block, *_values(record)]
    for place in _NUMBERED:
        row[place] = names[row[place]]
    if row[_EVENT] == ids.text(record.id):
        row[_EVENT] = None
    return tuple(row)


def _entries(record: LogRecord) -> list[metadata.Entry]:
    return metadata.entries(record.gateway, record.id, record.metadata) if record.metadata else []


_values = attrgetter(*WRITTEN[len(KEYS) :])
_NUMBERED = [WRITTEN.index(column.name) for column in WORDS]
_EVENT = WRITTEN.index("event_id")
