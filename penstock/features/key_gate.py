"""The rate limit of a stored key, and when it was used. ``features.calls`` calls it before and after each attempt.

Windows are fixed. An attempt that is refused takes no place; the step has failed then, and the next one is tried.
"""

import math

from penstock.core.errors import KeyLimited
from penstock.core.key_uses import KeyUses
from penstock.model.credential import StoredKey
from penstock.ports.counters import Counters, RateLimit


class KeyGate:
    def __init__(self, counters: Counters, uses: KeyUses) -> None:
        self._counters = counters
        self._uses = uses

    async def admit(self, key: StoredKey) -> None:
        """Takes a place for one attempt. Raises KeyLimited."""
        limit, period = key.rate_limit, key.rate_limit_period
        if not limit or not period:
            return
        taken = await self._counters.take(f"key:{key.id}", RateLimit(period, limit, "fixed"))
        if taken.given:
            return
        why = f"is at its rate limit of {limit} attempts in {period} seconds"
        if taken.by == "refuse":
            why = "has a rate limit, which nobody can count while Redis is away"
        sentence = f"The key {key.alias!r} of provider {key.provider!r} {why}; try again later."
        raise KeyLimited(sentence, retry_after=max(1, math.ceil(taken.wait)))

    def saw(self, key: StoredKey, status: int) -> None:
        """The provider has answered an attempt."""
        self._uses.saw(key.id, key.generation, status)
