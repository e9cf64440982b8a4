"""What the address of the page asks for, and what that is of analytics. Pure."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from penstock.core import instants

PATH = "/ui/spend"
DAY = 86_400_000  # milliseconds
SPANS = {
    "24h": ("24 hours", DAY),
    "7d": ("7 days", 7 * DAY),
    "30d": ("30 days", 30 * DAY),
    "90d": ("90 days", 90 * DAY),
    "365d": ("12 months", 365 * DAY),
}
INTERVALS = {"": "as it fits", "minute": "minute", "hour": "hour", "day": "day"}
GROUPS = {"provider": "provider", "model": "model", "gateway": "gateway", "metadata": "value of a metadata key"}
METADATA = "metadata"
MOST = 20  # groups
MINUTES = len("2026-11-30T12:00")  # as browsers write a time
MORE = ("start", "end", "provider", "model", "metadata")  # fields that are folded unless they are used
_USUAL = {"span": "30d", "by": "provider"}
_NAMES = ("span", "start", "end", "interval", "by", "key", "gateway", "provider", "model", "metadata")
_NEXT = {"provider": "model", "model": "gateway", "gateway": "provider", METADATA: "model"}


def fields(query: Mapping[str, str]) -> dict[str, str]:
    """As the form shows them."""
    found = {name: query.get(name, "").strip() for name in _NAMES}
    for name, known in (("span", SPANS), ("by", GROUPS)):
        if found[name] not in known:
            found[name] = _USUAL[name]
    for name in ("start", "end"):
        with suppress(ValueError):  # what is no time is told of when it is checked
            found[name] = instants.text(instants.parse(found[name]))[:MINUTES]
    if found["start"] or found["end"]:
        found["span"] = ""
    return found


def body(asked: Mapping[str, str], now: int) -> dict[str, Any]:
    """A query of analytics, still to be checked."""
    told: dict[str, Any] = {name: asked[name] for name in ("gateway", "provider", "model", "metadata", "interval")}
    told |= {"start": asked["start"], "end": asked["end"]}
    if asked["span"]:
        told["start"] = instants.text(now - SPANS[asked["span"]][1])
    told["group_by"] = asked["by"] if asked["by"] != METADATA else f"{METADATA}.{asked['key']}"
    return {name: value for name, value in told.items() if value} | {"limit": MOST, "order_by": "cost"}


def within(asked: Mapping[str, str], group: Any) -> dict[str, str] | None:
    """What to ask to see what a group is made of; None: it has no name."""
    if group in (None, ""):
        return None
    by = asked["by"]
    only = {METADATA: f"{asked['key']}={group}"} if by == METADATA else {by: str(group)}
    return {**asked, "by": _NEXT[by], "key": "", **only}
