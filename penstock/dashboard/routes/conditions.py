"""Conditions as rows of a form: field, operator, value. Those that are no such rows are edited as JSON alone."""

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

from penstock.core import codec

OPERATORS = (
    ("$eq", "is"),
    ("$ne", "is not"),
    ("$gt", "is more than"),
    ("$gte", "is at least"),
    ("$lt", "is less than"),
    ("$lte", "is at most"),
    ("$in", "is one of"),
    ("$nin", "is none of"),
    ("$exists", "is there"),
    ("$contains", "contains"),
    ("$startsWith", "begins with"),
    ("$endsWith", "ends with"),
    ("$regex", "matches (RE2)"),
)
MOST = 12  # rows
_LISTS = frozenset({"$in", "$nin"})


class Row(NamedTuple):
    """All as typed."""

    field: str
    operator: str
    value: str


class Rows(NamedTuple):
    """``join``: and, or."""

    join: str
    rows: list[Row]


def rows(condition: Any) -> Rows | None:
    """None: it is not that simple."""
    members = cast("dict[str, Any]", condition) if isinstance(condition, dict) else None
    if not members or len(members) > MOST:
        return None
    for joined, join in (("$or", "or"), ("$and", "and")):
        if list(members) == [joined]:
            found = _listed(members[joined])
            return None if found is None else Rows(join, found)
    found = [_row(name, value) for name, value in members.items()]
    return None if None in found else Rows("and", [row for row in found if row])


def condition(join: str, typed: Sequence[Row]) -> dict[str, Any]:
    """As the route has it."""
    told = [_member(row) for row in typed]
    if join == "or" and len(told) > 1:
        return {"$or": told}
    if len({row.field for row in typed}) < len(typed):
        return {"$and": told}
    return {name: value for member in told for name, value in member.items()}


def _listed(value: Any) -> list[Row] | None:
    listed = cast("list[Any]", value) if isinstance(value, list) else []
    if not 0 < len(listed) <= MOST:
        return None
    found: list[Row] = []
    for each in listed:
        members = cast("dict[str, Any]", each) if isinstance(each, dict) else {}
        row = _row(*next(iter(members.items()))) if len(members) == 1 else None
        if row is None:
            return None
        found.append(row)
    return found


def _row(name: str, value: Any) -> Row | None:
    if name.startswith("$") or not name or name != name.strip():
        return None
    operator, operand = "$eq", value
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        if len(members) != 1:
            return None
        ((operator, operand),) = members.items()
    if (
        operator not in dict(OPERATORS)
        or isinstance(operand, dict)
        or (isinstance(operand, list) != (operator in _LISTS))
    ):
        return None
    text = _text(operand)
    return Row(name, operator, text) if _value(operator, text) == operand else None


def _text(value: Any) -> str:
    """A text as it is, unless it would be read as something else."""
    if not isinstance(value, str) or _read(value) != value or value != value.strip() or not value:
        return codec.encode(value).decode("utf-8", "replace")
    return value


def _read(text: str) -> Any:
    try:
        return codec.decode(text)
    except (*codec.DecodeError, ValueError):
        return text


def _value(operator: str, typed: str) -> Any:
    value: object = _read(typed)
    if operator in _LISTS and not isinstance(value, list):
        return [_read(part.strip()) for part in typed.split(",") if part.strip()]
    if operator == "$exists" and not typed:
        return True
    return value  # pyright: ignore[reportUnknownVariableType]


def _member(row: Row) -> dict[str, Any]:
    value = _value(row.operator, row.value)
    return {row.field: value if row.operator == "$eq" else {row.operator: value}}
