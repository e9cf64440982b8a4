"""The stage: reserves what a step may cost of every budget that holds for it, and settles it when the step ends.

Ends a step that a budget does not cover (429/2045), or the credit of a prepaid account (402/2021). Writes ``spending``;
decides ``spend``.
"""

import math
from typing import NamedTuple, Protocol

from penstock.core import instants
from penstock.core.errors import OutOfCredit, Overloaded, PenstockError, SpendLimited
from penstock.features.spend.estimate import Estimates
from penstock.features.spend.rules import NO_RULES, Bound, Rules
from penstock.features.spend.saying import exceeded, insufficient
from penstock.features.spend.settling import settled
from penstock.model.credential import WHOLESALE
from penstock.model.decision import SpendDecision
from penstock.model.money import NANO, Budget, Claim
from penstock.model.spending import CREDIT, Spending
from penstock.model.step import Step
from penstock.ports.reservations import Refused, Reservations
from penstock.providers.charge import charged, with_markup

_SOON = 5  # seconds in which calls that run have ended, as a rule
_HOLDER = "ask whoever manages the token to raise it"
_ACCOUNT = "the account's spending limit", "ask whoever manages the account to raise it"


class Spend(Protocol):
    """The stage on the line."""

    async def admit(self, step: Step) -> None:
        """Reserves. Raises SpendLimited where something does not cover the step."""
        ...


class Purse(NamedTuple):
    """What the stages of all gateways share."""

    reservations: Reservations
    estimates: Estimates
    code: int  # of the error


class SpendLimits(Spend):
    """The limits of a gateway."""

    def __init__(
        self, purse: Purse, rules: Rules = NO_RULES, account: Budget | None = None, credit: Budget | None = None
    ) -> None:
        self._purse = purse
        self._rules = rules
        self._credit = [] if credit is None else [Bound(credit, "the account's credit", credit=True)]
        self._always = [] if account is None else [Bound(account, *_ACCOUNT)]

    async def admit(self, step: Step) -> None:
        bounds = self._rules.of(step)
        if (token := step.ex.caller.bearer) is not None and token.budget is not None:
            bounds.append(Bound(token.budget, f"the budget of token '{token.name}'", _HOLDER))
        bounds += self._always
        if operators := _on_the_operators_key(step):
            bounds += self._credit
        if bounds:
            await self._reserve(step, bounds)
        elif operators:
            self.expect(step)

    def expect(self, step: Step) -> None:
        """Nothing limits the step, but it is charged, by what it may cost where its usage stays unknown."""
        step.spending = Spending((), *self._estimated(step), instants.now())
        step.defer(self._settle)

    def _estimated(self, step: Step) -> tuple[int | None, int | None]:
        """What it may cost, and what it may by the list."""
        estimates = self._purse.estimates
        estimate = estimates.of(step)
        return estimate, estimate if step.options.cost is None else estimates.listed(step)

    async def _reserve(self, step: Step, bounds: list[Bound]) -> None:
        estimate, listed = self._estimated(step)
        amount = estimate or 0
        claims = [Claim(bound.budget, with_markup(step, listed or 0) if bound.credit else amount) for bound in bounds]
        step.decisions.spend = decision = SpendDecision(amount / NANO, [bound.what for bound in bounds])
        refused = None
        try:
            refused = await self._purse.reservations.reserve(step.id, claims)
        except BaseException:  # the call was cancelled: whether it has the money is not known
            self._purse.reservations.settle(step.id, claims, [0] * len(claims))
            raise
        if refused is not None:
            if refused.by != "refuse":
                decision.exceeded = bounds[refused.at].what
            raise self._refusal(step, bounds[refused.at], refused, claims[refused.at].amount)
        step.spending = Spending(claims, estimate, listed, instants.now())
        step.defer(self._settle)
        step.ex.drafts.draft(step)

    def _settle(self, step: Step) -> None:
        """The step ends, and the meter has read its answer."""
        assert step.spending is not None
        self._purse.estimates.learn(step)
        amount = settled(step, step.spending, self._estimated)
        claims = step.spending.claims
        _, charge = charged(step) or ("", 0)
        amounts = [charge if claim.budget.owner.startswith(CREDIT) else amount for claim in claims]
        if claims:
            self._purse.reservations.settle(step.id, claims, amounts)
        step.spending.settle(amount, instants.now())

    def _refusal(self, step: Step, bound: Bound, refused: Refused, amount: int) -> PenstockError:
        """Where other calls hold what is missing, they may have ended soon."""
        if refused.by == "refuse":
            return Overloaded(
                "The gateway cannot count what calls spend while Redis is away, and lets none in uncounted; try again."
            )
        if bound.credit:
            return OutOfCredit(insufficient(step, bound, refused, amount))
        held = refused.held
        waits = held.spent + (amount or 1) > bound.budget.limit
        wait = max(1, math.ceil(refused.wait)) if waits else _SOON
        return SpendLimited(exceeded(step, bound, refused, amount), retry_after=wait, code=self._purse.code)


class NullSpend(Spend):
    """Nothing of the gateway limits what its calls spend; the token of a call may."""

    def __init__(self, purse: Purse) -> None:
        self._limits = SpendLimits(purse)

    async def admit(self, step: Step) -> None:
        if (token := step.ex.caller.bearer) is not None and token.budget is not None:
            await self._limits.admit(step)
        elif _on_the_operators_key(step):
            self._limits.expect(step)


def _on_the_operators_key(step: Step) -> bool:
    return (key := step.decisions.key) is not None and key.source == WHOLESALE
