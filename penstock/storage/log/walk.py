"""Reading a gateway's rows in the order of time, some zones at a time, until a page is full or the time is over."""

import time
from collections.abc import Callable
from typing import Any

import msgspec

from penstock.storage.log.filters import Filter, Numbers
from penstock.storage.log.order import Place
from penstock.storage.log.query import by_time, conditions, span
from penstock.storage.sql import Row, Sql

ZONES = 4  # of the first question
MOST = 128
_LONG = 0.2  # seconds of a question, after which the next are not to be longer
LAST = b"\xff" * 16

Sift = Callable[[list[Row], float], tuple[list[bytes], bytes | None]]


class Found(msgspec.Struct):
    """Ids in their order. ``stopped``: the id that the search came to, when its time was over."""

    ids: list[bytes]
    stopped: bytes | None = None


class Sifting(msgspec.Struct, frozen=True):
    """What more than SQL decides which rows are shown. ``columns``: what is read of a row beside its id."""

    columns: str
    values: list[Any]
    sift: Sift  # the ids of the rows that are, and the id of the last row looked at if the time was over


def walk(
    connection: Sql,
    gateway: int,
    where: Filter,
    numbers: Numbers,
    place: Place,
    *,
    until: float = float("inf"),
    sifting: Sifting | None = None,
) -> Found:
    """The ids of the rows that match. ``until``: on the monotonic clock."""
    tests, ends = conditions(where, connection.dialect, numbers), span(where)
    wanted, found, size = place.offset + place.limit, list[bytes](), ZONES
    way = "ASC" if place.ascending else "DESC"
    also = "".join(f" AND {test}" for test in tests.zones)
    zones = (
        f"SELECT z.first, z.last FROM log_zones z WHERE z.gateway = ? AND z.first <= ? AND z.last >= ?{also}"  # noqa: S608
        f" ORDER BY z.first {way} LIMIT ?"
    )
    what = "l.id" if sifting is None else f"l.id, {sifting.columns}"
    while ends[0] <= ends[1]:
        began = time.monotonic()
        some = connection.execute(zones, (gateway, ends[1], ends[0], *tests.zone_values, size))
        if not some:
            break
        part = (ends[0], min(ends[1], some[-1][1])) if place.ascending else (max(ends[0], some[-1][0]), ends[1])
        sql, values = by_time(connection.dialect, what, gateway, tests, part, ascending=place.ascending)
        if sifting is None:
            found += [i for (i,) in connection.execute(f"{sql} LIMIT ?", [*values, wanted - len(found)])]
        else:
            more, stopped = sifting.sift(connection.execute(sql, [*sifting.values, *values]), until)
            found += more
            if stopped is not None and len(found) < wanted:
                return Found(found[place.offset :], stopped)
        if len(found) >= wanted:
            return Found(found[place.offset : wanted])
        edge = part[1] if place.ascending else part[0]
        ends = beyond(ends, edge, ascending=place.ascending)
        if time.monotonic() > until and len(some) == size and ends[0] <= ends[1]:
            return Found(found[place.offset :], edge)
        if sifting is None and time.monotonic() - began < _LONG:
            size = min(2 * size, MOST)
    return Found(found[place.offset :])


def beyond(ends: tuple[bytes, bytes], edge: bytes, *, ascending: bool) -> tuple[bytes, bytes]:
    """What is left between two ids after one of them; nothing: the first is greater than the last."""
    number = int.from_bytes(edge, "big")
    if ascending:
        return (max(ends[0], (number + 1).to_bytes(16, "big")), ends[1]) if edge != LAST else (LAST, b"")
    return (ends[0], min(ends[1], (number - 1).to_bytes(16, "big"))) if number else (LAST, b"")
