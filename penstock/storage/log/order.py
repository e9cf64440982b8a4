"""A gateway's rows in the order of a column, without an index for it.

A zone tells the least and the greatest value of its rows. Zones are read from the most promising on, until no other
zone can have a row that belongs before the last one found: the dearest ten of millions of rows are in a few zones.
"""

from typing import Any

import msgspec

from penstock.storage.log import zones
from penstock.storage.log.columns import Column, term
from penstock.storage.log.filters import Filter, Numbers
from penstock.storage.log.query import conditions, matching, span
from penstock.storage.sql import Sql, filled, marks

Key = tuple[Any, bytes]  # a value and an id
_FIRST = 4  # zones of the first question; each has twice as many as the one before
_MOST = 256


class Place(msgspec.Struct, frozen=True):
    """Which rows of an order are wanted: ``limit`` from the ``offset``-th on."""

    limit: int
    offset: int = 0
    ascending: bool = False


def ordered(
    connection: Sql, gateway: int, where: Filter, numbers: Numbers, column: Column, place: Place
) -> tuple[list[bytes], int]:
    """The ids of those rows, and how many rows that come before are still to be skipped among those without a value,
    which come last. Equal values are in the order of their ids.
    """
    wanted = place.offset + place.limit
    found: list[Key] = []
    left = _zones(connection, gateway, where, numbers, column, ascending=place.ascending)
    size = _FIRST
    while left and not (len(found) >= wanted and _beyond(left[0][0], found[-1], place)):
        some, left, size = left[:size], left[size:], min(2 * size, _MOST)
        firsts = filled([first for _, first in some])
        last = found[-1] if len(found) >= wanted else None
        found += _rows(connection, gateway, where, numbers, column, (firsts, last, wanted, place.ascending))
        found.sort(reverse=not place.ascending)
        del found[wanted:]
    return [log_id for _, log_id in found[place.offset :]], max(0, place.offset - len(found))


def _beyond(bound: Key, last: Key, place: Place) -> bool:
    """Whether no row of a zone belongs before the last row found."""
    return bound > last if place.ascending else bound < last


def _zones(
    connection: Sql, gateway: int, where: Filter, numbers: Numbers, column: Column, *, ascending: bool
) -> list[tuple[Key, bytes]]:
    """Each zone that may have such rows: the best that one of them can be, and where it begins. The best come first."""
    tests, (since, until) = conditions(where, connection.dialect, numbers), span(where)
    also = "".join(f" AND {test}" for test in tests.zones)
    sql = (
        f"SELECT {_bound(column, ascending=ascending)}, z.first, z.last FROM log_zones z"  # noqa: S608
        f" WHERE z.gateway = ? AND z.first <= ? AND z.last >= ?{also}"
    )
    found = connection.execute(sql, (gateway, until, since, *tests.zone_values))
    nothing = zones.NOTHING if ascending else -zones.NOTHING
    known = [((best, first if ascending else last), first) for best, first, last in found if best != nothing]
    return sorted(known, reverse=not ascending)


def _bound(column: Column, *, ascending: bool) -> str:
    if column.kind == "flag":
        some = f"z.{column.name}_rows"
        return (
            f"CASE WHEN {some} < z.rows THEN 0 ELSE 1 END" if ascending else f"CASE WHEN {some} > 0 THEN 1 ELSE 0 END"
        )
    return f"z.min_{column.name}" if ascending else f"z.max_{column.name}"


def _rows(
    connection: Sql, gateway: int, where: Filter, numbers: Numbers, column: Column, asked: tuple[Any, ...]
) -> list[Key]:
    """The best rows of those zones, up to a count, that belong before the last row that is known already."""
    firsts, last, count, ascending = asked
    tests, (since, until) = conditions(where, connection.dialect, numbers), span(where)
    value, also = f"({term(column)})", ""
    if column.kind == "word":
        value, also = "n.name", " CROSS JOIN log_names n"
        tests.rows.append(f"n.id = l.{column.name}")
    tests.zones.append(f"z.first IN {marks(len(firsts))}")
    tests.zone_values += firsts
    tests.rows.append(f"{value} IS NOT NULL")
    if last is not None:
        tests.rows.append(f"({value}, l.id) {'<' if ascending else '>'} (?, ?)")
        tests.values += last
    sql, values = matching(connection.dialect, f"{value}, l.id", gateway, tests, (since, until), also)
    way = "ASC" if ascending else "DESC"
    return connection.execute(f"{sql} ORDER BY {value} {way}, l.id {way} LIMIT ?", [*values, count])  # pyright: ignore[reportReturnType]
