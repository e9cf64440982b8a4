"""What can be asked of a gateway's log, as SQL text: rows that match, and a summary of all of them.

Zones that cannot match are skipped (``storage.log.zones``). An order of time comes from the two primary keys, so that a
query stops at the last row of its page.
"""

from typing import Any

import msgspec

from penstock.storage.log.columns import STORED, SUMMED, term
from penstock.storage.log.filters import LATEST, Filter, Numbers, id_range, parts
from penstock.storage.sql import POSTGRES, SQLITE, Dialect, marks

FIELDS = ", ".join(f"l.{name}" for name in STORED)

# The rows of each zone z, between two ids. Zones must be the outer loop, and each engine has its way to be told so.
_ROWS_OF = {
    SQLITE: "CROSS JOIN logs l ON l.gateway = z.gateway AND l.id BETWEEN max(z.first, ?) AND min(z.last, ?)",
    POSTGRES: (
        "CROSS JOIN LATERAL (SELECT * FROM logs WHERE gateway = z.gateway"
        " AND id BETWEEN greatest(z.first, ?) AND least(z.last, ?) OFFSET 0) l"
    ),
}
# The row of each line m of the index of metadata.
_ROW_OF = {
    SQLITE: "CROSS JOIN logs l ON l.gateway = m.gateway AND l.id = m.id",
    POSTGRES: "CROSS JOIN LATERAL (SELECT * FROM logs WHERE gateway = m.gateway AND id = m.id OFFSET 0) l",
}
_OF_PAIR = "m.gateway = ? AND m.key = ? AND m.value = ? AND m.id BETWEEN ? AND ?"
_SUMMARY = "count(*), " + ", ".join(f"min({term(column)}), max({term(column)})" for column in SUMMED)

Query = tuple[str, list[Any]]


class Conditions(msgspec.Struct):
    """Conditions on rows and on zones, and the values of each."""

    rows: list[str] = []
    zones: list[str] = []
    values: list[Any] = []
    zone_values: list[Any] = []


def ids_of_pair(gateway: int, pair: tuple[str, str], ends: tuple[bytes, bytes], *, ascending: bool) -> Query:
    """The ids of the rows that have this value under this key of their metadata, in their order."""
    way = "ASC" if ascending else "DESC"
    sql = f"SELECT m.id FROM log_metadata m WHERE {_OF_PAIR} ORDER BY m.id {way}"  # noqa: S608
    return sql, [gateway, *pair, *ends]


def summary(dialect: Dialect, gateway: int, where: Filter, numbers: Numbers) -> list[Query]:
    """Queries whose rows are to be put together: a count, and least and greatest of each of SUMMED.

    Without a condition on rows, whole zones are taken at their word, and only the two at the ends are read.
    """
    tests, (since, until) = conditions(where, dialect, numbers), span(where)
    if tests.rows:
        return [matching(dialect, _SUMMARY, gateway, tests, (since, until))]
    told = "coalesce(sum(rows), 0), " + ", ".join(f"min(min_{c.name}), max(max_{c.name})" for c in SUMMED)
    whole = f"SELECT {told} FROM log_zones WHERE gateway = ? AND first >= ? AND last <= ?"  # noqa: S608
    tests.zones.append("NOT (z.first >= ? AND z.last <= ?)")
    tests.zone_values += [since, until]
    return [(whole, [gateway, since, until]), matching(dialect, _SUMMARY, gateway, tests, (since, until))]


def summary_of(dialect: Dialect, gateway: int, where: Filter, numbers: Numbers, ids: list[bytes]) -> Query:
    """The same of those of these rows that match."""
    tests = conditions(where, dialect, numbers)
    also = "".join(f" AND {test}" for test in tests.rows)
    sql = f"SELECT {_SUMMARY} FROM logs l WHERE l.gateway = ? AND l.id IN {marks(len(ids))}{also}"  # noqa: S608
    return sql, [gateway, *ids, *tests.values]


def summary_of_pair(dialect: Dialect, gateway: int, where: Filter, numbers: Numbers, pair: tuple[str, str]) -> Query:
    """The same of those that match of the rows that have this value under this key of their metadata."""
    tests = conditions(where, dialect, numbers)
    also = "".join(f" AND {test}" for test in tests.rows)
    sql = f"SELECT {_SUMMARY} FROM log_metadata m {_ROW_OF[dialect]} WHERE {_OF_PAIR}{also}"  # noqa: S608
    return sql, [gateway, *pair, *span(where), *tests.values]


def span(where: Filter) -> tuple[bytes, bytes]:
    """The first and the last id that the filter's dates and ids leave."""
    since = b"" if where.since is None else id_range(where.since)[0]
    until = id_range(LATEST if where.until is None else where.until)[1]
    return max(since, where.ids[0]), min(until, where.ids[1])


def matching(
    dialect: Dialect, what: str, gateway: int, tests: Conditions, ids: tuple[bytes, bytes], also: str = ""
) -> Query:
    """Zones that may match, and the matching rows of each. ``also``: what is joined to a row."""
    since, until = ids
    sql = (
        f"SELECT {what} FROM log_zones z {_ROWS_OF[dialect]}{also}"  # noqa: S608
        " WHERE z.gateway = ? AND z.first <= ? AND z.last >= ?"
        + "".join(f" AND {test}" for test in (*tests.zones, *tests.rows))
    )
    return sql, [since, until, gateway, until, since, *tests.zone_values, *tests.values]


def by_time(
    dialect: Dialect, what: str, gateway: int, tests: Conditions, ids: tuple[bytes, bytes], *, ascending: bool
) -> Query:
    """The same in the order of their ids."""
    sql, values = matching(dialect, what, gateway, tests, ids)
    way = "ASC" if ascending else "DESC"
    return f"{sql} ORDER BY z.first {way}, l.id {way}", values


def conditions(where: Filter, dialect: Dialect, numbers: Numbers) -> Conditions:
    """The conditions of a filter."""
    tests = Conditions()
    for test in where.tests:
        rows, zone = parts(test, dialect, numbers)
        tests.rows.append(rows.sql)
        tests.values += rows.values
        if zone is not None:
            tests.zones.append(zone.sql)
            tests.zone_values += zone.values
    return tests
