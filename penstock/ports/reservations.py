"""Money that is reserved before a call and settled after it: in this process, or for all of them."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from penstock.model.money import Budget, Claim


class Held(NamedTuple):
    """What is taken of a budget. ``spent``: within its window; ``reserved``: by calls that run. Nano-dollars."""

    spent: int
    reserved: int


class Refused(NamedTuple):
    """Why nothing was reserved. ``at``: place of the first claim that its budget does not cover.

    ``wait``: seconds until it does; where that is unknown, because other calls hold what is missing or the claim is
    larger than the limit, until some spending is free again. 0: never. ``by``: who counted, as in ``model.decision``.
    """

    at: int
    held: Held
    wait: float
    by: str


class Reservations(Protocol):
    """Exact under concurrency: what one call reserves, no other can."""

    async def reserve(self, reservation: bytes, claims: Sequence[Claim]) -> Refused | None:
        """All claims or none. Never raises.

        A claim is covered where what is spent and reserved, and its own amount, come to no more than the limit; a claim
        of 0 only where something is left. ``reservation``: a name, used once.
        """
        ...

    def settle(self, reservation: bytes, claims: Sequence[Claim], amounts: Sequence[int]) -> None:
        """Ends a reservation, once: so much of each claim's budget was spent now. Never raises.

        One that is not known, of before a restart, counts all the same.
        """
        ...

    async def look(self, budgets: Sequence[Budget]) -> list[Held]:
        """What is spent and reserved of each."""
        ...


class Unreserved(Reservations):
    """In a process that cannot see what is spent: every claim is covered."""

    async def reserve(self, reservation: bytes, claims: Sequence[Claim]) -> Refused | None:
        return None

    def settle(self, reservation: bytes, claims: Sequence[Claim], amounts: Sequence[int]) -> None:
        """Counts nothing."""

    async def look(self, budgets: Sequence[Budget]) -> list[Held]:
        return [Held(0, 0)] * len(budgets)
