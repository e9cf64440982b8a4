"""What a caller is told whose call a budget does not cover. Pure."""

import math

from penstock.core import instants
from penstock.features.spend.rules import Bound
from penstock.model.money import dollars
from penstock.model.step import Step
from penstock.ports.reservations import Refused
from penstock.providers.run import RUN

_FAR = 10 * 365 * 24 * 3600  # seconds; of what is further off, no date is told


def exceeded(step: Step, bound: Bound, refused: Refused, amount: int) -> str:
    """Which limit, what is spent of it, and what can be done."""
    budget, held = bound.budget, refused.held
    assert step.target is not None
    model = step.target.model or step.request.asked.model
    spent = [f"{dollars(held.spent)} spent"]
    if held.reserved:
        spent.append(f"{dollars(held.reserved)} reserved by calls that run")
    spent.append(f"and this call may cost {dollars(amount)}" if amount else "and nothing is left for this call")
    return (
        f"Spend limit exceeded: {bound.what} (cost limit {dollars(budget.limit)} {budget.window.text()})"
        f" for {step.target.provider} {model:.128}: {', '.join(spent)}; {_advice(bound, refused, amount)}."
    )


def insufficient(step: Step, bound: Bound, refused: Refused, amount: int) -> str:
    """What an account has left, and what can be done."""
    run = step.ex.request.surface.kind == RUN
    begins = "Insufficient balance; add money to your gateway or use BYOK" if run else "Insufficient wholesale credits"
    held = refused.held
    has = [f"{dollars(bound.budget.limit - held.spent)} left"]
    if held.reserved:
        has.append(f"{dollars(held.reserved)} of it reserved by calls that run")
    has.append(f"and this call may cost {dollars(amount)}" if amount else "and nothing for this call")
    return f"{begins}: {', '.join(has)}; top the account's credit up, or use a key of your own."


def _advice(bound: Bound, refused: Refused, amount: int) -> str:
    limit, held = bound.budget.limit, refused.held
    if amount > limit:
        return f"that alone is more than the limit: ask for fewer tokens of output, or {bound.whom}"
    if held.spent + (amount or 1) <= limit:
        return "try again when those calls have ended, or ask for fewer tokens of output"
    if bound.budget.window.technique == "forever":
        return f"it does not reset: {bound.whom}"
    seconds = math.ceil(refused.wait)
    date = f" (at {instants.text(instants.now() + seconds * 1000)})" if seconds < _FAR else ""
    return f"it resets in {seconds} s{date}; wait, or {bound.whom}"
