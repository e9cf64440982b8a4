"""Rate limits. Ends a call that is over its gateway's limit (429/2003)."""

from typing import Protocol

from penstock.model.exchange import Exchange


class Limits(Protocol):
    """The stage on the line."""

    async def admit(self, ex: Exchange) -> None:
        """Takes a place for the call, or raises RateLimited. What it took is settled when the call ends."""
        ...


class NullLimits(Limits):
    """No limit is set."""

    async def admit(self, ex: Exchange) -> None:
        """Always."""
