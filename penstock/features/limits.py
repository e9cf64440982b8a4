"""Rate limits. Ends a call that is over its gateway's limit (429/2003)."""

from penstock.model.exchange import Exchange


class NullLimits:
    """No limit is set."""

    async def admit(self, ex: Exchange) -> None:
        """Always."""
