"""Writing the log: one transaction a batch (docs/storage.md describes the layout).

Several writers of one PostgreSQL database may do so at once, for the same gateways: only while they count rows into
zones, at the end of the transaction, do they wait for one another.
"""

from collections.abc import Callable, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

from penstock.core import ids
from penstock.core.codec import DecodeError
from penstock.model.record import LogRecord
from penstock.storage import charged_usage, ledger, spending
from penstock.storage.errors import Duplicate, StoreUnavailable, Unwritable
from penstock.storage.log import blocks, drafts, metadata, zones
from penstock.storage.log.columns import KEYS, WORDS, WRITTEN
from penstock.storage.log.drafts import Drafts, Gone, Late
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
        self._drafts = Drafts(connection, sender or b"")
        self.late = 0  # final records that were left out, because their drafts had been written as such

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
                    self._begin([record for record in records if record is not None], start, start + len(records))
                except Moved:
                    assert self._position is not None
                    written = self._position.reached(start) - start
                    records, start = records[written:], start + written
                    self._drafts.unknown()
                except Late as late:
                    self.late += len(late.ids)
                    records = [None if record and record.id in late.ids else record for record in records]
                else:
                    return
        except (Duplicate, OverflowError, TypeError, ValueError) as error:
            raise Unwritable(repr(error)) from error
        raise StoreUnavailable("another writer of the same sender writes")

    def settle(self, whose: drafts.Whose, most: int = drafts.ROWS) -> int:
        """Writes drafts as the final records of their calls, as many as ``most``; returns how many it found.

        Raises as ``write`` does.
        """
        try:
            found = drafts.read(self._connection, whose, most)
            if found:
                self._write(found, lambda: drafts.claim(self._connection, found))
        except Gone:
            return most  # what is left is found by whoever looks again
        except (*DecodeError, Duplicate, OverflowError, TypeError, ValueError) as error:
            raise Unwritable(repr(error)) from error
        return len(found)

    def leave_out(self, whose: drafts.Whose) -> bytes:
        """Gives up the first of these drafts; returns its id."""
        return drafts.leave_out(self._connection, whose)

    def close(self) -> None:
        self._connection.close()

    def _begin(self, records: list[LogRecord], start: int, end: int) -> None:
        if not records:
            return
        finals, new = drafts.split(records)

        def begin() -> None:
            if self._position is not None:
                self._position.move(start, end)
            self._drafts.replace(new, finals)

        self._write(finals, begin)
        self._drafts.replaced(new, finals)

    def _write(self, records: list[LogRecord], begin: Callable[[], None]) -> None:
        """``begin`` is called first in the transaction."""
        rolled = self._rollups.sorted(records)
        logged = sorted([record for record in records if record.logged], key=_order)
        groups = [(gateway, list(group)) for gateway, group in groupby(logged, _owner)]
        counted = self._rollups.words(rolled)
        words = _words(logged) | counted
        for _ in range(_TRIES):
            try:
                self._rollups.mark(counted)
                with self._connection.transaction():
                    begin()
                    if records:
                        self._insert(groups, rolled, words)
                        self._account([record for record in records if record.spends or record.charge])
            except NewWord:  # or one that was taken out meanwhile
                self._names.learn(words)
            else:
                return
        raise StoreUnavailable("the words of the log are taken out as fast as they are learnt")

    def _insert(self, groups: zones.Groups, rolled: Rolled, words: set[str | None]) -> None:
        connection, names = self._connection, self._names
        split = [(gateway, block) for gateway, group in groups for block in blocks.split(group)]
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

    def _account(self, records: list[LogRecord]) -> None:
        if records:
            spending.add(self._connection, records)
            posted = ledger.post(self._connection, filter(None, map(ledger.of_call, records)))
            charged_usage.add(self._connection, records, posted)


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
