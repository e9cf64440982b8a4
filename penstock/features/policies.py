"""Who may call what. Ends a call that a policy forbids (403)."""

from penstock.model.exchange import Exchange


class NullPolicies:
    """No policy: all is allowed."""

    async def check(self, ex: Exchange) -> None:
        """Always."""
