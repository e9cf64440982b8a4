"""Spend limits. Ends a call whose budget is used up (429)."""

from typing import Protocol

from penstock.model.step import Step


class Spend(Protocol):
    """The stage on the line."""

    async def admit(self, step: Step) -> None:
        """Raises where the budget is used up."""
        ...


class NullSpend(Spend):
    """No spend limit is set."""

    async def admit(self, step: Step) -> None:
        """Always."""
