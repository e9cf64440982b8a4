"""Writing the log: one transaction a batch (docs/storage.md describes the layout).

Everything runs on a plain sqlite3 connection, because the writer process has 30 µs a row for all its work.
"""

import sqlite3
from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter
from typing import Any

from penstock.core import ids
from penstock.model.record import LogRecord
from penstock.storage import blocks, zones
from penstock.storage.errors import StoreUnavailable, Unwritable
from penstock.storage.names import Names

COLUMNS = (
    *("gateway", "id", "block", "created_at", "duration", "provider", "model", "model_type", "request_type", "path"),
    *("status_code", "success", "cached", "step", "tokens_in", "tokens_out", "cost", "custom_cost", "metadata"),
    *("request_content_type", "response_content_type", "request_size", "response_size", "user_agent", "outcome"),
    *("event_id", "feedback", "score"),
)
_WRITTEN = COLUMNS[:-2]
_INSERT = f"INSERT INTO logs ({', '.join(_WRITTEN)}) VALUES ({', '.join('?' * len(_WRITTEN))})"  # noqa: S608
_INSERT_BLOCK = "INSERT INTO log_bodies (gateway, ids, details, bodies) VALUES (?, ?, ?, ?)"
_owner = attrgetter("gateway")
_order = attrgetter("gateway", "id")


class LogTable:
    """The log of one database, for its one writer."""

    def __init__(self, connection: sqlite3.Connection, zone_rows: int = zones.ROWS) -> None:
        self._connection = connection
        self._zone_rows = zone_rows
        self._names = Names(connection)

    def write(self, records: list[LogRecord]) -> None:
        """Writes a batch in one transaction: all or nothing.

        Records that are already there, or twice in the batch, are written once. Raises StoreUnavailable (disk full,
        database locked: the same again may succeed) or Unwritable (some record's value fits no column).
        """
        try:
            try:
                self._write(records)
            except sqlite3.IntegrityError:  # a batch comes again when its writer died before it could say "written"
                self._write(self._unknown(records))
        except sqlite3.OperationalError as error:
            raise StoreUnavailable(str(error)) from error
        except (sqlite3.Error, OverflowError, TypeError, ValueError) as error:
            raise Unwritable(repr(error)) from error

    def close(self) -> None:
        self._connection.close()

    def _write(self, records: list[LogRecord]) -> None:
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        try:
            for gateway, group in groupby(sorted(records, key=_order), _owner):
                self._write_gateway(gateway, list(group))
            execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                execute("ROLLBACK")
            self._names.forget()
            raise

    def _write_gateway(self, gateway: int, records: list[LogRecord]) -> None:
        rows: list[tuple[Any, ...]] = []
        names = self._names
        for block in blocks.split(records):
            number = self._connection.execute(_INSERT_BLOCK, (gateway, *blocks.pack(block))).lastrowid
            rows += [_row(record, gateway, number, names) for record in block]
        self._connection.executemany(_INSERT, rows)
        zones.add(self._connection, gateway, records, names, self._zone_rows)

    def _unknown(self, records: Iterable[LogRecord]) -> list[LogRecord]:
        new = {record.id: record for record in records}
        for record in list(new.values()):
            key = (record.gateway, record.id)
            if self._connection.execute("SELECT 1 FROM logs WHERE gateway = ? AND id = ?", key).fetchone():
                del new[record.id]
        return list(new.values())


def _row(r: LogRecord, gateway: int, block: int | None, names: Names) -> tuple[Any, ...]:
    return (
        *(gateway, r.id, block, r.created_at, r.duration, names[r.provider], names[r.model], names[r.model_type]),
        *(names[r.request_type], r.path, r.status_code, r.success, r.cached, r.step, r.tokens_in, r.tokens_out),
        *(r.cost, r.custom_cost, r.metadata, names[r.request_content_type], names[r.response_content_type]),
        *(r.request_size, r.response_size, names[r.user_agent], names[r.outcome]),
        None if r.event_id == ids.text(r.id) else r.event_id,
    )
