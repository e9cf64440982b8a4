"""Reading the log: rows with filters, one row, its bodies, and what has just arrived."""

import sqlite3
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any

import msgspec

from penstock.core import ids
from penstock.storage import blocks, log_query, zones
from penstock.storage.log_query import ANY, FIELDS, RANGES, LogFilter
from penstock.storage.names import Words

_WORDS = (5, 6, 7, 8, 19, 20, 23, 24)  # places in COLUMNS that hold numbers of words
_FLAGS = (11, 12, 17)
_ROW = f"SELECT {FIELDS} FROM logs l WHERE l.gateway = ? AND l.id = ?"  # noqa: S608
_OWNER = "SELECT account, id FROM gateways WHERE number = ? AND deleted_at IS NULL"
_NAMED = "SELECT number FROM gateways WHERE id = ? AND deleted_at IS NULL"
_SHOWN = "(b.gateway = 0 OR EXISTS (SELECT 1 FROM gateways WHERE number = b.gateway AND deleted_at IS NULL))"


class LogRow(msgspec.Struct):
    """A stored row. Units as in LogRecord; ``detail`` is a JSON object (members: ``Detail``).

    ``account`` and ``gateway`` are ids; empty: the call went to an address that does not exist.
    """

    number: int  # of the gateway
    account: str
    gateway: str
    id: str
    created_at: int
    duration: int
    provider: str
    model: str
    model_type: str | None
    request_type: str | None
    path: str
    status_code: int
    success: bool
    cached: bool
    step: int
    tokens_in: int | None
    tokens_out: int | None
    cost: int | None
    custom_cost: bool
    metadata: str | None
    request_content_type: str | None
    response_content_type: str | None
    request_size: int
    response_size: int
    user_agent: str | None
    outcome: str
    event_id: str
    feedback: int | None
    score: int | None
    detail: msgspec.Raw


class Summary(msgspec.Struct, frozen=True):
    """How many rows there are, and the least and the greatest of each of ``log_query.RANGES``; None: none is known."""

    count: int
    ranges: dict[str, tuple[int | None, int | None]]


Bodies = tuple[bytes | None, bytes | None]


class LogReader:
    """Questions to the log. Gateways go by their numbers; what belongs to a deleted one is not there."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._words = Words(connection)

    def close(self) -> None:
        self._connection.close()

    def list_rows(
        self, number: int, where: LogFilter = ANY, *, limit: int = 50, offset: int = 0, ascending: bool = False
    ) -> list[LogRow]:
        """Rows of a gateway, newest first unless ``ascending``."""
        with self._view():
            if offset and offset >= self._count(number):
                return []
            return self._rows(*log_query.page(number, where, self._number_of, limit, offset, ascending=ascending))

    def summary(self, number: int, where: LogFilter = ANY) -> Summary:
        """What all rows that match come to."""
        with self._view():
            asked = log_query.summary(number, where, self._number_of)
            found = [self._connection.execute(*query).fetchone() for query in asked]
        counts, *values = zip(*found, strict=True)
        # a zone without values says NOTHING and -1
        known = [[v for v in column if v is not None and -1 < v < zones.NOTHING] for column in values]
        ends = zip(known[::2], known[1::2], strict=True)
        ranges = [(min(least, default=None), max(greatest, default=None)) for least, greatest in ends]
        return Summary(sum(counts), dict(zip(RANGES, ranges, strict=True)))

    def get(self, number: int, log_id: bytes) -> LogRow | None:
        """The row of that id."""
        with self._view():
            return next(iter(self._rows(_ROW, [number, log_id])), None)

    def bodies(self, number: int, log_id: bytes) -> Bodies:
        """Request and response as they were stored; None: not kept, or no such row."""
        found = self._connection.execute(
            "SELECT b.ids, b.bodies FROM logs l JOIN log_bodies b ON b.id = l.block WHERE l.gateway = ? AND l.id = ?",
            (number, log_id),
        ).fetchone()
        return (None, None) if found is None else blocks.bodies(found[1], blocks.ids(found[0]).index(log_id))

    def newest(self, limit: int, gateway: str | None = None) -> list[LogRow]:
        """The newest rows of all gateways and of none, or of the gateways of that id, newest first."""
        with self._view():
            if gateway is None:
                return self._arrived(f"{_SHOWN} ORDER BY b.id DESC LIMIT ?", [limit], limit)
            rows: list[LogRow] = []
            for (number,) in self._connection.execute(_NAMED, (gateway,)).fetchall():
                rows += self._rows(*log_query.page(number, ANY, self._number_of, limit, 0))
        return sorted(rows, key=lambda row: row.id, reverse=True)[:limit]

    def position(self) -> int:
        """Where the log ends now, for ``arrived``."""
        return self._connection.execute("SELECT coalesce(max(id), 0) FROM log_bodies").fetchone()[0]

    def arrived(self, after: int, gateway: str | None = None) -> list[LogRow]:
        """What was written after that position, newest first; long calls arrive late, so ids cannot tell this."""
        with self._view():
            if gateway is None:
                return self._arrived(f"b.id > ? AND {_SHOWN}", [after])
            return self._arrived(f"b.id > ? AND b.gateway IN ({_NAMED})", [after, gateway])

    def _arrived(self, which: str, values: list[Any], limit: int | None = None) -> list[LogRow]:
        keys: list[tuple[int, bytes]] = []
        for gateway, column in self._connection.execute(f"SELECT gateway, ids FROM log_bodies b WHERE {which}", values):  # noqa: S608
            keys += [(gateway, log_id) for log_id in blocks.ids(column)]
        keys.sort(key=lambda key: key[1], reverse=True)
        return self._finish(row for key in keys[:limit] for row in self._connection.execute(_ROW, key))

    def _rows(self, sql: str, values: list[Any]) -> list[LogRow]:
        return self._finish(self._connection.execute(sql, values))

    def _finish(self, found: Iterable[tuple[Any, ...]]) -> list[LogRow]:
        owners: dict[int, tuple[str, str] | None] = {0: ("", "")}
        opened: dict[int, dict[bytes, bytes]] = {}
        rows: list[LogRow] = []
        for values in found:
            row = list(values)
            gateway, log_id, block = row[:3]
            if gateway not in owners:
                owners[gateway] = self._connection.execute(_OWNER, (gateway,)).fetchone()
            if (owner := owners[gateway]) is None:
                continue
            if block not in opened:
                sql = "SELECT ids, details FROM log_bodies WHERE id = ?"
                column, details = self._connection.execute(sql, (block,)).fetchone()
                opened[block] = dict(zip(blocks.ids(column), blocks.details(details), strict=True))
            for place in _WORDS:
                row[place] = self._words[row[place]]
            for place in _FLAGS:
                row[place] = bool(row[place])
            name = ids.text(log_id)
            row[25] = row[25] or name
            fields = (gateway, *owner, name, *row[3:], msgspec.Raw(opened[block][log_id]))
            rows.append(LogRow(*fields))  # pyright: ignore[reportCallIssue]  COLUMNS has the fields' order
        return rows

    def _count(self, number: int) -> int:
        sql = "SELECT coalesce(sum(rows), 0) FROM log_zones WHERE gateway = ?"
        return self._connection.execute(sql, (number,)).fetchone()[0]

    def _number_of(self, name: str) -> int:
        row = self._connection.execute("SELECT id FROM log_names WHERE name = ?", (name,)).fetchone()
        return -1 if row is None else row[0]

    @contextmanager
    def _view(self) -> Generator[None]:
        """One state of the log for all queries of a question: rows and blocks may be reaped meanwhile."""
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")  # nothing was written
