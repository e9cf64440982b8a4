"""What an alert can be about: each kind is a row of the table."""

import math
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import unquote

from penstock.control.analytics.rendering import percentile
from penstock.control.gateways.spend_limits import rules
from penstock.core import instants
from penstock.features.spend.rules import owner_of
from penstock.model.money import NANO
from penstock.storage import alert_figures, ledger, provider_keys, spending
from penstock.storage.alert_figures import Gateway
from penstock.storage.alerts import AlertRow
from penstock.storage.engine import Handle, within
from penstock.storage.log.measures import BOUNDS, HOUR, MINUTE
from penstock.storage.sql import Statements

_SLOW = 95  # per cent of the calls, which are not the slowest
MOST_FIRING = 100  # partitions of a rule that are read: those of which most is spent
_LONG = 3600  # seconds of a window that is read by the minute, at most


class Reading(NamedTuple):
    """How it stands with one subject of an alert."""

    subject: str
    about: dict[str, Any]  # what it is, ``gateway_id`` above all: told also when it is over
    value: float
    figures: Mapping[str, Any]  # more of now
    since: int | None = None  # where it is known better than by looking now and then


class Kind(NamedTuple):
    """``measure`` reads all subjects of an alert at a time, in milliseconds. The condition holds where the value of a
    reading reaches the threshold; of a kind without one, where there is a reading.

    ``says`` and ``over`` are filled in with what is told.
    """

    measure: Callable[[Handle, AlertRow, int], Awaitable[list[Reading]]]
    says: str
    over: str
    threshold: tuple[float, float] | None = None  # the range that it may be in
    counts: bool = False  # calls, of which there must be some before it says anything
    below: bool = False  # it holds down from the threshold, not up from it

    def holds(self, reading: Reading, settings: Mapping[str, Any]) -> bool:
        if self.threshold is None or reading.value == settings["threshold"]:
            return True
        return (reading.value < settings["threshold"]) is self.below


async def _refused(connection: Handle, row: AlertRow, _now: int) -> list[Reading]:
    """Keys whose last use their provider has refused."""
    keys = await provider_keys.refused_ones(connection, row.account, row.gateway)
    return [
        Reading(
            key.id,
            {"gateway_id": gateway_id, "key_id": key.id, "provider": key.provider, "alias": key.alias},
            key.refused_status or 0,
            {"refused_at": instants.text(at)},
            at,
        )
        for gateway_id, key in keys
        for at in [key.refused_at or 0]
    ]


async def _failing(connection: Handle, row: AlertRow, now: int) -> list[Reading]:
    """Of gateways with enough calls, which share of them failed."""
    found = await alert_figures.failures(connection, row.account, row.gateway, *_window(row, now))
    shares = [
        (one, failed / calls, {"calls": calls, "failed": failed}) for one in found for calls, failed in [one.figures]
    ]
    return list(_enough(row, shares))


async def _slow(connection: Handle, row: AlertRow, now: int) -> list[Reading]:
    """Of gateways with enough answers, how long 95 % of them made their callers wait at most."""
    found = await alert_figures.waits(connection, row.account, row.gateway, *_window(row, now))
    waits = [(one, percentile([*one.figures], _SLOW) or 0.0, {"calls": sum(one.figures)}) for one in found]
    return list(_enough(row, waits))


async def _full(connection: Handle, row: AlertRow, _now: int) -> list[Reading]:
    """Of gateways whose log may have so many rows, which share of them it has."""
    found = await alert_figures.sizes(connection, row.account, row.gateway)
    return [_reading(one, rows / most, {"rows": rows, "most": most}) for one in found for rows, most in [one.figures]]


async def _spent(connection: Handle, row: AlertRow, now: int) -> list[Reading]:
    """Of spend limits, and each value of their partitions, which share is spent: those that reach the threshold."""
    readings: list[Reading] = []
    limited = await alert_figures.with_setting(connection, row.account, row.gateway, "spend_limits")
    for number, gateway_id, limits in limited:
        for rule in rules(limits):
            least = math.ceil(rule.limit * row.settings["threshold"])
            asked = owner_of(number, rule.name), rule.window.oldest(now), least, MOST_FIRING
            for owner, amount in await within(connection, partial(_most_spent, asked)):
                of = " of ".join([rule.name, ", ".join(map(unquote, owner.removeprefix(asked[0]).split(":")[1:]))])
                about = {"gateway_id": gateway_id, "rule": of.removesuffix(" of ")}
                figures = {"spent": amount / NANO, "limit": rule.limit / NANO}
                readings.append(Reading(owner, about, amount / rule.limit, figures))
    return readings


async def _credit(connection: Handle, row: AlertRow, _now: int) -> list[Reading]:
    """What credit the account has left, dollars."""
    books = await within(connection, lambda sql: ledger.balances(sql, row.account))
    return [Reading("credit", {}, books[ledger.CREDIT] / NANO, {})]


def _most_spent(asked: tuple[str, int, int, int], connection: Statements) -> list[tuple[str, int]]:
    return spending.most_spent(connection, *asked)


def _window(row: AlertRow, now: int) -> tuple[int, int]:
    """By roll-ups of which span it is read, and from which minute on."""
    seconds = row.settings["window_seconds"]
    begin, span = (now // 1000 - seconds) // 60, MINUTE if seconds <= _LONG else HOUR
    return span, begin - begin % span


def _enough(row: AlertRow, found: Sequence[tuple[Gateway, float, dict[str, int]]]) -> Iterator[Reading]:
    least = row.settings["minimum_calls"]
    return (_reading(one, value, figures) for one, value, figures in found if figures["calls"] >= least)


def _reading(one: Gateway, value: float, figures: dict[str, int]) -> Reading:
    return Reading(str(one.number), {"gateway_id": one.id}, value, figures)


KINDS: dict[str, Kind] = {
    "error_rate": Kind(
        _failing,
        "{failed:,} of {calls:,} calls of the gateway {gateway_id} failed in the last {window}: {value:.1%}, where "
        "{threshold:.1%} are too many.",
        "Less than {threshold:.1%} of the calls of the gateway {gateway_id} fail again, or there are too few to tell.",
        (0.001, 1),
        counts=True,
    ),
    "latency": Kind(
        _slow,
        "The slowest 5 % of {calls:,} calls of the gateway {gateway_id} waited {value:,.0f} ms or longer for their "
        "answer in the last {window}, where {threshold:,.0f} ms are too long.",
        "95 % of the calls of the gateway {gateway_id} are answered within {threshold:,.0f} ms again, or there are too "
        "few to tell.",
        (1, BOUNDS[-1]),
        counts=True,
    ),
    "log_cap": Kind(
        _full,
        "The log of the gateway {gateway_id} has {rows:,} of the {most:,} rows that it may have.",
        "The log of the gateway {gateway_id} has less than {threshold:.0%} of the rows that it may have again.",
        (0.01, 1),
    ),
    "spend_limit": Kind(
        _spent,
        "$ {spent:,.2f} of the $ {limit:,.2f} that rule {rule!r} of the gateway {gateway_id} allows are spent: "
        "{value:.0%}.",
        "Less than {threshold:.0%} of what rule {rule!r} of the gateway {gateway_id} allows are spent again.",
        (0.01, 1),
    ),
    "credit_low": Kind(
        _credit,
        "The account has $ {value:,.2f} of credit left, where $ {threshold:,.2f} are too little.",
        "The account has more than $ {threshold:,.2f} of credit again.",
        (0, 1_000_000_000),
        below=True,
    ),
    "credential_refused": Kind(
        _refused,
        "{provider} refused the key {alias!r} of the gateway {gateway_id} with status {value:.0f}.",
        "{provider} no longer refuses the key {alias!r} of the gateway {gateway_id}: it was accepted, "
        "replaced or deleted.",
    ),
}
