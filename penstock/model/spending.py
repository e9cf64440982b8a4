"""What a step reserved, and what it spent of it."""

from collections.abc import Sequence

from penstock.model.money import Claim

Spent = tuple[str, int, int, int]
"""Owner of a budget, beginning of the bucket, its end (0: it has none) and nano-dollars."""


class Spending:
    """``claims`` of one reservation, all of the same call. ``estimate``: None where no price is known.

    ``reserved``: the cost of the step is the estimate; ``spent``: what is counted. Until the step has ended, that is
    what will be if its process dies.
    """

    __slots__ = ("claims", "estimate", "reserved", "spent")

    def __init__(self, claims: Sequence[Claim], estimate: int | None, now: int) -> None:
        self.claims = claims
        self.estimate = estimate
        self.reserved = estimate is not None
        self.spent: tuple[Spent, ...] = ()
        self.settle(estimate or 0, now)

    def settle(self, amount: int, now: int) -> None:
        """So much was spent of each budget at that time."""
        self.spent = tuple([_spent(claim, amount, now) for claim in self.claims]) if amount else ()


def _spent(claim: Claim, amount: int, now: int) -> Spent:
    owner, _, window = claim.budget
    begun = window.bucket(now)
    return owner, begun, 0 if window.technique == "forever" else window.ends(begun), amount
