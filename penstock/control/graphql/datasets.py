"""The datasets of the GraphQL endpoint as questions to the roll-ups, and the answers as its fields."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec

from penstock.core import instants
from penstock.storage.log.analytics import Operator, Point, Question, Where
from penstock.storage.log.measures import DAY, HOUR, MINUTE

MOST = 10_000  # groups of one dataset
WINDOW = 32  # days that one question may span
_MINUTE = 60_000  # milliseconds
_NANO = 10**9

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
_FIELDS = {rolled: name for name, (rolled, _) in PLACES.items()}
# Those that only rows have.
OF_ROWS = {
    "durationMs": "Int",
    "tokensIn": "Int",
    "tokensOut": "Int",
    "cost": "Float",
    "userAgent": "String",
    "wholesale": "Int",
    "metadata": "String",
    "metadataRaw": "String",
}
SUMS = {
    "cachedRequests": "cached",
    "erroredRequests": "errors",
    "cachedTokensIn": "saved_tokens_in",
    "cachedTokensOut": "saved_tokens_out",
    "uncachedTokensIn": "tokens_in",
    "uncachedTokensOut": "tokens_out",
    "cost": "cost",
}
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
TIME_SUFFIXES = ("", "_geq", "_leq", "_gt", "_lt")


Names = Mapping[str, Mapping[int | None, Any]]  # of the members of each dimension, by what roll-ups call it


class Dataset(msgspec.Struct, frozen=True):
    """A dataset of roll-ups: its dimensions beside those of time, its sums, and which calls are in it."""

    places: tuple[str, ...]
    sums: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()  # dimensions that only rows have
    where: tuple[Where, ...] = ()
    status: bool = False  # dimensions ``operation`` and ``status`` of the cache


DATASETS = {
    "aiGatewayRequestsAdaptiveGroups": Dataset(tuple(PLACES), tuple(SUMS), tuple(OF_ROWS)),
    "aiGatewayErrorsAdaptiveGroups": Dataset(("gateway", "provider", "model"), where=(Where("error", "eq", (1,)),)),
    "aiGatewayCacheAdaptiveGroups": Dataset(("gateway", "provider", "model", "cached"), status=True),
}
SIZES = "aiGatewaySizeAdaptiveGroups"


class Refused(Exception):
    """What is asked cannot be answered; the text says why."""


class Asked(msgspec.Struct, frozen=True):
    """What a selection asks of a dataset."""

    limit: int
    filter: Mapping[str, Any]
    order: Sequence[str]  # as ``count_DESC``
    dimensions: frozenset[str]


def question(dataset: Dataset, asked: Asked, account: str, of: frozenset[str] | None, now: int) -> Question:
    """``now``: minutes since the epoch. Raises Refused."""
    lacking = sorted(asked.dimensions.intersection(dataset.rows))
    if lacking:
        there = ", ".join((*TIMES, *dataset.places))
        raise Refused(
            f"{', '.join(lacking)}: calls are not kept apart by this; there are {there}. The log has the rest."
        )
    if not 1 <= asked.limit <= MOST:
        raise Refused(f"limit: must be 1 to {MOST:,}")
    ordered = {name.rpartition("_")[0] for name in asked.order}
    wanted = asked.dimensions | (ordered & {*TIMES, *dataset.places})
    if dataset.status and "status" in wanted:
        wanted |= {"cached"}
    step = min([TIMES[name] for name in wanted if name in TIMES], default=0)
    since, until, where = _bounds(asked.filter, now)
    if until - since > WINDOW * DAY:
        raise Refused(f"filter: spans more than {WINDOW} days; narrow it with datetime_geq and datetime_leq")
    span = next(s for s in (DAY, HOUR, MINUTE) if step % s == 0 and since % s == 0 and (until % s == 0 or until > now))
    groups = tuple(PLACES[name][0] for name in dataset.places if name in wanted)
    sums = ("calls", *(SUMS[name] for name in dataset.sums))
    where = (*dataset.where, *where)
    return Question(account, span, since, until, of, "", where, groups, step, None, sums, (), MOST + 1)


def fields(dataset: Dataset, asked: Question, points: list[Point], names: Names, given: Asked) -> list[dict[str, Any]]:
    """The groups as GraphQL takes them, in their order. Raises Refused where there are too many."""
    if len(points) > MOST:
        raise Refused(f"there are more than {MOST:,} groups: ask for fewer dimensions, or narrow the filter")
    told = [_fields(dataset, asked, point, names) for point in points]
    for name in reversed(given.order):
        of, _, way = name.rpartition("_")
        told.sort(key=lambda group, of=of: _value(group, of), reverse=way == "DESC")
    return told[: given.limit]


def orders(dataset: Dataset) -> list[str]:
    """What its groups can be ordered by."""
    return [*TIMES, *dataset.places, "count", *(f"sum_{name}" for name in dataset.sums)]


def _fields(dataset: Dataset, asked: Question, point: Point, names: Names) -> dict[str, Any]:
    dimensions: dict[str, Any] = {name: _moment(point.start, name) for name in TIMES}
    for rolled, of in zip(asked.groups, point.group, strict=True):
        dimensions[_FIELDS[rolled]] = names[rolled][of]
    if dataset.status:
        dimensions |= {"operation": "read", "status": "hit" if dimensions.get("cached") else "miss"}
    sums: dict[str, Any] = {name: point.sums[SUMS[name]] for name in dataset.sums}
    if "cost" in sums:
        sums["cost"] /= _NANO
    return {"count": point.sums["calls"], "sum": sums, "dimensions": dimensions}


def _value(group: dict[str, Any], name: str) -> Any:
    if name == "count":
        return group["count"]
    if name.startswith("sum_"):
        return group["sum"][name.removeprefix("sum_")]
    return group["dimensions"][name]


def _moment(start: int, name: str) -> str:
    step = TIMES[name]
    text = instants.text((start - start % step) * _MINUTE)
    return text[:10] if name == "date" else text[:19] + "Z"


def _bounds(given: Mapping[str, Any], now: int) -> tuple[int, int, tuple[Where, ...]]:
    """From when until when, in minutes, and the tests of other dimensions."""
    since, until, where = -1, now + 1, list[Where]()
    for name, value in given.items():
        if value is None:
            continue
        stem, _, suffix = name.partition("_")
        if stem in TIMES:
            least, most = _range(stem, suffix, value)
            since, until = max(since, least), min(until, most)
        else:
            values = tuple(cast("list[Any]", value)) if isinstance(value, list) else (value,)
            where.append(Where(PLACES[stem][0], _OPERATORS[suffix], values))
    return (max(since, 0) if since >= 0 else max(0, until - DAY)), max(until, 0), tuple(where)


def _range(name: str, suffix: str, value: object) -> tuple[int, int]:
    """The minutes whose time, cut to the dimension, is as the filter says; the end is not among them."""
    try:
        millis = instants.parse(str(value).upper())
    except ValueError:
        raise Refused(f"filter: {name} must be ISO 8601, as 2024-01-31T12:00:00Z") from None
    unit = TIMES[name] * _MINUTE
    first, whole = -(-millis // unit), millis // unit  # the first not before it, and that in which it lies
    far = 2**48
    least, most = {
        "geq": (first, far),
        "gt": (whole + 1, far),
        "leq": (0, whole + 1),
        "lt": (0, first),
        "": (first, first + 1 if first == whole else first),
    }[suffix]
    return least * TIMES[name], most * TIMES[name]
