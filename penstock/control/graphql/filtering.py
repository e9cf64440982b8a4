"""Filters of the GraphQL endpoint: the time that they leave, and the tests of roll-ups. Pure."""

from collections.abc import Mapping
from typing import Any, cast

import msgspec

from penstock.core import instants
from penstock.storage.log.analytics import During, Either, Operator, Test, Where
from penstock.storage.log.measures import DAY, HOUR, MINUTE

DEEPEST = 8  # AND and OR within one another
MOST = 200  # filters within a filter, and tests of dimensions, together
MOST_VALUES = 1_000  # of all its tests together
_MINUTE = 60_000  # milliseconds
_FAR = 2**48  # minutes: no end
_EVER = -1  # no beginning

# Dimensions of time, in minutes.
TIMES = {"date": DAY, "datetime": MINUTE, "datetimeMinute": MINUTE, "datetimeFiveMinutes": 5, "datetimeHour": HOUR}
# Others: what roll-ups call them, and their type.
PLACES = {
    "gateway": ("gateway", "String"),
    "provider": ("provider", "String"),
    "model": ("model", "String"),
    "cached": ("cached", "Int"),
    "error": ("error", "Int"),
    "rateLimited": ("rate_limited", "Int"),
    "statusCode": ("status_code", "Int"),
}
TIME_SUFFIXES = ("", "_geq", "_leq", "_gt", "_lt")
_OPERATORS: dict[str, Operator] = {
    "": "eq",
    "in": "eq",
    "neq": "neq",
    "notin": "neq",
    "like": "like",
    "geq": "gte",
    "leq": "lte",
    "gt": "gt",
    "lt": "lt",
}


class Refused(Exception):
    """What is asked cannot be answered; the text says why."""


class Understood(msgspec.Struct, frozen=True):
    """A filter: from when until when, in minutes, and what else must hold.

    ``edges``: other times that ``tests`` tell apart, within which a roll-up must lie.
    """

    since: int
    until: int
    tests: tuple[Test, ...]
    edges: frozenset[int] = frozenset()

    def fits(self, span: int, now: int) -> bool:
        """Whether each roll-up of so many minutes is in the filter's times as a whole, or out of them."""
        ends = (self.until, *self.edges)
        return self.since % span == 0 and all(end % span == 0 or end > now for end in ends)


def understood(given: Mapping[str, Any], now: int) -> Understood:
    """``now`` in minutes; without a beginning it is the last day. Raises Refused."""
    _check(given)
    found = _all(given)
    until = max(0, min(found.until, now + 1))
    since = found.since if found.since != _EVER else max(0, until - DAY)
    return msgspec.structs.replace(found, since=since, until=until)


def _check(given: Mapping[str, Any]) -> None:
    """Bounds the work before any of it is done. Raises Refused."""
    waiting, count, values = [(given, 0)], 0, 0
    while waiting:
        one, depth = waiting.pop()
        count += len(one)
        for name, value in one.items():
            many = cast("list[Any]", value) if isinstance(value, list) else [value]
            if name not in ("AND", "OR"):
                values += len(many)
            elif value is not None:
                waiting += [(within, depth + 1) for within in many]
                count += len(many)
        if depth > DEEPEST or count > MOST or values > MOST_VALUES:
            raise Refused(
                f"filter: at most {MOST} filters and tests, {MOST_VALUES:,} values, and {DEEPEST} AND and OR within"
                " one another"
            )


def _all(given: Mapping[str, Any]) -> Understood:
    """A filter, all members of which must hold."""
    since, until, tests, edges = _EVER, _FAR, list[Test](), frozenset[int]()
    for name, value in given.items():
        stem, _, suffix = name.partition("_")
        if value is None:
            continue
        if stem in TIMES:
            parts = [_during(stem, suffix, value)]
        elif name == "AND":
            parts = [_all(one) for one in value]
        elif name == "OR":
            parts = [_any([_all(one) for one in value])]
        else:
            values = tuple(cast("list[Any]", value)) if isinstance(value, list) else (value,)
            parts = [Understood(_EVER, _FAR, (Where(PLACES[stem][0], _OPERATORS[suffix], values),))]
        for part in parts:
            since, until = max(since, part.since), min(until, part.until)
            tests += part.tests
            edges |= part.edges
    return Understood(since, until, tuple(tests), edges)


def _any(given: list[Understood]) -> Understood:
    """Filters, one of which must hold. The time is that from the first of them to the last."""
    if not given:
        raise Refused("filter: OR must have a filter")
    ends = frozenset(end for one in given for end in (one.since, one.until))
    either = tuple(
        one.tests if (one.since, one.until) == (_EVER, _FAR) else (During(one.since, one.until), *one.tests)
        for one in given
    )
    edges = (ends - {_EVER, _FAR}).union(*(one.edges for one in given))
    since, until = min(one.since for one in given), max(one.until for one in given)
    return Understood(since, until, (Either(either),), edges)


def _during(name: str, suffix: str, value: object) -> Understood:
    """The minutes whose time, cut to the dimension, is as the filter says."""
    try:
        millis = instants.parse(str(value).upper())
    except ValueError:
        raise Refused(f"filter: {name} must be ISO 8601, as 2024-01-31T12:00:00Z") from None
    unit = TIMES[name] * _MINUTE
    first, whole = -(-millis // unit), millis // unit  # the first not before it, and that in which it lies
    least, most = {
        "geq": (first, None),
        "gt": (whole + 1, None),
        "leq": (None, whole + 1),
        "lt": (None, first),
        "": (first, first + 1 if first == whole else first),
    }[suffix]
    since = _EVER if least is None else least * TIMES[name]
    return Understood(since, _FAR if most is None else most * TIMES[name], ())
