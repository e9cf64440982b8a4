"""One test of a log's rows, as SQL: of rows, and of the zones that may have such rows."""

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Literal

import msgspec

from penstock.core import ids
from penstock.storage.log import metadata, zones
from penstock.storage.log.columns import BY_NAME, ID, Column, term
from penstock.storage.log.names import stored
from penstock.storage.sql import Dialect

Operator = Literal["eq", "neq", "contains", "lt", "gt", "lte", "gte"]
Value = str | int | bool | None
Numbers = Callable[[str, Sequence[Any]], list[int]]  # numbers of the words, of log_names, for which that SQL holds

_ORDERED: tuple[Operator, ...] = ("eq", "neq", "lt", "gt", "lte", "gte")
_TEXTS: tuple[Operator, ...] = ("eq", "neq", "contains", "lt", "gt", "lte", "gte")
OPERATORS: dict[str, tuple[Operator, ...]] = {
    "flag": ("eq", "neq"),
    "small": _ORDERED,
    "number": _ORDERED,
    "moment": _ORDERED,
    "word": _TEXTS,
    "media": _TEXTS,
    "text": _TEXTS,
    "id": ("eq", "neq", "contains"),
}
METADATA = "metadata."  # what begins so is no column, but a key of metadata; "key" and "value": any of them
LATEST = 2**48 - 1  # milliseconds: the last moment that an id can have
_NUMBER = re.compile(r"-?\d{1,60}(\.\d{1,60})?([eE][+-]?\d{1,3})?")
_SIGNS = {"lt": "<", "gt": ">", "lte": "<=", "gte": ">="}
_MANY = 500  # words of a test; with more, they are found by the query itself


class Test(msgspec.Struct, frozen=True):
    """What a row's value must be: any of ``values``, in the units of the store; with ``neq``, none of them.

    Null equals null alone, and is neither less nor greater than anything. Texts are compared character by character;
    ``contains`` does not tell capitals of ASCII from small letters.
    """

    column: str
    operator: Operator
    values: tuple[Value, ...]

    __test__ = False  # of pytest


class Part(msgspec.Struct, frozen=True):
    """SQL and its values."""

    sql: str
    values: list[Any] = []


Parts = tuple[Part, Part | None]  # of rows ``l``, of zones ``z``; None: any zone may have such rows


class Filter(msgspec.Struct, frozen=True):
    """What rows must have: every test must hold. Times are milliseconds, ``until`` included; None: no end. ``ids``: the
    first and the last one.
    """

    tests: tuple[Test, ...] = ()
    since: int | None = None
    until: int | None = None
    ids: tuple[bytes, bytes] = (b"", b"\xff" * 16)


ANY = Filter()


def parts(test: Test, dialect: Dialect, numbers: Numbers) -> Parts:
    """The SQL of a test. ``numbers`` finds words' numbers."""
    if test.column.startswith(METADATA):
        return _metadata(test, dialect)
    column = BY_NAME[test.column]
    if column.kind in ("word", "media"):
        return _word(column, test, dialect, numbers)
    return _OF_KIND[column.kind](column, test, dialect)


def id_range(millis: int) -> tuple[bytes, bytes]:
    """The least and the greatest id of that millisecond."""
    start = max(0, min(millis, LATEST)).to_bytes(6, "big")
    return start + bytes(10), start + b"\xff" * 10


def words(test: Test) -> list[str]:
    """The values of a test of texts, as the store has them."""
    return [stored(str(value)) for value in test.values if value is not None]


def _flag(column: Column, test: Test, _: Dialect) -> Parts:
    wanted = {bool(value) for value in test.values if value is not None}
    wanted = wanted if test.operator == "eq" else {True, False} - wanted
    if len(wanted) == 2:  # noqa: PLR2004
        return Part("1 = 1"), None
    if not wanted:
        return Part("1 = 0"), Part("1 = 0")
    true = wanted == {True}
    zone = f"z.{column.name}_rows > 0" if true else f"z.{column.name}_rows < z.rows"
    return Part(f"l.{column.name} = ?", [int(true)]), Part(zone)


def _number(column: Column, test: Test, dialect: Dialect) -> Parts:
    values = [value for value in test.values if value is not None]
    rows, places = _any(test, f"({term(column)})", dialect, values)
    if not column.zone or test.operator == "neq" or None in test.values:
        return Part(rows, places), None
    least, most = f"z.min_{column.name}", f"z.max_{column.name}"
    if test.operator == "eq":
        return Part(rows, places), _either([(f"{least} <= ? AND {most} >= ?", [value, value]) for value in values])
    end = least if test.operator in ("lt", "lte") else most
    return Part(rows, places), _either([(f"{end} {_SIGNS[test.operator]} ?", [value]) for value in values])


def _moment(column: Column, test: Test, dialect: Dialect) -> Parts:
    values = [value for value in test.values if isinstance(value, int)]
    rows = Part(*_any(test, term(column), dialect, values))
    if test.operator == "neq":
        return rows, None
    before, after = test.operator in ("lt", "lte"), test.operator in ("gt", "gte")
    tests: list[tuple[str, list[Any]]] = []
    for least, greatest in map(id_range, values):
        ends = ([] if after else [("z.first <= ?", greatest)]) + ([] if before else [("z.last >= ?", least)])
        tests.append((" AND ".join(sql for sql, _ in ends), [end for _, end in ends]))
    return rows, _either(tests)


def _text(column: Column, test: Test, dialect: Dialect) -> Parts:
    return Part(*_any(test, dialect.text.format(term(column)), dialect, words(test))), None


def _id(column: Column, test: Test, dialect: Dialect) -> Parts:
    spelt = dialect.spelt.format("l.id")
    if column is not ID:  # event_id
        spelt = f"coalesce({term(column)}, {spelt})"
    elif test.operator != "contains":
        return Part(*_any(test, "l.id", dialect, parsed(test))), None
    return Part(*_any(test, dialect.text.format(spelt), dialect, words(test))), None


def _metadata(test: Test, dialect: Dialect) -> Parts:
    if test.operator == "neq":
        equal, _ = _metadata(msgspec.structs.replace(test, operator="eq"), dialect)
        return Part(f"NOT {equal.sql}", equal.values), None
    name = test.column.removeprefix(METADATA)
    here = f"FROM {dialect.members.format(term(BY_NAME['metadata']))} WHERE"
    within, key = ("1 = 1", []) if name in ("key", "value") else ("e.key = ?", [stored(name)])
    tests: list[tuple[str, list[Any]]] = []
    if None in test.values and test.operator == "eq":
        tests.append((f"NOT EXISTS (SELECT 1 {here} {within})", key))
    if test.operator == "eq" and key:
        # One look-up for each: of a list of values PostgreSQL may compare each line of the key.
        same = "SELECT 1 FROM log_metadata m WHERE m.gateway = l.gateway AND m.key = ? AND m.value = ? AND m.id = l.id"
        tests += [(f"EXISTS ({same})", [*key, metadata.indexed(value)]) for value in words(test)]
    else:
        what = dialect.text.format("e.key") if name == "key" else dialect.member_text
        ones = [_of_member(test.operator, what, value, dialect) for value in words(test)]
        if ones:
            either = " OR ".join(sql for sql, _ in ones)
            more = [value for _, values in ones for value in values]
            tests.append((f"EXISTS (SELECT 1 {here} {within} AND ({either}))", [*key, *more]))
    zone = None
    if None not in test.values:
        keys = words(test) if name == "key" and test.operator == "eq" else key
        bits = sum({metadata.bit(one) for one in keys})
        zone = Part("z.metadata_keys & ? != 0", [bits]) if keys else Part("z.metadata_keys != 0")
    return _either(tests), zone


def _of_member(operator: Operator, what: str, value: str, dialect: Dialect) -> tuple[str, list[Any]]:
    """A test of a key or a value ``what``. A value that is a number is less or greater than numbers alone."""
    if operator == "contains":
        return f"lower({what}) LIKE ? ESCAPE '!'", [within(value)]
    if operator != "eq" and what == dialect.member_text and _NUMBER.fullmatch(value):
        return f"{dialect.member_number} {_SIGNS[operator]} CAST(CAST(? AS TEXT) AS NUMERIC)", [value]
    return f"{what} {_SIGNS.get(operator, '=')} ?", [value]


def parsed(test: Test) -> list[bytes]:
    """Those of the values that are ids."""
    found: list[bytes] = []
    for value in words(test):
        with suppress(ValueError):
            found.append(ids.parse(value))
    return found


def _word(column: Column, test: Test, dialect: Dialect, numbers: Numbers) -> Parts:
    operator: Operator = "eq" if test.operator == "neq" else test.operator
    tests = [_of_word(column, operator, word, dialect) for word in words(test)]
    named, places = " OR ".join(f"({sql})" for sql, _ in tests) or "1 = 0", [v for _, values in tests for v in values]
    found = numbers(named, places)
    if len(found) > _MANY:
        among, inner, bits = f"SELECT id FROM log_names WHERE {named}", places, None  # noqa: S608
    else:
        among, inner, bits = ", ".join(map(str, found)) or "-1", [], zones.bits(found)
    rows = f"l.{column.name} IN ({among})"
    if test.operator == "neq":
        if not column.null or None in test.values:
            return Part(f"l.{column.name} NOT IN ({among})", inner), None
        return Part(f"(l.{column.name} IS NULL OR l.{column.name} NOT IN ({among}))", inner), None
    if None in test.values and column.null and test.operator == "eq":
        return Part(f"(l.{column.name} IS NULL OR {rows})", inner), None
    return Part(rows, inner), None if bits is None else Part(f"z.{column.name}s & ? != 0", [bits])


def _of_word(column: Column, operator: Operator, word: str, dialect: Dialect) -> tuple[str, list[Any]]:
    if operator == "contains":
        return _containing("name", dialect), [within(word)]
    if operator == "eq" and column.kind == "media":  # the type itself, or with parameters: ";" is followed by "<"
        return "name = ? OR name >= ? AND name < ?", [word, f"{word};", f"{word}<"]
    return f"name {_SIGNS.get(operator, '=')} ?", [word]


def _any(test: Test, value: str, dialect: Dialect, values: Sequence[Any]) -> tuple[str, list[Any]]:
    """SQL that holds where the test does, and what is put into it."""
    null = None in test.values
    if test.operator in ("eq", "neq"):
        marks = ", ".join("?" * len(values))
        values = list(values)
        if test.operator == "eq":
            tests = [f"{value} IN ({marks})"] if values else []
            tests += [f"{value} IS NULL"] if null else []
            return f"({' OR '.join(tests) or '1 = 0'})", values
        among = f"{value} NOT IN ({marks})" if values else "1 = 1"
        return (f"({value} IS NOT NULL AND {among})" if null else f"({value} IS NULL OR {among})"), values
    contains = test.operator == "contains"
    one = _containing(value, dialect) if contains else f"{value} {_SIGNS[test.operator]} ?"
    sql = " OR ".join([one] * len(values)) or "1 = 0"
    return f"({sql})", [within(each) if contains else each for each in values]


def _containing(value: str, dialect: Dialect) -> str:
    return f"lower({dialect.text.format(value)}) LIKE ? ESCAPE '!'"


def within(text: str) -> str:
    """The pattern of what contains a text."""
    lowered = "".join(c.lower() if c.isascii() else c for c in text)
    return f"%{lowered.replace('!', '!!').replace('%', '!%').replace('_', '!_')}%"


def _either(tests: list[tuple[str, list[Any]]]) -> Part:
    if not tests:
        return Part("1 = 0")
    return Part(f"({' OR '.join(sql for sql, _ in tests)})", [value for _, values in tests for value in values])


_OF_KIND: dict[str, Callable[[Column, Test, Dialect], Parts]] = {
    "flag": _flag,
    "small": _number,
    "number": _number,
    "moment": _moment,
    "text": _text,
    "id": _id,
}
