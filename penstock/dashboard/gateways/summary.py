"""Gateways as lists and their own page show them: what matters at a glance. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Glance(NamedTuple):
    """Words for settings; empty: off."""

    closed: bool  # calls need a token
    log: str
    cache: str
    limit: str


def glance(gateway: Mapping[str, Any]) -> Glance:
    """``gateway``: as the API answers it."""
    closed, ttl = gateway.get("authentication"), gateway.get("cache_ttl")
    bodies = gateway.get("collect_log_payloads") is not False
    log = ("with bodies" if bodies else "without bodies") if gateway.get("collect_logs", True) else ""
    calls, interval = gateway.get("rate_limiting_limit"), gateway.get("rate_limiting_interval")
    return Glance(
        closed=gateway["is_default"] if closed is None else closed,
        log=log,
        cache=f"{ttl:,} s" if ttl else "",
        limit=f"{calls:,} in {interval:,} s" if calls and interval else "",
    )


def by_gateway(told: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """Sums by gateway of an answer of analytics, and whether it has all gateways that had calls."""
    groups = {group["group"]: group["totals"] for group in told["groups"]}
    return {name: sums for name, sums in groups.items() if name is not None}, None not in groups
