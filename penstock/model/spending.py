"""What a step reserved, and what it spent of it."""

from collections.abc import Sequence

from penstock.model.money import FOREVER, Budget, Claim

CREDIT = "credit:"  # owners of what accounts have, before the account

Spent = tuple[str, int, int, int]
"""Owner of a budget, beginning of the bucket, its end (0: it has none) and nano-dollars."""


def credit_of(account: str, given: int) -> Budget:
    """What calls of a prepaid account may be charged, which was given so much in all."""
    return Budget(CREDIT + account, given, FOREVER)


class Spending:
    """``claims`` of one reservation, all of the same call. ``estimate``: None where no price is known; ``listed``: the
    same where the prices that the caller gave do not count.

    ``reserved``: the cost of the step is the estimate; ``unknown``: an answer may have begun whose usage nobody told;
    ``spent``: what is counted. Until the step has ended, that is what will be if its process dies.
    """

    __slots__ = ("claims", "estimate", "listed", "reserved", "spent", "unknown")

    def __init__(self, claims: Sequence[Claim], estimate: int | None, listed: int | None, now: int) -> None:
        self.claims = claims
        self.estimate = estimate
        self.listed = listed
        self.unknown = True
        self.reserved = estimate is not None
        self.spent: tuple[Spent, ...] = ()
        self.settle(estimate or 0, now)

    def rise(self, estimate: int | None, listed: int | None) -> None:
        """More may have been used than was expected."""
        self.estimate = _larger(self.estimate, estimate)
        self.listed = _larger(self.listed, listed)

    def settle(self, amount: int, now: int) -> None:
        """So much was spent of each budget at that time. What is charged is counted by the ledger."""
        claims = [claim for claim in self.claims if not claim.budget.owner.startswith(CREDIT)] if amount else []
        self.spent = tuple([_spent(claim, amount, now) for claim in claims])


def _spent(claim: Claim, amount: int, now: int) -> Spent:
    owner, _, window = claim.budget
    begun = window.bucket(now)
    return owner, begun, 0 if window.technique == "forever" else window.ends(begun), amount


def _larger(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else max(one, other)
