"""``filters`` of a list of logs, in every form in which clients send them (docs/logging.md)."""

import math
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, cast

import msgspec

from penstock.core import instants
from penstock.core.codec import DecodeError, decode, encode
from penstock.core.errors import Invalid
from penstock.storage.log.columns import BY_KEY, Column
from penstock.storage.log.filters import LATEST, METADATA, OPERATORS, Operator, Test, Value
from penstock.wire.metadata import KEY_LIMIT

MOST = 50  # filters of one list
MOST_VALUES = 200  # of all of them together
FURTHEST = 2**62 - 1  # beyond what any row holds, within what the store can compare
_SMALL = 2**15 - 1
_DIGITS = 40  # of a number, before its point

_NAME = re.compile(r"filters(?:\[(\d{0,3})\]|\.(\d{1,3}))?(?:\.(\w+)|\[(\w+)\])(?:\[\d{0,3}\])?")
_MEMBERS = ("key", "operator", "value")
_FLAGS = {"true": True, "false": False, "1": True, "0": False}


class _Given(msgspec.Struct):
    """A filter as it came. ``typed``: its values are JSON; else all of them are texts."""

    key: Any
    operator: Any
    values: list[Any]
    typed: bool = False


def tests(query: Sequence[tuple[str, str]]) -> tuple[Test, ...]:
    """The tests that ``filters`` in a query stand for. Raises Invalid."""
    texts = [value for name, value in query if name == "filters"]
    members = [(name, value) for name, value in query if is_member(name)]
    if texts and members:
        raise _wrong("is given both as JSON and as single members")
    given = _of_json(texts[0]) if texts else _of_members(members)
    if len(given) > MOST or sum(len(one.values) for one in given) > MOST_VALUES:
        raise _wrong(f"has more than {MOST} filters, or more than {MOST_VALUES} values")
    return tuple(_test(one, place) for place, one in enumerate(given))


def is_member(name: str) -> bool:
    """Whether a parameter of the query is a part of ``filters``."""
    return name.startswith(("filters.", "filters["))


def whole(operator: Operator, value: Decimal, unit: int) -> int | None:
    """The number of units with which the test comes to the same for whole numbers; None: none is equal to it."""
    if value.is_zero() or value.adjusted() > _DIGITS:
        return 0 if value.is_zero() else FURTHEST if value > 0 else -FURTHEST
    exact = value * unit
    if operator in ("eq", "neq"):
        return _bounded(int(exact)) if exact == int(exact) else None
    return _bounded(math.ceil(exact) if operator in ("lt", "gte") else math.floor(exact))


def _bounded(value: int) -> int:
    return max(-FURTHEST, min(value, FURTHEST))


# What came


def _of_json(text: str) -> list[_Given]:
    try:
        found = decode(text.encode())
    except DecodeError:
        raise _wrong('is not JSON: send [{"key": …, "operator": …, "value": […]}], or filters.key and so on') from None
    given: list[_Given] = []
    for place, one in enumerate(cast("list[Any]", found) if isinstance(found, list) else [found]):
        if not isinstance(one, dict):
            raise _wrong("must be an object with key, operator and value", place)
        members = cast("dict[str, Any]", one)
        if unknown := [name for name in members if name not in _MEMBERS]:
            raise _wrong(f"has no member {unknown[0][:50]!r}", place)
        if missing := [name for name in _MEMBERS if name not in members]:
            raise _wrong("is missing", place, missing[0])
        values = members["value"]
        values = cast("list[Any]", values) if isinstance(values, list) else [values]
        given.append(_Given(members["key"], members["operator"], values, typed=True))
    return given


def _of_members(query: Iterable[tuple[str, str]]) -> list[_Given]:
    plain: list[tuple[str, str]] = []
    numbered: dict[str, list[tuple[str, str]]] = {}
    for name, text in query:
        found = _NAME.fullmatch(name)
        member = (found[3] or found[4]) if found else ""
        if found is None or member not in _MEMBERS:
            raise Invalid(f"{name[:50]}: is no parameter; a filter has key, operator and value", path=("query", name))
        number = found[1] or found[2]
        (numbered.setdefault(number, []) if number else plain).append((member, text))
    if plain and numbered:
        raise _wrong("are given both with numbers and without")
    if numbered:
        return [_one(numbered[number]) for number in sorted(numbered, key=int)]
    return _of_plain(plain)


def _of_plain(members: list[tuple[str, str]]) -> list[_Given]:
    """Where a key follows a value, each key begins a filter. Else they are in three rows: all keys, then all
    operators, then all values: one each, or one key and operator with all values.
    """
    order = [member for member, _ in members]
    if "value" in order and "key" in order[order.index("value") :]:
        starts = [at for at, member in enumerate(order) if member == "key"]
        if starts[0]:
            raise _wrong("begin with an operator or a value: a key must come first")
        return [_one(members[at:end]) for at, end in zip(starts, [*starts[1:], len(members)], strict=True)]
    keys, operators, values = ([text for one, text in members if one == member] for member in _MEMBERS)
    if len(keys) <= 1:
        return [_one(members)] if members else []
    if not len(keys) == len(operators) == len(values):
        counts = f"{len(keys)} keys, {len(operators)} operators and {len(values)} values"
        raise _wrong(f"are ambiguous: {counts}; send JSON, or filters[0][key] and so on")
    return [_Given(key, operator, [value]) for key, operator, value in zip(keys, operators, values, strict=True)]


def _one(members: list[tuple[str, str]]) -> _Given:
    keys, operators, values = ([text for one, text in members if one == member] for member in _MEMBERS)
    for name, texts in (("key", keys), ("operator", operators)):
        if len(texts) != 1:
            raise _wrong(f"one filter has {len(texts)} of filters.{name}, and must have one")
    return _Given(keys[0], operators[0], list(values))


# What it means


def _test(given: _Given, place: int) -> Test:
    column = _column(given.key) if isinstance(given.key, str) else None
    if column is None:
        keys = [*BY_KEY, "metadata.key", "metadata.value", "metadata.{name}"]
        raise _wrong(f"must be one of {', '.join(keys)}", place, "key")
    takes = OPERATORS[column.kind]
    if given.operator not in takes:
        raise _wrong(f"must be one of {', '.join(takes)} for {column.said}", place, "operator")
    if not given.values:
        raise _wrong("must have a value", place, "value")
    operator: Operator = given.operator
    values: list[Value] = []
    for value in given.values:
        try:
            values += _value(column, operator, value, typed=given.typed)
        except (ValueError, InvalidOperation):
            raise _wrong(f"must be {_WANTED[column.kind]} for {column.said}", place, "value") from None
    return Test(column.name, operator, tuple(values))


def _column(key: str) -> Column | None:
    name = key.removeprefix(METADATA)
    return Column(key, "text", null=True) if key != name and 0 < len(name) <= KEY_LIMIT else BY_KEY.get(key)


_WANTED = {
    **dict.fromkeys(("word", "media", "text", "id"), "text, a number, true or false"),
    **dict.fromkeys(("small", "number"), "a number"),
    "flag": "true or false",
    "moment": "ISO 8601, or milliseconds since 1970",
}


def _value(column: Column, operator: Operator, value: object, *, typed: bool) -> list[Value]:
    """The value in the units of the store; none, where no row can have it. Raises ValueError, InvalidOperation."""
    if value is None or (not typed and column.null and value in ("", "null")):
        return [None]
    if isinstance(value, dict | list):
        raise ValueError  # noqa: TRY004  as any other wrong value
    text = value if isinstance(value, str) else encode(value).decode()
    if column.kind == "flag":
        if text.lower() not in _FLAGS:
            raise ValueError
        return [_FLAGS[text.lower()]]
    if column.kind == "moment":
        return [_moment(text, typed=typed and not isinstance(value, str))]
    if column.kind not in ("small", "number"):
        return [text]
    number = whole(operator, _number(text), column.unit)
    if number is None:
        return []
    if column.kind == "small":
        number = max(-_SMALL, min(number, _SMALL))
    if column.name == "feedback" and operator in ("eq", "neq") and number == 0:
        number = -1  # as the parameter of that name has it
    return [number]


def _number(text: str) -> Decimal:
    number = Decimal(text)
    if not number.is_finite():
        raise ValueError
    return number


def _moment(text: str, *, typed: bool) -> int:
    """Milliseconds; eight digits alone, or fewer, are a date unless they were ``typed`` as a number."""
    if typed or (text.isascii() and text.isdecimal() and len(text) > len("YYYYMMDD")):
        millis = int(_number(text))
    else:
        millis = instants.parse(text.upper())
    return max(0, min(millis, LATEST))


def _wrong(sentence: str, place: int | None = None, member: str | None = None) -> Invalid:
    path = ("query", "filters", *([] if place is None else [place]), *([] if member is None else [member]))
    return Invalid(f"{'.'.join(map(str, path[1:]))}: {sentence}", path=path)
