"""What can be asked of a gateway's log, as SQL text: a page of rows, and a summary of all that match.

Zones that cannot match are skipped (``storage.log.zones``). The order comes from the two primary keys, so that a query
stops at the last row of its page.
"""

from typing import Any

import msgspec

from penstock.storage.log.columns import STORED, SUMMED, term
from penstock.storage.log.filters import LATEST, Filter, Numbers, id_range, parts
from penstock.storage.sql import POSTGRES, SQLITE, Dialect

FIELDS = ", ".join(f"l.{name}" for name in STORED)

# The rows of each zone z, between two ids. Zones must be the outer loop, and each engine has its way to be told so.
_ROWS_OF = {
    SQLITE: "CROSS JOIN logs l ON l.gateway = z.gateway AND l.id BETWEEN max(z.first, ?) AND min(z.last, ?)",
    POSTGRES: (
        "CROSS JOIN LATERAL (SELECT * FROM logs WHERE gateway = z.gateway"
        " AND id BETWEEN greatest(z.first, ?) AND least(z.last, ?) OFFSET 0) l"
    ),
}

Query = tuple[str, list[Any]]


class Tests(msgspec.Struct):
    """Conditions on rows and on zones, and the values of each."""

    rows: list[str] = []
    zones: list[str] = []
    values: list[Any] = []
    zone_values: list[Any] = []


def page(
    dialect: Dialect, gateway: int, where: Filter, numbers: Numbers, limit: int, offset: int, *, ascending: bool = False
) -> Query:
    """Rows in order of their ids, newest first unless ``ascending``."""
    tests, (since, until) = tests_of(where, dialect, numbers), span(where)
    way, end = ("ASC" if ascending else "DESC"), " LIMIT ? OFFSET ?"
    if not tests.zones:
        also = "".join(f" AND {test}" for test in tests.rows)
        sql = f"SELECT {FIELDS} FROM logs l WHERE l.gateway = ? AND l.id BETWEEN ? AND ?{also} ORDER BY l.id {way}"  # noqa: S608
        return sql + end, [gateway, since, until, *tests.values, limit, offset]
    sql, values = matching(dialect, FIELDS, gateway, tests, (since, until))
    return f"{sql} ORDER BY z.first {way}, l.id {way}{end}", [*values, limit, offset]


def summary(dialect: Dialect, gateway: int, where: Filter, numbers: Numbers) -> list[Query]:
    """Queries whose rows are to be put together: a count, and least and greatest of each of SUMMED.

    Without a condition on rows, whole zones are taken at their word, and only the two at the ends are read.
    """
    tests, (since, until) = tests_of(where, dialect, numbers), span(where)
    read = "count(*), " + ", ".join(f"min({term(column)}), max({term(column)})" for column in SUMMED)
    if tests.rows:
        return [matching(dialect, read, gateway, tests, (since, until))]
    told = "coalesce(sum(rows), 0), " + ", ".join(f"min(min_{c.name}), max(max_{c.name})" for c in SUMMED)
    whole = f"SELECT {told} FROM log_zones WHERE gateway = ? AND first >= ? AND last <= ?"  # noqa: S608
    tests.zones.append("NOT (z.first >= ? AND z.last <= ?)")
    tests.zone_values += [since, until]
    return [(whole, [gateway, since, until]), matching(dialect, read, gateway, tests, (since, until))]


def span(where: Filter) -> tuple[bytes, bytes]:
    """The ids that lie between the filter's dates."""
    since = b"" if where.since is None else id_range(where.since)[0]
    return since, id_range(LATEST if where.until is None else where.until)[1]


def matching(
    dialect: Dialect, what: str, gateway: int, tests: Tests, ids: tuple[bytes, bytes], also: str = ""
) -> Query:
    """Zones that may match, and the matching rows of each. ``also``: what is joined to a row."""
    since, until = ids
    sql = (
        f"SELECT {what} FROM log_zones z {_ROWS_OF[dialect]}{also}"  # noqa: S608
        " WHERE z.gateway = ? AND z.first <= ? AND z.last >= ?"
        + "".join(f" AND {test}" for test in (*tests.zones, *tests.rows))
    )
    return sql, [since, until, gateway, until, since, *tests.zone_values, *tests.values]


def tests_of(where: Filter, dialect: Dialect, numbers: Numbers) -> Tests:
    """The conditions of a filter."""
    tests = Tests()
    for test in where.tests:
        rows, zone = parts(test, dialect, numbers)
        tests.rows.append(rows.sql)
        tests.values += rows.values
        if zone is not None:
            tests.zones.append(zone.sql)
            tests.zone_values += zone.values
    return tests
