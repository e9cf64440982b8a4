"""Who may call what. Ends a call that a policy forbids (403)."""

from typing import Protocol

from penstock.model.step import Step


class Policies(Protocol):
    """The stage on the line."""

    async def check(self, step: Step) -> None:
        """Raises where a policy forbids the call."""
        ...


class NullPolicies(Policies):
    """No policy: all is allowed."""

    async def check(self, step: Step) -> None:
        """Always."""
