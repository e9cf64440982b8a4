"""One test of a log's rows, as SQL: of rows, and of the zones that may have such rows."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import msgspec

from penstock.storage.log import zones
from penstock.storage.log.columns import BY_NAME, TOTAL, Column, term
from penstock.storage.log.names import stored
from penstock.storage.sql import Dialect

Operator = Literal["eq", "neq", "contains", "lt", "gt", "lte", "gte"]
Value = str | int | bool | None
Numbers = Callable[[str, Sequence[Any]], list[int]]  # numbers of the words, of log_names, for which that SQL holds

OPERATORS: dict[str, tuple[Operator, ...]] = {
    "flag": ("eq", "neq"),
    "small": ("eq", "neq", "lt", "gt", "lte", "gte"),
    "number": ("eq", "neq", "lt", "gt", "lte", "gte"),
    "word": ("eq", "neq", "contains", "lt", "gt", "lte", "gte"),
    "media": ("eq", "neq", "contains", "lt", "gt", "lte", "gte"),
    "text": ("eq", "neq", "contains", "lt", "gt", "lte", "gte"),
}
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
    """What rows must have: every test must hold. Times are milliseconds, ``until`` included; None: no end."""

    tests: tuple[Test, ...] = ()
    since: int | None = None
    until: int | None = None


ANY = Filter()


def parts(test: Test, dialect: Dialect, numbers: Numbers) -> Parts:
    """The SQL of a test. ``numbers`` finds words' numbers."""
    column = TOTAL if test.column == TOTAL.name else BY_NAME[test.column]
    if column.kind == "flag":
        return _flag(column, test)
    if column.kind == "text":
        return Part(*_any(test, dialect.text.format(term(column)), dialect, words(test))), None
    if column.kind in ("word", "media"):
        return _word(column, test, dialect, numbers)
    return _number(column, test, dialect)


def words(test: Test) -> list[str]:
    """The values of a test of texts, as the store has them."""
    return [stored(str(value)) for value in test.values if value is not None]


def _flag(column: Column, test: Test) -> Parts:
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
        return _containing("name", dialect), [_within(word)]
    if operator == "eq" and column.kind == "media":  # the type itself, or with parameters: ";" is followed by "<"
        return "name = ? OR name >= ? AND name < ?", [word, f"{word};", f"{word}<"]
    return f"name {_SIGNS.get(operator, '=')} ?", [word]


def _any(test: Test, value: str, dialect: Dialect, values: list[Any]) -> tuple[str, list[Any]]:
    """SQL that holds where the test does, and what is put into it."""
    null = None in test.values
    if test.operator in ("eq", "neq"):
        marks = ", ".join("?" * len(values))
        if test.operator == "eq":
            tests = [f"{value} IN ({marks})"] if values else []
            tests += [f"{value} IS NULL"] if null else []
            return f"({' OR '.join(tests) or '1 = 0'})", values
        among = f"{value} NOT IN ({marks})" if values else "1 = 1"
        return (f"({value} IS NOT NULL AND {among})" if null else f"({value} IS NULL OR {among})"), values
    contains = test.operator == "contains"
    one = _containing(value, dialect) if contains else f"{value} {_SIGNS[test.operator]} ?"
    sql = " OR ".join([one] * len(values)) or "1 = 0"
    return f"({sql})", [_within(each) for each in values] if contains else values


def _containing(value: str, dialect: Dialect) -> str:
    return f"lower({dialect.text.format(value)}) LIKE ? ESCAPE '!'"


def _within(text: str) -> str:
    lowered = "".join(c.lower() if c.isascii() else c for c in text)
    return f"%{lowered.replace('!', '!!').replace('%', '!%').replace('_', '!_')}%"


def _either(tests: list[tuple[str, list[Any]]]) -> Part:
    if not tests:
        return Part("1 = 0")
    return Part(f"({' OR '.join(sql for sql, _ in tests)})", [value for _, values in tests for value in values])
