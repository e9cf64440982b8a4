"""Conditions of a route: a language like MongoDB's (docs/routes.md), compiled to a function of a call's facts."""

from collections.abc import Callable
from functools import cache, partial
from importlib import import_module
from operator import eq
from typing import Any, cast

from penstock.features.routing.graph.fields import Facts, Fields
from penstock.features.routing.graph.given import Given
from penstock.features.routing.graph.places import ABSENT

Test = Callable[[Facts], bool]
Check = Callable[[object], bool]  # of a field's value; ABSENT where the call has none

TESTS = 100  # operators of one condition
PATTERNS = 10  # of these, $regex: each may take the memory below
DEEP = 16  # conditions within conditions
LIST = 1000  # values of $in and $nin
MATCHED = 16384  # characters of a text that $regex looks at
_MEMORY = 1 << 18  # bytes of one pattern, compiled; also bounds the time that a match takes


def compile_condition(given: Given, fields: Fields) -> Test:
    """Raises GraphFault with the path of what is malformed."""
    return _Compiler(fields).condition(given, 0)


class _Compiler:
    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        self._left = TESTS
        self._patterns = PATTERNS

    def condition(self, given: Given, depth: int) -> Test:
        if depth == DEEP:
            raise given.fault(f"is more than {DEEP} conditions deep")
        members = given.members()
        if not members:
            raise given.fault("must name at least one field")
        return _all([self._member(name, Given(value, (*given.path, name)), depth) for name, value in members.items()])

    def _member(self, name: str, given: Given, depth: int) -> Test:
        if name == "$not":
            return _not(self.condition(given, depth + 1))
        if name in _JOINS:
            return _JOINS[name]([self.condition(each, depth + 1) for each in _list(given, TESTS)])
        if name.startswith("$"):
            raise given.fault(f"is no operator that joins conditions; known are $not, {', '.join(_JOINS)}")
        try:
            find = self._fields.find(name)
        except ValueError as error:
            raise given.fault(str(error)) from None
        check = self._field(given, depth)
        return lambda facts: check(find(facts))

    def _field(self, given: Given, depth: int) -> Check:
        """What is said of a field: operators with their operands, or a value that it equals."""
        if not given.is_object():
            return self._operator("$eq", given, depth)
        operators = given.members()
        if not operators:
            raise given.fault("must have at least one operator")
        return _all(
            [self._operator(name, Given(value, (*given.path, name)), depth) for name, value in operators.items()]
        )

    def _operator(self, name: str, given: Given, depth: int) -> Check:
        self._left -= 1
        if self._left < 0:
            raise given.fault(f"is one operator more than the {TESTS} that a condition may have")
        if name == "$regex":
            self._patterns -= 1
            if self._patterns < 0:
                raise given.fault(f"is one pattern more than the {PATTERNS} that a condition may have")
        if name == "$not":
            if depth == DEEP or not given.is_object():
                raise given.fault(f"must be an object of operators, at most {DEEP} deep")
            return _not(self._field(given, depth + 1))
        if name not in _OPERATORS:
            raise given.fault(f"is no operator; known are {', '.join(_OPERATORS)}, $not")
        return _OPERATORS[name](given)


def _all(tests: list[Callable[[Any], bool]]) -> Callable[[Any], bool]:
    if len(tests) == 1:
        return tests[0]

    def test(value: Any) -> bool:
        for each in tests:  # noqa: SIM110  a generator costs more than the tests
            if not each(value):
                return False
        return True

    return test


def _any(tests: list[Callable[[Any], bool]]) -> Callable[[Any], bool]:
    def test(value: Any) -> bool:
        for each in tests:  # noqa: SIM110  a generator costs more than the tests
            if each(value):
                return True
        return False

    return test


def _not(test: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: not test(value)


def _list(given: Given, most: int) -> list[Given]:
    value = given.value
    if not isinstance(value, list) or not 0 < len(cast("list[Any]", value)) <= most:
        raise given.fault(f"must be a list of 1 to {most} entries")
    return [Given(each, (*given.path, index)) for index, each in enumerate(cast("list[Any]", value))]


def _scalar(given: Given) -> object:
    if isinstance(given.value, dict | list):
        raise given.fault("must be a text, a number, true, false or null")
    return given.value


def _text(given: Given) -> str:
    if not isinstance(given.value, str):
        raise given.fault("must be a text")
    return given.value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _one_of(values: list[object]) -> Check:
    """``True`` is not 1 here, as in JSON."""
    wanted = {(isinstance(value, bool), value) for value in values}
    return lambda value: not isinstance(value, list | dict) and (isinstance(value, bool), value) in wanted


def _equals(given: Given) -> Check:
    wanted = _scalar(given)
    return partial(eq, wanted) if isinstance(wanted, str) else _one_of([wanted])


def _in(given: Given) -> Check:
    return _one_of([_scalar(each) for each in _list(given, LIST)])


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Given], Check]:
    def operator(given: Given) -> Check:
        bound = given.value
        if isinstance(bound, str):
            return lambda value: isinstance(value, str) and compare(value, bound)
        if _is_number(bound):
            return lambda value: _is_number(value) and compare(value, bound)
        raise given.fault("must be a number or a text")

    return operator


def _exists(given: Given) -> Check:
    if not isinstance(given.value, bool):
        raise given.fault("must be true or false")
    wanted = given.value
    return lambda value: (value is not ABSENT) is wanted


def _regex(given: Given) -> Check:
    """By RE2, whose time is linear in the text, whatever the pattern."""
    text = _text(given)
    re2, options = _engine()
    try:
        search = re2.compile(text, options).search
    except re2.error as error:
        why = error.args[0]
        raise given.fault(
            f"is no regular expression of RE2: {why.decode() if isinstance(why, bytes) else why}"
        ) from None
    return lambda value: isinstance(value, str) and search(value[:MATCHED].encode("utf-8", "replace")) is not None


@cache
def _engine() -> tuple[Any, Any]:
    """RE2 and how it is asked. Loaded by need; with the same options, it compiles the same pattern once."""
    re2: Any = import_module("re2")
    options = re2.Options()
    options.max_mem, options.never_capture, options.log_errors = _MEMORY, True, False
    return re2, options


def _contains(given: Given) -> Check:
    wanted = _scalar(given)
    same = _one_of([wanted])

    def check(value: object) -> bool:
        if isinstance(value, str):
            return isinstance(wanted, str) and wanted in value
        return isinstance(value, list) and any(same(each) for each in cast("list[object]", value))

    return check


def _starts(given: Given) -> Check:
    wanted = _text(given)
    return lambda value: isinstance(value, str) and value.startswith(wanted)


def _ends(given: Given) -> Check:
    wanted = _text(given)
    return lambda value: isinstance(value, str) and value.endswith(wanted)


_JOINS: dict[str, Callable[[list[Test]], Test]] = {
    "$and": _all,
    "$or": _any,
    "$nor": lambda tests: _not(_any(tests)),
}
_OPERATORS: dict[str, Callable[[Given], Check]] = {
    "$eq": _equals,
    "$ne": lambda given: _not(_equals(given)),
    "$gt": _ordered(lambda value, bound: value > bound),
    "$gte": _ordered(lambda value, bound: value >= bound),
    "$lt": _ordered(lambda value, bound: value < bound),
    "$lte": _ordered(lambda value, bound: value <= bound),
    "$in": _in,
    "$nin": lambda given: _not(_in(given)),
    "$exists": _exists,
    "$regex": _regex,
    "$contains": _contains,
    "$startsWith": _starts,
    "$endsWith": _ends,
}
