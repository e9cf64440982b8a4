"""The rules of analytics: whose they are, and how much can be asked at once."""

from collections import Counter
from typing import Any

from penstock.control.analytics.rendering import shown
from penstock.control.analytics.schema import POINTS, SERIES, AnalyticsQuery
from penstock.control.context import Context, found
from penstock.control.logs.service import settled
from penstock.core import instants
from penstock.core.errors import Invalid
from penstock.storage import gateways
from penstock.storage.errors import TooSlow
from penstock.storage.log.analytics import Point, Question, Where
from penstock.storage.log.measures import DAY, HOUR, MINUTE

SPANS = {"minute": MINUTE, "hour": HOUR, "day": DAY}
METADATA = "metadata."
UNCOUNTED = 7012  # code of a message
_KEYS = "analytics_metadata_keys"
_MINUTE = 60_000  # milliseconds
_LONGEST = {MINUTE: 3 * HOUR, HOUR: 7 * DAY}  # minutes that are asked for in such points unless told otherwise
_LAST = instants.parse("9999-12-31T23:59Z") // _MINUTE
_TESTS = ("gateway", "provider", "model", "outcome", "status_code", "status_class", "cached")


async def analytics(context: Context, asked: AnalyticsQuery, gateway_id: str | None = None) -> dict[str, Any]:
    """Members as in ``schema.Analytics``. Without ``gateway_id``, of all that the actor may see.

    Raises NotFound and Invalid.
    """
    control = context.control
    if gateway_id is not None:
        async with control.database.reading() as connection:
            found(await gateways.get(connection, context.account, gateway_id))
    question = understood(asked, context.account, context.limited_to if gateway_id is None else frozenset({gateway_id}))
    await settled(control)
    try:
        points, names = await control.logs.rolled_up(question, asked.limit, asked.order_by)
    except TooSlow:
        raise Invalid(
            "There is too much to add up: ask for less time, or for longer intervals.", path=("query",)
        ) from None
    return {
        "start": instants.text(question.since * _MINUTE),
        "end": instants.text(question.until * _MINUTE),
        "interval": next(name for name, span in SPANS.items() if span == question.span),
        "group_by": asked.group_by,
        **_grouped(points, names, asked.order_by),
    }


async def messages(context: Context, asked: AnalyticsQuery, gateway_id: str | None = None) -> list[dict[str, Any]]:
    """What to know of an answer of ``analytics``: that no gateway counts calls by the metadata key in question."""
    _, key, _ = _groups(asked)
    if not key:
        return []
    of, named = context.limited_to, gateway_id or asked.gateway
    if named is not None:
        of = frozenset({named}) if of is None else of & {named}
    async with context.control.database.reading() as connection:
        if await gateways.any_names(connection, context.account, _KEYS, key, among=of):
            return []
    name = "metadata" if asked.group_by is None else "group_by"
    none = f"no gateway names {key!r} in {_KEYS}" if named is None else f"{_KEYS} of the gateway does not name {key!r}"
    sentence = f"{name}: {none}: calls are counted by a key from when it is named there"
    return [{"code": UNCOUNTED, "message": sentence, "path": ["query", name]}]


def understood(asked: AnalyticsQuery, account: str, of: frozenset[str] | None) -> Question:
    """The question, with its time in whole intervals. Raises Invalid."""
    until = (asked.end if asked.end is not None else instants.now()) // _MINUTE + 1
    since = asked.start // _MINUTE if asked.start is not None else until - DAY
    if since >= until:
        raise Invalid("start: must be before end", path=("query", "start"))
    group, key, where = _groups(asked)
    span = SPANS[asked.interval] if asked.interval else _chosen(until - since, HOUR if key else MINUTE)
    if key and span == MINUTE:
        raise Invalid(
            "interval: metadata are told apart by hours and by days, not by minutes", path=("query", "interval")
        )
    since, until = since // span * span, -(-until // span) * span
    if until > _LAST:
        raise Invalid("end: must be within the year 9999, with its interval", path=("query", "end"))
    count = (until - since) // span
    groups = asked.limit + 1 if group else 1
    if count > POINTS or count * groups > SERIES:
        raise Invalid(
            f"interval: this would be up to {count:,} points in time for each of {groups} groups; at most {POINTS:,},"
            f" and {SERIES:,} in all: ask for less time, a longer interval or a smaller limit",
            path=("query", "interval"),
        )
    return Question(account, span, since, until, of, key, where, (group,) if group else (), step=span)


def _groups(asked: AnalyticsQuery) -> tuple[str, str, tuple[Where, ...]]:
    """The dimension, the metadata key, and the tests."""
    where = [Where(name, "eq", (value,)) for name in _TESTS if (value := getattr(asked, name)) is not None]
    if asked.success is not None:
        where.append(Where("error", "eq", (int(not asked.success),)))
    group, key = asked.group_by or "", ""
    if group.startswith(METADATA):
        group, key = "metadata", group.removeprefix(METADATA)
    if asked.metadata is not None:
        name, _, value = asked.metadata.partition("=")
        if key and key != name:
            raise Invalid("metadata: must be of the key that group_by names", path=("query", "metadata"))
        key = name
        where.append(Where("metadata", "eq", (value,)))
    return group, key, tuple(where)


def _chosen(minutes: int, least: int) -> int:
    return next((span for span, longest in _LONGEST.items() if span >= least and minutes <= longest + 1), DAY)


def _grouped(points: list[Point], names: dict[int | None, Any], order: str) -> dict[str, Any]:
    sums: dict[int | None, Counter[str]] = {}
    series: dict[int | None, list[dict[str, Any]]] = {}
    for point in points:
        of = point.group[0] if point.group else None
        sums.setdefault(of, Counter()).update(point.sums)
        told = {"time": instants.text(point.start * _MINUTE), **shown(point.sums)}
        series.setdefault(of, []).append(told)
    ordered = sorted(sums, key=lambda of: (of is None, -sums[of][order]))
    whole: Counter[str] = Counter()
    for each in sums.values():
        whole.update(each)
    groups = [{"group": names.get(of), "totals": shown(sums[of]), "series": series[of]} for of in ordered]
    return {"totals": shown(whole), "groups": groups}
