"""The datasets of the GraphQL endpoint as questions to the roll-ups, and the answers as its fields."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from penstock.control.graphql.filtering import PLACES, TIMES, Refused, understood
from penstock.core import instants
from penstock.storage.log.analytics import Point, Question, Where
from penstock.storage.log.measures import DAY, HOUR, MINUTE

MOST = 10_000  # groups of one dataset
WINDOW = 32  # days that one question may span
_MINUTE = 60_000  # milliseconds
_NANO = 10**9

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
    found = understood(asked.filter, now)
    if found.until - found.since > WINDOW * DAY:
        raise Refused(f"filter: spans more than {WINDOW} days; narrow it with datetime_geq and datetime_leq")
    span = next(s for s in (DAY, HOUR, MINUTE) if step % s == 0 and found.fits(s, now))
    groups = tuple(PLACES[name][0] for name in dataset.places if name in wanted)
    sums = ("calls", *(SUMS[name] for name in dataset.sums))
    where = (*dataset.where, *found.tests)
    return Question(account, span, found.since, found.until, of, "", where, groups, step, None, sums, (), MOST + 1)


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
