"""Reading the log: rows newest first with filters, one row, its bodies, and what has just arrived."""

import sqlite3
from collections.abc import Iterable
from typing import Any

import msgspec

from penstock.core import ids
from penstock.storage import blocks, zones
from penstock.storage.logs import COLUMNS
from penstock.storage.names import Words

_RANGED = {"cost": "cost", "duration": "duration", "tokens_in": "tokens_in", "tokens_out": "tokens_out"} | {
    "total_tokens": "tokens_in + tokens_out"
}
_WORDS = (5, 6, 7, 8, 19, 20, 23, 24)  # places in COLUMNS that hold numbers of words
_FLAGS = (11, 12, 17)
_FIELDS = ", ".join(f"l.{name}" for name in COLUMNS)


class LogRow(msgspec.Struct):
    """A stored row. Units as in LogRecord; ``detail`` is a JSON object (members: ``Detail``)."""

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


class LogFilter(msgspec.Struct, frozen=True):
    """What rows must have; None: anything. Times are milliseconds, ``until`` included; ranges are ``(least, most)``."""

    provider: str | None = None
    model: str | None = None
    model_type: str | None = None
    success: bool | None = None
    cached: bool | None = None
    since: int | None = None
    until: int | None = None
    cost: tuple[int | None, int | None] = (None, None)  # nano-dollars
    duration: tuple[int | None, int | None] = (None, None)
    tokens_in: tuple[int | None, int | None] = (None, None)
    tokens_out: tuple[int | None, int | None] = (None, None)
    total_tokens: tuple[int | None, int | None] = (None, None)


ANY = LogFilter()


class LogReader:
    """Questions to the log, on a connection of their own."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._words = Words(connection)

    def close(self) -> None:
        self._connection.close()

    def list_rows(
        self, account: str, gateway: str, where: LogFilter = ANY, *, limit: int = 50, offset: int = 0
    ) -> list[LogRow]:
        """Rows of a gateway, newest first."""
        number = self._number(account, gateway)
        if number is None:
            return []
        return self._rows(*page(number, where, self._number_of, limit, offset))

    def get(self, account: str, gateway: str, log_id: bytes) -> LogRow | None:
        """The row of that id."""
        number = self._number(account, gateway)
        sql = f"SELECT {_FIELDS} FROM logs l WHERE l.gateway = ? AND l.id = ?"  # noqa: S608
        return next(iter(self._rows(sql, [number, log_id])), None)

    def bodies(self, account: str, gateway: str, log_id: bytes) -> tuple[bytes | None, bytes | None]:
        """Request and response as they were stored; None: not kept, or no such row."""
        found = self._connection.execute(
            "SELECT b.ids, b.bodies FROM logs l JOIN log_bodies b ON b.id = l.block WHERE l.gateway = ? AND l.id = ?",
            (self._number(account, gateway), log_id),
        ).fetchone()
        return (None, None) if found is None else blocks.bodies(found[1], blocks.ids(found[0]).index(log_id))

    def newest(self, limit: int, gateway: str | None = None) -> list[LogRow]:
        """The newest rows of all gateways, or of those of that name, newest first."""
        if gateway is None:
            return self._arrived("ORDER BY id DESC LIMIT ?", [limit], limit)
        rows: list[LogRow] = []
        for (number,) in self._connection.execute("SELECT id FROM log_gateways WHERE gateway = ?", (gateway,)):
            rows += self._rows(*page(number, ANY, self._number_of, limit, 0))
        return sorted(rows, key=lambda row: row.id, reverse=True)[:limit]

    def position(self) -> int:
        """Where the log ends now, for ``arrived``."""
        return self._connection.execute("SELECT coalesce(max(id), 0) FROM log_bodies").fetchone()[0]

    def arrived(self, after: int, gateway: str | None = None) -> list[LogRow]:
        """What was written after that position, newest first; long calls arrive late, so ids cannot tell this."""
        if gateway is None:
            return self._arrived("WHERE id > ?", [after])
        named = "WHERE id > ? AND gateway IN (SELECT id FROM log_gateways WHERE gateway = ?)"
        return self._arrived(named, [after, gateway])

    def _arrived(self, which: str, values: list[Any], limit: int | None = None) -> list[LogRow]:
        keys: list[tuple[int, bytes]] = []
        for gateway, column in self._connection.execute(f"SELECT gateway, ids FROM log_bodies {which}", values):  # noqa: S608
            keys += [(gateway, log_id) for log_id in blocks.ids(column)]
        keys.sort(key=lambda key: key[1], reverse=True)
        sql = f"SELECT {_FIELDS} FROM logs l WHERE l.gateway = ? AND l.id = ?"  # noqa: S608
        return self._finish(row for key in keys[:limit] for row in self._connection.execute(sql, key))

    def _rows(self, sql: str, values: list[Any]) -> list[LogRow]:
        return self._finish(self._connection.execute(sql, values))

    def _finish(self, found: Iterable[tuple[Any, ...]]) -> list[LogRow]:
        owners: dict[int, tuple[str, str]] = {}
        opened: dict[int, dict[bytes, bytes]] = {}
        rows: list[LogRow] = []
        for values in found:
            row = list(values)
            gateway, log_id, block = row[:3]
            if gateway not in owners:
                sql = "SELECT account, gateway FROM log_gateways WHERE id = ?"
                owners[gateway] = self._connection.execute(sql, (gateway,)).fetchone()
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
            fields = (*owners[gateway], name, *row[3:], msgspec.Raw(opened[block][log_id]))
            rows.append(LogRow(*fields))  # pyright: ignore[reportCallIssue]  COLUMNS has the fields' order
        return rows

    def _number(self, account: str, gateway: str) -> int | None:
        sql = "SELECT id FROM log_gateways WHERE account = ? AND gateway = ?"
        row = self._connection.execute(sql, (account, gateway)).fetchone()
        return None if row is None else row[0]

    def _number_of(self, name: str) -> int:
        row = self._connection.execute("SELECT id FROM log_names WHERE name = ?", (name,)).fetchone()
        return -1 if row is None else row[0]


def page(gateway: int, where: LogFilter, number_of: Any, limit: int, offset: int) -> tuple[str, list[Any]]:
    """The query for a page, newest first: zones that may match, newest first, and the matching rows of each.

    CROSS JOIN keeps SQLite from turning the loops round; the order then comes from the two primary keys, so the
    query stops at the last row of the page.
    """
    tests, zone_tests, values, zone_values = _tests(where, number_of)
    since = id_range(where.since or 0)[0]
    until = id_range(2**48 - 1 if where.until is None else where.until)[1]
    end = " LIMIT ? OFFSET ?"
    if not zone_tests:
        sql = f"SELECT {_FIELDS} FROM logs l WHERE l.gateway = ? AND l.id BETWEEN ? AND ? ORDER BY l.id DESC"  # noqa: S608
        return sql + end, [gateway, since, until, limit, offset]
    sql = (
        f"SELECT {_FIELDS} FROM log_zones z CROSS JOIN logs l ON l.gateway = z.gateway"  # noqa: S608
        " AND l.id BETWEEN max(z.first, ?) AND min(z.last, ?)"
        f" WHERE z.gateway = ? AND z.first <= ? AND z.last >= ? AND {' AND '.join(zone_tests)}"
        f" AND {' AND '.join(tests)} ORDER BY z.first DESC, l.id DESC"
    )
    return sql + end, [since, until, gateway, until, since, *zone_values, *values, limit, offset]


def id_range(millis: int) -> tuple[bytes, bytes]:
    """The least and the greatest id of that millisecond."""
    start = millis.to_bytes(6, "big")
    return start + bytes(10), start + b"\xff" * 10


def _tests(where: LogFilter, number_of: Any) -> tuple[list[str], list[str], list[Any], list[Any]]:
    """Conditions on rows and on zones, and the values of each."""
    tests: list[str] = []
    zone_tests: list[str] = []
    values: list[Any] = []
    zone_values: list[Any] = []
    for name in ("provider", "model", "model_type"):
        word: str | None = getattr(where, name)
        if word is not None:
            number = number_of(word)
            tests.append(f"l.{name} = ?")
            values.append(number)
            zone_tests.append(f"z.{name}s & ? != 0")
            zone_values.append(zones.bit(number) if number >= 0 else 0)
    for flag, count, holds in ((where.success, "failures", False), (where.cached, "hits", True)):
        if flag is not None:
            tests.append("l.success = ?" if count == "failures" else "l.cached = ?")
            values.append(int(flag))
            zone_tests.append(f"z.{count} > 0" if flag is holds else f"z.{count} < z.rows")
    for name, term in _RANGED.items():
        least, most = getattr(where, name)
        if least is not None:
            tests.append(f"{term} >= ?")
            values.append(least)
            zone_tests.append(f"z.max_{name} >= ?")
            zone_values.append(least)
        if most is not None:
            tests.append(f"{term} <= ?")
            values.append(most)
            zone_tests.append(f"z.min_{name} <= ?")
            zone_values.append(most)
    return tests, zone_tests, values, zone_values
