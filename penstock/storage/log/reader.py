"""Reading the log: rows with filters, one row, its bodies, and what has just arrived."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from penstock.core import ids
from penstock.storage.log import analytics, blocks, query, zones
from penstock.storage.log.analytics import Point, Question
from penstock.storage.log.columns import FLAGS, KEYS, STORED, SUMMED, WORDS
from penstock.storage.log.few import few, pair
from penstock.storage.log.filters import ANY, Filter
from penstock.storage.log.listing import CREATED, Asked, Listing
from penstock.storage.log.names import Words, stored
from penstock.storage.log.query import FIELDS
from penstock.storage.log.walk import Found
from penstock.storage.sql import Row, Sql, filled, marks

_WORDS = [STORED.index(column.name) for column in WORDS]
_FLAGS = [STORED.index(column.name) for column in FLAGS]
_EVENT = STORED.index("event_id")
_COLUMNS = STORED[len(KEYS) :]
_ROW = f"SELECT {FIELDS} FROM logs l WHERE l.gateway = ? AND l.id = ?"  # noqa: S608
_AFTER = f"SELECT {FIELDS} FROM logs l WHERE l.gateway = ? AND l.id > ? AND l.id <= ? ORDER BY l.id LIMIT ?"  # noqa: S608
_ASKED = 256  # values of one question
_NAMED = "SELECT number FROM gateways WHERE id = ? AND deleted_at IS NULL"
_SHOWN = "(b.gateway = 0 OR EXISTS (SELECT 1 FROM gateways WHERE number = b.gateway AND deleted_at IS NULL))"


class LogRow(msgspec.Struct):
    """A stored row. Units as in LogRecord; ``charge``: its amount; ``detail`` is a JSON object (members: ``Detail``).

    ``account`` and ``gateway`` are ids; empty: the call went to an address that does not exist.
    """

    number: int  # of the gateway
    account: str
    gateway: str
    id: str
    detail: msgspec.Raw
    created_at: int
    duration: int
    latency: int | None
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
    charge: int | None
    metadata: str | None
    request_content_type: str | None
    response_content_type: str | None
    request_size: int
    response_size: int
    user_agent: str | None
    outcome: str
    event_id: str
    authentication: bool
    wholesale: bool
    compatibility_mode: bool
    dlp_action: str | None
    feedback: int | None
    score: int | None


class Page(msgspec.Struct):
    """Rows of a list in the order of time or of a value; ``more``: the id after which it goes on, in the order of time;
    None: there is no more. ``stopped``: the search had no time to look at all rows, and came to ``more``.
    """

    rows: list[LogRow]
    more: bytes | None = None
    stopped: bool = False


class Summary(msgspec.Struct, frozen=True):
    """How many rows there are, and the least and the greatest of each of ``columns.SUMMED``; None: none is known."""

    count: int
    ranges: dict[str, tuple[int | None, int | None]]


Bodies = tuple[bytes | None, bytes | None]


class LogReader:
    """Questions to the log. Gateways go by their numbers; what belongs to a deleted one is not there."""

    def __init__(self, connection: Sql) -> None:
        self._connection = connection
        self._words = Words(connection)
        self.dialect = connection.dialect

    def close(self) -> None:
        self._connection.close()

    def list_rows(self, number: int, where: Filter = ANY, **asked: Any) -> list[LogRow]:
        """The rows of a list, without an end of time; ``asked``: members of ``listing.Asked``."""
        return self.page(number, Asked(where, **asked)).rows

    def page(self, number: int, asked: Asked, until: float = float("inf")) -> Page:
        """A page of a gateway's rows. What takes longer stops, ``until`` a moment of the monotonic clock."""
        with self._connection.view():
            if asked.offset and asked.offset >= self._count(number):
                return Page([])
            found = Listing(self._connection, number, asked, self._numbers, until).found()
            full = asked.order == CREATED and len(found.ids) == asked.limit
            more = found.ids[-1] if full else found.stopped
            return Page(self._rows(number, found.ids), more, stopped=found.stopped is not None)

    def ids(self, number: int, asked: Asked, until: float = float("inf")) -> Found:
        """The ids of the rows of a page; ``until`` as there."""
        with self._connection.view():
            return Listing(self._connection, number, asked, self._numbers, until).found()

    def summary(self, number: int, where: Filter = ANY) -> Summary:
        """What all rows that match come to."""
        with self._connection.view():
            asked = self._summaries(number, where)
            found = [row for each in asked for row in self._connection.execute(*each)]
        if not found:
            return Summary(0, dict.fromkeys([column.name for column in SUMMED], (None, None)))
        counts, *values = zip(*found, strict=True)
        known = [[v for v in column if v is not None and abs(v) != zones.NOTHING] for column in values]
        ends = zip(known[::2], known[1::2], strict=True)
        ranges = [(min(least, default=None), max(greatest, default=None)) for least, greatest in ends]
        return Summary(sum(counts), dict(zip([column.name for column in SUMMED], ranges, strict=True)))

    def _summaries(self, number: int, where: Filter) -> list[query.Query]:
        candidates = few(self._connection, number, where, query.span(where))
        if candidates is None:
            pairs = {one: test for test in where.tests if (one := pair(test)) is not None}
            if not pairs:
                return [*query.summary(self.dialect, number, where, self._numbers)]
            first, *_ = pairs
            rest = replace(where, tests=tuple(test for test in where.tests if test is not pairs[first]))
            return [query.summary_of_pair(self.dialect, number, rest, self._numbers, first)]
        parts = [filled(candidates[at : at + _ASKED]) for at in range(0, len(candidates), _ASKED)]
        return [query.summary_of(self.dialect, number, where, self._numbers, part) for part in parts]

    def rolled_up(self, question: Question, limit: int, order: str) -> tuple[list[Point], dict[int | None, Any]]:
        """Points in time of the ``limit`` groups that have the most of a sum, and of all others as one; and names."""
        with self._connection.view():
            groups = question.groups
            if groups:
                most = msgspec.structs.replace(
                    question, step=0, sums=("calls", order), order=((order, True), (groups[0], False)), limit=limit
                )
                top = [point.group[0] or 0 for point in analytics.ask(self._connection, most)]
                question = msgspec.structs.replace(question, top=tuple(top))
            points, names = self._rolled(question)
            return sorted(points, key=lambda point: point.start), names[groups[0]] if groups else {}

    def rolled(self, question: Question) -> tuple[list[Point], dict[str, dict[int | None, Any]]]:
        """The points, and the names of the members of each dimension."""
        with self._connection.view():
            return self._rolled(question)

    def sizes(self, account: str, gateways: frozenset[str] | None) -> list[tuple[str, str, int]]:
        """Of each gateway: its id, its settings as JSON, and its rows. ``gateways``: only those; None: all."""
        return analytics.sizes(self._connection, account, gateways)

    def get(self, number: int, log_id: bytes) -> LogRow | None:
        """The row of that id."""
        with self._connection.view():
            return next(iter(self._finish(self._connection.execute(_ROW, (number, log_id)))), None)

    def after(self, number: int, log_id: bytes, until: bytes, limit: int) -> list[LogRow]:
        """The rows of a gateway beyond one id, up to another, in their order."""
        with self._connection.view():
            return self._finish(self._connection.execute(_AFTER, (number, log_id, until, limit)))

    def bodies(self, number: int, log_id: bytes) -> Bodies:
        """Request and response as they were stored; None: not kept, or no such row."""
        found = self._connection.execute(
            "SELECT b.ids, b.bodies FROM logs l JOIN log_bodies b ON b.id = l.block WHERE l.gateway = ? AND l.id = ?",
            (number, log_id),
        )
        return blocks.bodies(found[0][1], blocks.ids(found[0][0]).index(log_id)) if found else (None, None)

    def newest(self, limit: int, gateway: str | None = None) -> list[LogRow]:
        """The newest rows of all gateways and of none, or of the gateways of that id, newest first."""
        with self._connection.view():
            if gateway is None:
                newest = f"SELECT b.id FROM log_bodies b WHERE {_SHOWN} ORDER BY b.id DESC LIMIT ?"  # noqa: S608
                return self._of_blocks([block for (block,) in self._connection.execute(newest, (limit,))], limit)
            rows: list[LogRow] = []
            for (number,) in self._connection.execute(_NAMED, (stored(gateway),)):
                found = Listing(self._connection, number, Asked(limit=limit), self._numbers, float("inf")).found()
                rows += self._rows(number, found.ids)
        return sorted(rows, key=lambda row: row.id, reverse=True)[:limit]

    def blocks_after(self, block: int, gateway: str | None = None) -> list[int]:
        """The blocks with higher numbers that may be shown, of the gateways of that id if one is given."""
        which, values = (_SHOWN, ()) if gateway is None else (f"b.gateway IN ({_NAMED})", (stored(gateway),))
        sql = f"SELECT b.id FROM log_bodies b WHERE b.id > ? AND {which} ORDER BY b.id"  # noqa: S608
        return [number for (number,) in self._connection.execute(sql, (block, *values))]

    def newest_block(self) -> int:
        """0: there is none."""
        return self._connection.execute("SELECT coalesce(max(id), 0) FROM log_bodies")[0][0]

    def rows_of(self, blocks: Sequence[int]) -> list[LogRow]:
        """All rows of these blocks, newest first."""
        with self._connection.view():
            return self._of_blocks(blocks)

    def _rolled(self, question: Question) -> tuple[list[Point], dict[str, dict[int | None, Any]]]:
        points = analytics.ask(self._connection, question)
        names = {
            dimension: analytics.names(self._connection, self._words, dimension, [*{p.group[place] for p in points}])
            for place, dimension in enumerate(question.groups)
        }
        return points, names

    def _rows(self, number: int, log_ids: Sequence[bytes]) -> list[LogRow]:
        """The rows of these ids, in their order."""
        sql = f"SELECT {FIELDS} FROM logs l WHERE l.gateway = ? AND l.id IN"  # noqa: S608
        found = {row[1]: row for row in self._among(sql, log_ids, number)}
        return self._finish([found[log_id] for log_id in log_ids])

    def _of_blocks(self, numbers: Sequence[int], limit: int | None = None) -> list[LogRow]:
        keys: list[tuple[int, bytes]] = []
        for _, gateway, column in self._among("SELECT id, gateway, ids FROM log_bodies WHERE id IN", numbers):
            keys += [(gateway, log_id) for log_id in blocks.ids(column)]
        keys.sort(key=lambda key: key[1], reverse=True)
        wanted: dict[int, list[bytes]] = {}
        for gateway, log_id in keys[:limit]:
            wanted.setdefault(gateway, []).append(log_id)
        sql = f"SELECT {FIELDS} FROM logs l WHERE l.gateway = ? AND l.id IN"  # noqa: S608
        found = [row for gateway, log_ids in wanted.items() for row in self._among(sql, log_ids, gateway)]
        return self._finish(sorted(found, key=lambda row: row[1], reverse=True))

    def _finish(self, found: list[Row]) -> list[LogRow]:
        """Numbers become words again, and what lies in blocks is added."""
        owners = {0: ("", "")} | self._owners({row[0] for row in found})
        found = [row for row in found if row[0] in owners]
        details = self._details({row[2] for row in found})
        self._words.learn(row[place] for row in found for place in _WORDS)
        rows: list[LogRow] = []
        for values in found:
            row = list(values)
            gateway, log_id, block = row[:3]
            for place in _WORDS:
                row[place] = self._words[row[place]]
            for place in _FLAGS:
                row[place] = bool(row[place])
            name = ids.text(log_id)
            row[_EVENT] = row[_EVENT] or name
            columns = dict(zip(_COLUMNS, row[len(KEYS) :], strict=True))
            detail = msgspec.Raw(details[block][log_id])
            rows.append(LogRow(gateway, *owners[gateway], name, detail, **columns))
        return rows

    def _owners(self, numbers: set[int]) -> dict[int, tuple[str, str]]:
        sql = "SELECT number, account, id FROM gateways WHERE deleted_at IS NULL AND number IN"
        return {number: (account, name) for number, account, name in self._among(sql, [*numbers])}

    def _details(self, numbers: set[int]) -> dict[int, dict[bytes, bytes]]:
        found = self._among("SELECT id, ids, details FROM log_bodies WHERE id IN", [*numbers])
        return {n: dict(zip(blocks.ids(column), blocks.details(data), strict=True)) for n, column, data in found}

    def _among(self, sql: str, values: Sequence[Any], *before: Any) -> Iterable[Row]:
        """The rows of a query that ends in IN, whose list may be of any length."""
        for at in range(0, len(values), _ASKED):
            some = filled(values[at : at + _ASKED])
            yield from self._connection.execute(f"{sql} {marks(len(some))}", (*before, *some))

    def _count(self, number: int) -> int:
        return self._connection.execute("SELECT coalesce(sum(rows), 0) FROM log_zones WHERE gateway = ?", (number,))[0][
            0
        ]

    def _numbers(self, sql: str, values: Sequence[Any]) -> list[int]:
        return [number for (number,) in self._connection.execute(f"SELECT id FROM log_names WHERE {sql}", values)]  # noqa: S608
