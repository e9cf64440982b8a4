"""What a step reserved, and what it spent of it."""

from collections.abc import Sequence

from penstock.model.money import Claim

Spent = tuple[str, int, int, int]
"""Owner of a budget, beginning of the bucket, its end (0: it has none) and nano-dollars."""


class Spending:
    """``claims`` of one reservation, all of the same call. ``estimate``: None where no price is known.

    When the step has ended: ``reserved`` says that its cost is the estimate, ``spent`` what was counted.
    """

    __slots__ = ("claims", "estimate", "reserved", "spent")

    def __init__(self, claims: Sequence[Claim], estimate: int | None) -> None:
        self.claims = claims
        self.estimate = estimate
        self.reserved = False
        self.spent: tuple[Spent, ...] = ()

    def settle(self, amount: int, now: int) -> None:
        """So much was spent of each budget at that time."""
        self.spent = tuple([_spent(claim, amount, now) for claim in self.claims]) if amount else ()


def _spent(claim: Claim, amount: int, now: int) -> Spent:
    owner, _, window = claim.budget
    begun = window.bucket(now)
    return owner, begun, 0 if window.technique == "forever" else window.ends(begun), amount
