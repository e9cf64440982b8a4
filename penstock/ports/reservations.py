"""Money that is reserved before a call and settled after it: in this process, or for all of them."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from penstock.model.money import Budget, Claim


class Held(NamedTuple):
    """What a budget has left. ``spent``: within its window; ``reserved``: by calls that run. Nano-dollars."""

    spent: int
    reserved: int


class Refused(NamedTuple):
    """Why nothing was reserved. ``at``: place of the first claim that its budget does not cover.

    ``wait``: seconds until spending of the window is free again, however little; ``by``: who counted, as in
    ``model.decision``.
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
        """Ends a reservation, once: so much of each claim's budget was spent now. Never raises."""
        ...

    async def look(self, budgets: Sequence[Budget]) -> list[Held]:
        """What each has left."""
        ...
