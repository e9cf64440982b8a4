"""Spend limits. Ends a call whose budget is used up (429)."""

from penstock.model.exchange import Exchange


class NullSpend:
    """No spend limit is set."""

    async def admit(self, ex: Exchange) -> None:
        """Always."""
