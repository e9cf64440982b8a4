"""How an invoice adds up: exact sums in nano-dollars, rounded to cents once, and parts that come to the whole. Pure."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from penstock.model.money import CENT


class Terms(NamedTuple):
    """On which an installation bills: ``issuer`` stands at the head of invoices."""

    tax_percent: str = "0"
    tax_name: str = "Tax"
    issuer: str = ""


UNTAXED = Terms()


class Sums(NamedTuple):
    """Cents. ``parts``: of the net, one of each amount. ``credits``: of net and tax, what credit pays."""

    parts: tuple[int, ...]
    net: int
    tax: int
    credits: int

    @property
    def total(self) -> int:
        return self.net + self.tax


def cents(nano: int) -> int:
    """Half a cent is rounded away from 0."""
    whole = (2 * abs(nano) + CENT) // (2 * CENT)
    return whole if nano >= 0 else -whole


def apportioned(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """``total`` in whole parts as the weights are, which come to it exactly: those whose remainders are largest are
    rounded up.
    """
    whole = sum(weights)
    if not whole:
        return (total, *(0,) * (len(weights) - 1)) if weights else ()
    parts = [total * weight // whole for weight in weights]
    left = total - sum(parts)
    by_rest = sorted(range(len(weights)), key=lambda at: (-(total * weights[at] % whole), at))
    for at in by_rest[:left]:
        parts[at] += 1
    return tuple(parts)


def tax_of(net: int, percent: str) -> int:
    """Cents of tax on cents."""
    return int((Decimal(net) * Decimal(percent) / 100).quantize(Decimal(1), ROUND_HALF_UP))


def sums(amounts: Sequence[int], terms: Terms, credit: int) -> Sums:
    """``amounts``: nano-dollars of the lines. ``credit``: nano-dollars that the account has once they are charged and
    before the tax is; below 0: it owes.
    """
    net = cents(sum(amounts))
    tax = tax_of(net, terms.tax_percent)
    due = min(net + tax, max(0, cents(tax * CENT - credit)))
    return Sums(apportioned(net, amounts), net, tax, net + tax - due)


def remaining(dues: Sequence[int], credit: int, unbilled: int) -> list[int]:
    """Of what invoices left to be paid, newest first, in cents, what is still to be paid: what an account pays counts
    for its oldest debt. ``unbilled``: nano-dollars that were charged and are on no invoice.
    """
    owed = max(0, cents(-credit - unbilled))
    left: list[int] = []
    for due in dues:
        left.append(min(due, owed))
        owed -= left[-1]
    return left
