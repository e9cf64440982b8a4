"""What can be asked of a gateway's log, as SQL text: a page of rows, and a summary of all that match.

Zones that cannot match are skipped (``storage.zones``). The order comes from the two primary keys, so that a query
stops at the last row of its page.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from penstock.storage import zones
from penstock.storage.logs import COLUMNS
from penstock.storage.names import stored
from penstock.storage.sql import POSTGRES, SQLITE, Dialect

FIELDS = ", ".join(f"l.{name}" for name in COLUMNS)
LATEST = 2**48 - 1  # milliseconds: the last moment that an id can have

RANGES = ("cost", "duration", "tokens_in", "tokens_out", "total_tokens")
_TERMS = {name: f"l.{name}" for name in RANGES} | {"total_tokens": "l.tokens_in + l.tokens_out"}
_KINDS = ("request_content_type", "response_content_type")


class LogFilter(msgspec.Struct, frozen=True):
    """What rows must have; None: anything. Times are milliseconds, ``until`` included; ranges are ``(least, most)``.

    A row whose value is not known lies in no range. Content types are those without parameters.
    """

    provider: str | None = None
    model: str | None = None
    model_type: str | None = None
    request_content_type: str | None = None
    response_content_type: str | None = None
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

# The rows of each zone z, between two ids. Zones must be the outer loop, and each engine has its way to be told so.
_ROWS_OF = {
    SQLITE: "CROSS JOIN logs l ON l.gateway = z.gateway AND l.id BETWEEN max(z.first, ?) AND min(z.last, ?)",
    POSTGRES: (
        "CROSS JOIN LATERAL (SELECT * FROM logs WHERE gateway = z.gateway"
        " AND id BETWEEN greatest(z.first, ?) AND least(z.last, ?) OFFSET 0) l"
    ),
}

NumberOf = Callable[[str], int]  # the number of a name; -1: no row has it
Query = tuple[str, list[Any]]


class _Tests(msgspec.Struct):
    """Conditions on rows and on zones, and the values of each."""

    rows: list[str] = []
    zones: list[str] = []
    values: list[Any] = []
    zone_values: list[Any] = []

    def add(self, row: str, value: Any, zone: str | None = None, zone_values: tuple[Any, ...] = ()) -> None:
        self.rows.append(row)
        self.values += value if isinstance(value, list) else [value]
        if zone is not None:
            self.zones.append(zone)
            self.zone_values += zone_values


def page(
    dialect: Dialect,
    gateway: int,
    where: LogFilter,
    number_of: NumberOf,
    limit: int,
    offset: int,
    *,
    ascending: bool = False,
) -> Query:
    """Rows in order of their ids, newest first unless ``ascending``."""
    tests, (since, until) = _tests(where, number_of), span(where)
    way, end = ("ASC" if ascending else "DESC"), " LIMIT ? OFFSET ?"
    if not tests.zones:
        also = "".join(f" AND {test}" for test in tests.rows)
        sql = f"SELECT {FIELDS} FROM logs l WHERE l.gateway = ? AND l.id BETWEEN ? AND ?{also} ORDER BY l.id {way}"  # noqa: S608
        return sql + end, [gateway, since, until, *tests.values, limit, offset]
    sql, values = _matching(dialect, FIELDS, gateway, tests, since, until)
    return f"{sql} ORDER BY z.first {way}, l.id {way}{end}", [*values, limit, offset]


def summary(dialect: Dialect, gateway: int, where: LogFilter, number_of: NumberOf) -> list[Query]:
    """Queries whose rows are to be put together: a count, and least and greatest of each of RANGES.

    Without a condition on rows, whole zones are taken at their word, and only the two at the ends are read.
    """
    tests, (since, until) = _tests(where, number_of), span(where)
    read = "count(*), " + ", ".join(f"min({term}), max({term})" for term in _TERMS.values())
    if tests.rows:
        return [_matching(dialect, read, gateway, tests, since, until)]
    told = "coalesce(sum(rows), 0), " + ", ".join(f"min(min_{name}), max(max_{name})" for name in RANGES)
    whole = f"SELECT {told} FROM log_zones WHERE gateway = ? AND first >= ? AND last <= ?"  # noqa: S608
    tests.zones.append("NOT (z.first >= ? AND z.last <= ?)")
    tests.zone_values += [since, until]
    return [(whole, [gateway, since, until]), _matching(dialect, read, gateway, tests, since, until)]


def span(where: LogFilter) -> tuple[bytes, bytes]:
    """The ids that lie between the filter's dates."""
    since = b"" if where.since is None else id_range(where.since)[0]
    return since, id_range(LATEST if where.until is None else where.until)[1]


def id_range(millis: int) -> tuple[bytes, bytes]:
    """The least and the greatest id of that millisecond."""
    start = millis.to_bytes(6, "big")
    return start + bytes(10), start + b"\xff" * 10


def _matching(dialect: Dialect, what: str, gateway: int, tests: _Tests, since: bytes, until: bytes) -> Query:
    """Zones that may match, and the matching rows of each."""
    sql = (
        f"SELECT {what} FROM log_zones z {_ROWS_OF[dialect]}"  # noqa: S608
        " WHERE z.gateway = ? AND z.first <= ? AND z.last >= ?"
        + "".join(f" AND {test}" for test in (*tests.zones, *tests.rows))
    )
    return sql, [since, until, gateway, until, since, *tests.zone_values, *tests.values]


def _tests(where: LogFilter, number_of: NumberOf) -> _Tests:
    tests = _Tests()
    for name in ("provider", "model", "model_type"):
        if (word := getattr(where, name)) is not None:
            number = number_of(word)
            tests.add(f"l.{name} = ?", number, f"z.{name}s & ? != 0", (zones.bit(number) if number >= 0 else 0,))
    if where.success is not None:
        tests.add("l.success = ?", int(where.success), "z.failures < z.rows" if where.success else "z.failures > 0")
    if where.cached is not None:
        tests.add("l.cached = ?", int(where.cached), "z.hits > 0" if where.cached else "z.hits < z.rows")
    for name, term in _TERMS.items():
        least, most = getattr(where, name)
        if least is not None:
            tests.add(f"{term} >= ?", least, f"z.max_{name} >= ?", (least,))
        if most is not None:
            tests.add(f"{term} <= ?", most, f"z.min_{name} <= ?", (most,))
    for name in _KINDS:
        if (kind := getattr(where, name)) is not None:  # the type itself, or with parameters: ";" is followed by "<"
            kind = stored(kind)
            named = "SELECT id FROM log_names WHERE name = ? OR name >= ? AND name < ?"
            tests.add(f"l.{name} IN ({named})", [kind, f"{kind};", f"{kind}<"])
    return tests
