"""Questions to the roll-ups: sums by time and by what tells calls apart."""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from penstock.storage.log.measures import COLUMNS, WHOLE
from penstock.storage.log.names import Words, stored
from penstock.storage.sql import Sql, filled, marks

Kind = Literal["word", "gateway", "number"]
Operator = Literal["eq", "neq", "lt", "gt", "lte", "gte", "like"]

_REFUSED = "r.outcome = (SELECT id FROM log_names WHERE name = 'refused')"

# What calls can be told apart by: SQL of it, and what that is a number of.
DIMENSIONS: dict[str, tuple[str, Kind]] = {
    "gateway": ("r.gateway", "gateway"),
    "metadata": ("r.value", "word"),
    "provider": ("r.provider", "word"),
    "model": ("r.model", "word"),
    "outcome": ("r.outcome", "word"),
    "status_code": ("r.status_code", "number"),
    "status_class": ("r.status_code / 100", "number"),
    "cached": ("r.cached", "number"),
    "error": ("1 - r.success", "number"),
    "rate_limited": (f"CASE WHEN r.status_code = 429 AND {_REFUSED} THEN 1 ELSE 0 END", "number"),
}
# What is counted: the columns, and calls of some kind.
_SUMS = {
    "errors": "sum(r.calls * (1 - r.success))",
    "cached": "sum(r.calls * r.cached)",
    "refusals": f"sum(CASE WHEN {_REFUSED} THEN r.calls ELSE 0 END)",
    **{column: f"sum(r.{column})" for column in COLUMNS},
}
SUMS = tuple(_SUMS)
_SIGNS = {"lt": "<", "gt": ">", "lte": "<=", "gte": ">="}
_ASKED = 256  # values of one question
_FAR, _MOST = (
    2**31 - 1,
    2**15 - 1,
)  # the last minute, and the greatest number, that PostgreSQL compares with its columns


class Where(msgspec.Struct, frozen=True):
    """A test of a dimension: any of ``values``; with ``neq``, none of them."""

    dimension: str
    operator: Operator
    values: tuple[str | int, ...]


class During(msgspec.Struct, frozen=True):
    """A test of when roll-ups begin, in minutes since the epoch; ``until`` excluded."""

    since: int
    until: int


class Either(msgspec.Struct, frozen=True):
    """Sets of tests: those of one set must hold."""

    of: tuple[tuple["Test", ...], ...]


Test = Where | During | Either


class Question(msgspec.Struct, frozen=True):
    """Times are minutes since the epoch, ``until`` excluded; ``span`` is that of the roll-ups that are asked.

    ``gateways``: ids, None: all of the account. ``key``: of the metadata, empty: whatever they are. ``step``: minutes
    of a point in time, 0: there are none. ``top``: members of the first of ``groups``; all others are one group, None.
    ``order``: a sum, or a dimension of ``groups``, or ``start``, each with whether the greatest comes first.
    """

    account: str
    span: int
    since: int
    until: int
    gateways: frozenset[str] | None = None
    key: str = ""
    where: tuple[Test, ...] = ()
    groups: tuple[str, ...] = ()
    step: int = 0
    top: tuple[int, ...] | None = None
    sums: tuple[str, ...] = SUMS
    order: tuple[tuple[str, bool], ...] = ()
    limit: int = 50_000


class Point(msgspec.Struct, frozen=True):
    """Sums of a group at a time. ``group``: the members' numbers, as ``names`` takes them."""

    group: tuple[int | None, ...]
    start: int
    sums: dict[str, int]


def ask(connection: Sql, question: Question) -> list[Point]:
    """At most ``limit`` points, those without calls left out."""
    columns, values = _columns(question)
    tests, given = _tests(question)
    grouped = ", ".join(str(place + 1) for place in range(len(question.groups) + bool(question.step)))
    sql = f"SELECT {', '.join(columns)} FROM log_rollups r WHERE {' AND '.join(tests)}"  # noqa: S608
    if grouped:
        sql += f" GROUP BY {grouped}"
    sql += _order(question) + " LIMIT ?"
    points: list[Point] = []
    for row in connection.execute(sql, (*values, *given, question.limit)):
        of, sums = row[: len(question.groups)], row[-len(question.sums) :]
        if any(value is not None for value in sums):
            start = int(row[len(question.groups)]) if question.step else question.since
            points.append(Point(of, start, {n: int(v or 0) for n, v in zip(question.sums, sums, strict=True)}))
    return points


def names(connection: Sql, words: Words, dimension: str, numbers: Sequence[int | None]) -> dict[int | None, Any]:
    """What the numbers of a dimension mean; what is not known any more is an empty text."""
    kind = DIMENSIONS[dimension][1]
    if kind == "number":
        return {number: number for number in numbers}
    if kind == "word":
        words.learn(numbers)
        return {number: words.get(number, "") for number in numbers}
    found: dict[int | None, Any] = {None: None}
    known = [number for number in numbers if number is not None]
    for at in range(0, len(known), _ASKED):
        some = filled(known[at : at + _ASKED])
        found |= dict(connection.execute(f"SELECT number, id FROM gateways WHERE number IN {marks(len(some))}", some))  # noqa: S608
    return found


def sizes(connection: Sql, account: str, gateways: frozenset[str] | None) -> list[tuple[str, str, int]]:
    """Of each gateway: its id, its settings as JSON, and its rows. ``gateways``: only those; None: all."""
    sql = (
        "SELECT g.id, g.settings, (SELECT coalesce(sum(rows), 0) FROM log_zones WHERE gateway = g.number)"
        " FROM gateways g WHERE g.account = ? AND g.deleted_at IS NULL ORDER BY g.number"
    )
    found = connection.execute(sql, (account,))
    return [(name, told, int(rows)) for name, told, rows in found if gateways is None or name in gateways]


def _columns(question: Question) -> tuple[list[str], list[Any]]:
    columns, values = list[str](), list[Any]()
    for place, name in enumerate(question.groups):
        sql = DIMENSIONS[name][0]
        if place == 0 and question.top is not None:
            among = marks(len(question.top)) if question.top else "(NULL)"
            sql, values = f"CASE WHEN {sql} IN {among} THEN {sql} END", [*question.top]
        columns.append(sql)
    if question.step:
        columns.append(f"r.start - r.start % {question.step:d}")
    return columns + [_SUMS[name] for name in question.sums], values


def _tests(question: Question) -> tuple[list[str], list[Any]]:
    owned = "r.gateway IN (SELECT number FROM gateways WHERE account = ? AND deleted_at IS NULL"
    values: list[Any] = [question.account]
    if question.gateways is not None:
        some = filled([stored(name) for name in sorted(question.gateways)] or [""])
        owned += f" AND id IN {marks(len(some))}"
        values += some
    tests = [f"{owned})", "r.span = ?", "r.start >= ?", "r.start < ?"]
    values += [question.span, min(question.since, _FAR), min(question.until, _FAR)]
    if question.key:
        tests.append("r.key = (SELECT id FROM log_names WHERE name = ?)")
        values.append(stored(question.key))
    else:
        tests.append(f"r.key = {WHOLE}")
    test, given = _all(question.where)
    return [*tests, test], values + given


def _all(tests: Sequence[Test]) -> tuple[str, list[Any]]:
    parts = [_test(test) for test in tests]
    return " AND ".join(sql for sql, _ in parts) or "1 = 1", [value for _, values in parts for value in values]


def _test(test: Test) -> tuple[str, list[Any]]:
    if isinstance(test, During):
        return "(r.start >= ? AND r.start < ?)", [min(test.since, _FAR), min(test.until, _FAR)]
    if isinstance(test, Either):
        parts = [_all(tests) for tests in test.of]
        return f"({' OR '.join(f'({sql})' for sql, _ in parts)})", [value for _, values in parts for value in values]
    return _of_dimension(test)


def _of_dimension(where: Where) -> tuple[str, list[Any]]:
    sql, kind = DIMENSIONS[where.dimension]
    value, within = {
        "word": ("name", "IN (SELECT id FROM log_names WHERE {})"),
        "gateway": ("id", "IN (SELECT number FROM gateways WHERE {})"),
        "number": (sql, "{}"),
    }[kind]
    values = [stored(v) if isinstance(v, str) else max(-_MOST, min(v, _MOST)) for v in where.values]
    if where.operator in ("eq", "neq"):
        test = f"{value} IN {marks(len(values))}" if values else "1 = 0"
    elif where.operator == "like":
        test = " OR ".join([f"lower({value}) LIKE lower(?) ESCAPE '!'"] * len(values))
        values = [str(v).replace("!", "!!") for v in values]
    else:
        test = " OR ".join([f"{value} {_SIGNS[where.operator]} ?"] * len(values))
    told = within.format(test) if kind == "number" else f"{sql} {within.format(test)}"
    return (f"NOT ({told})" if where.operator == "neq" else f"({told})"), values


def _order(question: Question) -> str:
    place = {name: str(at + 1) for at, name in enumerate((*question.groups, *(("start",) if question.step else ())))}
    ordered = [f"{place.get(name) or _SUMS[name]} {'DESC' if down else 'ASC'}" for name, down in question.order]
    return f" ORDER BY {', '.join(ordered)}" if ordered else ""
