"""Which rows a list shows: their ids in their order, by the cheapest way there is.

- Where an index leaves few rows (``few``), all of them are read and put in order.
- In the order of time, one value of metadata alone is read from its index; other filters walk through the zones
  (``walk``), and stop where they are when their time is over; without any, the order is that of the primary key.
- In any other order, the most promising zones come first (``order``).
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from penstock.core import ids
from penstock.storage.log import query
from penstock.storage.log.columns import ORDERS, Column, term
from penstock.storage.log.few import few, pair
from penstock.storage.log.filters import ANY, Filter, Numbers, Test
from penstock.storage.log.order import Place, ordered
from penstock.storage.log.query import conditions, span
from penstock.storage.log.search import sifting
from penstock.storage.log.walk import Found, beyond, walk
from penstock.storage.sql import Row, Sql, filled, marks

CREATED = "created_at"  # the order of ids
_ASKED = 1024  # ids of one question
_SKIPPED = 2_000  # rows before a page, from which on whole zones are left out by their counts

Span = tuple[bytes, bytes]


class Asked(msgspec.Struct, frozen=True):
    """A list: rows in the order of a column of ``columns.ORDERS``, the greatest first unless ``ascending``; those that
    have no value there come last.

    ``beyond``: only what comes after that id in the order of time. ``search``: a text that rows must have, in their
    bodies too if ``bodies``.
    """

    where: Filter = ANY
    limit: int = 50
    offset: int = 0
    ascending: bool = False
    order: str = CREATED
    beyond: bytes | None = None
    search: str = ""
    bodies: bool = True


ALL = Asked()


class Listing:
    """One list of one gateway. ``until``: on the monotonic clock, for what can stop."""

    def __init__(self, connection: Sql, gateway: int, asked: Asked, numbers: Numbers, until: float) -> None:
        self._connection = connection
        self._gateway = gateway
        self._asked = asked
        self._numbers = numbers
        self._until = until
        self._place = Place(asked.limit, asked.offset, asked.ascending)
        ends = span(asked.where)
        self._ends = ends if asked.beyond is None else beyond(ends, asked.beyond, ascending=asked.ascending)
        self._where = msgspec.structs.replace(asked.where, ids=self._ends)

    def found(self) -> Found:
        """The ids of its rows."""
        asked, column = self._asked, ORDERS[self._asked.order]
        if asked.search:
            return self._searched()
        candidates = few(self._connection, self._gateway, self._where, self._ends)
        if candidates is not None:
            return Found(self._page(self._in_order(candidates, column)))
        if asked.order == CREATED:
            return self._by_time()
        return Found(self._by_value(column))

    def _by_time(self) -> Found:
        tests = self._where.tests
        if not tests:
            return Found(self._unfiltered())
        if len(tests) == 1 and (only := pair(tests[0])) is not None:
            place = self._place
            sql, values = query.ids_of_pair(self._gateway, only, self._ends, ascending=place.ascending)
            found = self._connection.execute(f"{sql} LIMIT ? OFFSET ?", [*values, place.limit, place.offset])
            return Found([log_id for (log_id,) in found])
        return self._walk(self._where, self._place)

    def _walk(self, where: Filter, place: Place) -> Found:
        return walk(self._connection, self._gateway, where, self._numbers, place, until=self._until)

    def _by_value(self, column: Column) -> list[bytes]:
        place = self._place
        found, skipped = ordered(self._connection, self._gateway, self._where, self._numbers, column, place)
        if len(found) < place.limit and column.null:
            unknown = Test(column.name, "eq", (None,))
            where = msgspec.structs.replace(self._where, tests=(*self._where.tests, unknown))
            rest = Place(place.limit - len(found), skipped, place.ascending)
            found += walk(self._connection, self._gateway, where, self._numbers, rest).ids
        return found

    def _unfiltered(self) -> list[bytes]:
        ends, offset = self._skip(self._ends, self._place.offset)
        way = "ASC" if self._place.ascending else "DESC"
        sql = f"SELECT id FROM logs WHERE gateway = ? AND id BETWEEN ? AND ? ORDER BY id {way} LIMIT ? OFFSET ?"  # noqa: S608
        found = self._connection.execute(sql, (self._gateway, *ends, self._place.limit, offset))
        return [log_id for (log_id,) in found]

    def _skip(self, ends: Span, offset: int) -> tuple[Span, int]:
        """Leaves out the zones that lie before a page; returns what is left, and how many rows are still before."""
        if offset < _SKIPPED:
            return ends, offset
        ascending = self._place.ascending
        way = "ASC" if ascending else "DESC"
        zones = "SELECT first, last, rows FROM log_zones WHERE gateway = ? AND first <= ? AND last >= ?"
        sql = f"{zones} ORDER BY first {way}"
        for first, last, rows in self._connection.execute(sql, (self._gateway, ends[1], ends[0])):
            whole = first >= ends[0] and last <= ends[1]
            before = rows if whole else self._count(max(first, ends[0]), min(last, ends[1]))
            edge = last if ascending else first
            if before > offset or edge == b"":
                break
            ends, offset = beyond(ends, edge, ascending=ascending), offset - before
        return ends, offset

    def _count(self, first: bytes, last: bytes) -> int:
        sql = "SELECT count(*) FROM logs WHERE gateway = ? AND id BETWEEN ? AND ?"
        return self._connection.execute(sql, (self._gateway, first, last))[0][0]

    # Few

    def _rows(self, candidates: Sequence[bytes], what: str, values: Sequence[Any], also: str = "") -> Iterable[Row]:
        tests = conditions(self._where, self._connection.dialect, self._numbers)
        more = "".join(f" AND {test}" for test in tests.rows)
        for at in range(0, len(candidates), _ASKED):
            some = filled(candidates[at : at + _ASKED])
            sql = f"SELECT {what} FROM logs l{also} WHERE l.gateway = ? AND l.id IN {marks(len(some))}{more}"  # noqa: S608
            yield from self._connection.execute(sql, [*values, self._gateway, *some, *tests.values])

    def _in_order(self, candidates: list[bytes], column: Column) -> list[bytes]:
        value, also = f"({term(column)})", ""
        if column.kind == "word":
            value, also = "n.name", f" LEFT JOIN log_names n ON n.id = l.{column.name}"
        rows = list(self._rows(candidates, f"{value}, l.id", (), also))
        last_first = not self._place.ascending
        known = sorted([row for row in rows if row[0] is not None], reverse=last_first)
        unknown = sorted([row for row in rows if row[0] is None], key=lambda row: row[1], reverse=last_first)
        return [log_id for _, log_id in known + unknown]

    def _page(self, found: list[bytes]) -> list[bytes]:
        return found[self._place.offset : self._place.offset + self._place.limit]

    # Search

    def _searched(self) -> Found:
        text, by_time = self._asked.search, ORDERS[CREATED]
        with suppress(ValueError):
            ids.parse(text)
            named = few(self._connection, self._gateway, Filter((Test("event_id", "eq", (text,)),)), self._ends)
            if found := self._in_order(named or [], by_time):
                return Found(self._page(found))
        sift = sifting(self._connection, text, self._numbers, bodies=self._asked.bodies)
        candidates = few(self._connection, self._gateway, self._where, self._ends)
        if candidates is None:
            return walk(
                self._connection,
                self._gateway,
                self._where,
                self._numbers,
                self._place,
                until=self._until,
                sifting=sift,
            )
        rows = self._rows(candidates, f"l.id, {sift.columns}", sift.values)
        found, stopped = sift.sift(sorted(rows, key=lambda row: row[0], reverse=not self._place.ascending), self._until)
        full = len(found) >= self._place.offset + self._place.limit
        return Found(self._page(found), None if full else stopped)
