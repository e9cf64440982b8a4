"""Rate limits. Ends a call that is over its gateway's limit (429/2003).

Every call that comes this far takes a place, also one that the cache answers, and keeps it however it ends; further
attempts at a provider take none, nor does a call that is refused here. Decides ``limit``.
"""

import math
from typing import Protocol

from penstock.core.errors import Overloaded, RateLimited
from penstock.core.telemetry import Telemetry
from penstock.model.decision import LimitDecision
from penstock.model.exchange import Exchange
from penstock.ports.counters import Counters, RateLimit


class Limits(Protocol):
    """The stage on the line."""

    async def admit(self, ex: Exchange) -> None:
        """Takes a place for the call. Raises RateLimited; Overloaded where nobody may count."""
        ...


class RateLimits(Limits):
    """The limit of the gateway with that number."""

    def __init__(self, owner: int, limit: RateLimit, counters: Counters, telemetry: Telemetry) -> None:
        self._owner = owner
        self._limit = limit
        self._counters = counters
        self._count = telemetry.rate_limited

    async def admit(self, ex: Exchange) -> None:
        limit = self._limit
        taken = await self._counters.take(self._owner, limit)
        decision = LimitDecision(limit.technique, limit.interval, limit.limit, taken.used, taken.by)
        ex.step.decisions.limit = decision
        if taken.given:
            return
        decision.retry_after = round(taken.wait, 3)
        if taken.by == "refuse":
            raise Overloaded(
                "The gateway cannot count calls while Redis is away, and lets none in uncounted; try again."
            )
        self._count.add((ex.request.account, ex.request.gateway))
        raise RateLimited(retry_after=max(1, math.ceil(taken.wait)))


class NullLimits(Limits):
    """No limit is set."""

    async def admit(self, ex: Exchange) -> None:
        """Always."""
