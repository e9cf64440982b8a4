"""Who may call what. Ends a call that a policy forbids (403)."""

from typing import Protocol

from penstock.model.exchange import Exchange


class Policies(Protocol):
    """The stage on the line."""

    async def check(self, ex: Exchange) -> None:
        """Raises where a policy forbids the call."""
        ...


class NullPolicies(Policies):
    """No policy: all is allowed."""

    async def check(self, ex: Exchange) -> None:
        """Always."""
